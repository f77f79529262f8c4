// SPDX-License-Identifier: GPL-2.0

//! The end of the running kernel before another one is entered: what `kernel_kexec()` does before it enters an
//! image of its own.

use super::{
    bindings,
    cpu,
    kallsyms::Kallsyms,
    kprobe, //
};
use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::ffi::c_void;

/// The functions and the variable that the kernel exports to nobody.
const STEPS: [&CStr; 5] = [
    c"kernel_restart_prepare",
    c"migrate_to_reboot_cpu",
    c"syscore_shutdown",
    c"machine_shutdown",
    c"kmsg_dump_desc",
];

/// The steps by which the kernel shuts down.
///
/// # Invariants
///
/// The functions were found. `in_progress` is the address of the kernel's `bool kexec_in_progress`.
pub(crate) struct Shutdown {
    in_progress: usize,
}

impl Shutdown {
    /// Finds the steps. An error where the kernel lacks one, or does not tell where it is.
    pub(crate) fn find() -> Result<Self> {
        let in_progress = Kallsyms::find()?.address(c"kexec_in_progress");
        let in_progress = in_progress.ok_or(ENOENT)? as usize;
        let functions = kprobe::addresses_of(STEPS)?;
        let [prepare, migrate, core, machine, log] = functions.map(|at| at as *mut c_void);
        // SAFETY: The addresses are those of functions of these types.
        unsafe {
            bindings::rust_kexec_set_prepare_restart(prepare);
            bindings::rust_kexec_set_move_to_reboot_cpu(migrate);
            bindings::rust_kexec_set_shut_down_core(core);
            bindings::rust_kexec_set_shut_down_machine(machine);
            bindings::rust_kexec_set_keep_log(log);
        }
        // INVARIANT: All was found above.
        Ok(Self { in_progress })
    }

    /// Shuts devices, interrupt controllers and all other CPUs down. There is no way back: what comes next is
    /// another kernel, or firmware. False where other CPUs could not be stopped.
    ///
    /// # Safety
    ///
    /// To be called in reboot(2), in the place of `kernel_kexec()`.
    pub(crate) unsafe fn run(&self) -> bool {
        let in_progress = self.in_progress as *mut bool;
        // SAFETY: By the type's invariant. Nobody else writes it: reboots are under one lock.
        unsafe { in_progress.write_volatile(true) };
        // SAFETY: In the order of kernel_kexec(), in its place. Taking CPUs down needs hotplug again, which
        // moving to the CPU for reboots has disabled.
        unsafe {
            bindings::rust_kexec_prepare_restart();
            bindings::rust_kexec_move_to_reboot_cpu();
            bindings::rust_kexec_shut_down_core();
            bindings::rust_kexec_enable_cpu_hotplug();
        }
        pr_notice!("leaving this kernel for the loaded one\n");
        // SAFETY: As above.
        unsafe {
            bindings::rust_kexec_shut_down_machine();
            bindings::rust_kexec_keep_log();
        }
        // x86 stops the others without a word to those who count them.
        cfg!(CONFIG_X86_64) || cpu::online_count() == 1
    }
}

/// Whether this kernel is to hand its own state over to the next one (KHO), for which images have to be made
/// by its own kexec.
pub(crate) fn hands_state_over() -> bool {
    #[cfg(CONFIG_KEXEC_HANDOVER)]
    // SAFETY: Reads what the command line has set.
    return unsafe { bindings::kho_is_enabled() };
    #[cfg(not(CONFIG_KEXEC_HANDOVER))]
    false
}

/// Reboots by firmware, at once.
pub(crate) fn by_firmware() {
    // SAFETY: It may be called anywhere.
    unsafe { bindings::emergency_restart() }
}
