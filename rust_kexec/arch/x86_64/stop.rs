// SPDX-License-Identifier: GPL-2.0

//! Stopping other CPUs by NMI, which reaches them with interrupts off as well.
//!
//! A CPU that is in an NMI already keeps the next one waiting until it returns. Where it does not, but
//! has interrupts enabled, a call reaches it: so does one that a machine check has caught in an NMI,
//! perhaps in ours, and that waits in the kernel for the panic (wait_for_panic() in
//! arch/x86/kernel/cpu/mce/core.c).

use super::{
    hypervisor,
    panic::ArchitectureCallbacks,
    port,
    registers::Registers, //
};
use crate::{
    bindings::KernelStatic,
    compat::prelude::*,
    sys::{
        bindings,
        cpu,
        panic::PanicCallbacks,
        remote_call,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use core::{
    ffi::CStr,
    ptr::addr_of_mut,
    sync::atomic::{
        AtomicUsize,
        Ordering, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_ulong,
        c_void, //
    }, //
};
use kexec_core::dump::report::Means;

/// The NMI handler in which a CPU is stopped.
pub(crate) struct StopHandler {
    _slot: Held,
}

static ACTION: KernelStatic<bindings::nmiaction> = KernelStatic::zeroed();

const NAME: &CStr = c"rust_kexec";

impl StopHandler {
    /// Registers the handler, and prepares the calls.
    pub(crate) fn register<T: ArchitectureCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        hypervisor::find();
        // SAFETY: Hooks are registered after this, and calls are requested in a crash. If that is given
        // up, the panic goes on, and no module is unloaded any more.
        unsafe { remote_call::prepare(stop_called::<T>) };
        let action = ACTION.get();
        // SAFETY: The slot is held, so the action is not registered, and nobody else writes to it.
        unsafe {
            let list = addr_of_mut!((*action).list);
            (*list).next = list;
            (*list).prev = list;
            (*action).handler = Some(T::NMI_HANDLER);
            (*action).flags = bindings::NMI_FLAG_FIRST as c_ulong;
            (*action).name = NAME.as_char_ptr();
        }
        // SAFETY: The action is a static that is not registered, which `drop` removes.
        to_result(unsafe { bindings::__register_nmi_handler(bindings::NMI_LOCAL, action) })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for StopHandler {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { bindings::unregister_nmi_handler(bindings::NMI_LOCAL, NAME.as_char_ptr()) }
    }
}

/// Asks every other CPU that is online to stop, which it does in the NMI.
///
/// A CPU that was never started waits in the firmware, where an NMI is a reset. One that is offline
/// would drop it (exc_nmi()), also if a panic has taken it offline: that one stops in
/// `PanicCallbacks::wait_to_be_stopped`.
pub(crate) fn signal_others() {
    static OTHERS: KernelStatic<[AtomicUsize; WORDS]> = KernelStatic::zeroed();
    const WORDS: usize = size_of::<bindings::cpumask>() / size_of::<AtomicUsize>();
    // SAFETY: Zeros are numbers, and the words are written and read as such only.
    let mask = unsafe { &*OTHERS.get() };
    let (this, mut any) = (cpu::current(), false);
    let mut cpu = 0_usize;
    // Not by the kernel's functions: a fortified kernel's copy of a whole mask can warn, and printing
    // takes locks. A distribution's kernel has masks for 8192 CPUs, of which most are none here: those
    // words stay zero.
    for word in mask.iter().take(cpu::ids().div_ceil(usize::BITS as usize)) {
        let mut others = 0;
        for bit in 0..usize::BITS {
            if cpu != this && cpu::is_online(cpu) {
                others |= 1_usize.wrapping_shl(bit);
            }
            cpu = cpu.wrapping_add(1);
        }
        word.store(others, Ordering::Relaxed);
        any |= others != 0;
    }
    if any {
        // SAFETY: Writes to the local APIC.
        unsafe { bindings::rust_kexec_send_nmi(mask.as_ptr().cast()) }
    }
}

/// Of a CPU that the kernel has stopped, what it was doing is not kept.
///
/// # Safety
///
/// None here.
pub(crate) unsafe fn left_behind(_cpu: usize) -> Option<(Registers, u32)> {
    None
}

/// Calls CPUs that the NMI did not stop.
pub(crate) fn insist(others: impl Iterator<Item = usize>) {
    others
        .filter(|other| cpu::is_online(*other))
        .for_each(remote_call::request);
}

/// The CPU that crashes called this one. Returns only if there is no crash.
extern "C" fn stop_called<T: PanicCallbacks>(_info: *mut c_void) {
    // SAFETY: The interrupt entry code keeps the interrupted registers while it runs. Null, where the
    // call came without an interrupt, stands for the registers of this place. Interrupts are off, and
    // preemption with them.
    unsafe { T::stop_this_cpu(remote_call::interrupted(), Means::Interrupt) }
}

const CR4_VMXE: u64 = 1 << 13;
const EFER: u32 = 0xc000_0080;
const EFER_SVME: u64 = 1 << 12;

/// Ends on this CPU what would go on without the kernel.
pub(crate) fn quiesce_cpu() {
    disable_virtualization();
    stop_processor_trace();
    port::disable_breakpoints();
    hypervisor::stop_writing();
}

/// Ends hardware virtualization on this CPU. INIT, with which the capture kernel would start it,
/// is blocked in VMX operation and while the global interrupt flag is clear (Intel SDM volume 3,
/// "INIT in VMX operation"; AMD APM volume 2, "Global Interrupt Flag").
///
/// Before that, KVM's own callback has each VMCS written back that this CPU holds (VMCLEAR;
/// cpu_emergency_disable_virtualization(), in 7.x x86_virt_emergency_disable_virtualization_cpu()).
/// That callback, and KVM's list of them, are out of a module's reach: exported is only what
/// registers one. What is lost are fields of those guests' VMCSs, which may be older in the dump than
/// they were in the CPU (Intel SDM volume 3, "Software Use of Virtual-Machine Control Structures").
/// All other memory is as it was, that of the guests too.
fn disable_virtualization() {
    if port::read_cr4() & CR4_VMXE != 0 {
        // SAFETY: No guest runs on this CPU any more.
        unsafe { bindings::rust_kexec_leave_vmx() };
    }
    // SAFETY: Reads what was found at boot.
    if !unsafe { bindings::rust_kexec_has_svm() } {
        return;
    }
    // SAFETY: Every 64-bit CPU has this register; no guest runs on this CPU any more.
    unsafe {
        let features = port::read_msr(EFER);
        if features & EFER_SVME != 0 {
            bindings::rust_kexec_set_global_interrupt_flag();
            port::write_msr(EFER, features & !EFER_SVME);
        }
    }
}

const RTIT_CTL: u32 = 0x570;
const RTIT_CTL_TRACE_ENABLE: u64 = 1 << 0;

/// Ends Intel Processor Trace on this CPU, which writes to memory whatever the kernel does (as
/// cpu_emergency_stop_pt()). Data on their way are in memory after a fence (Intel SDM volume 3,
/// "Trace Enable and Disable"). Where VMX operation and tracing exclude each other, the register
/// faults in VMX operation, and tracing is off: so this comes after the end of that.
fn stop_processor_trace() {
    // SAFETY: Reads what was found at boot.
    if !unsafe { bindings::rust_kexec_has_processor_trace() } {
        return;
    }
    // SAFETY: A CPU that can trace has the register; nobody reads what it would trace.
    unsafe {
        let control = port::read_msr(RTIT_CTL);
        if control & RTIT_CTL_TRACE_ENABLE != 0 {
            port::write_msr(RTIT_CTL, control & !RTIT_CTL_TRACE_ENABLE);
            core::arch::asm!("sfence", options(nostack, preserves_flags));
        }
    }
}

/// Whether interrupts were enabled.
pub(crate) struct Enabled(bool);

const RFLAGS_IF: u64 = 1 << 9;

/// Disables interrupts on this CPU. For the crash path.
///
/// local_irq_disable() is an indirect call in kernels for Xen, and one of lockdep's where that is
/// watching.
pub(crate) fn disable_interrupts() -> Enabled {
    let flags: u64;
    // SAFETY: The caller runs to the end of this kernel, or enables interrupts again.
    unsafe { core::arch::asm!("pushfq", "pop {}", "cli", out(reg) flags) };
    Enabled(flags & RFLAGS_IF != 0)
}

/// Enables interrupts again, if they were.
pub(crate) fn restore_interrupts(enabled: Enabled) {
    if enabled.0 {
        // SAFETY: As it was when this module was called.
        unsafe { core::arch::asm!("sti", options(nostack)) };
    }
}

/// Stops this CPU for good.
pub(crate) fn park() -> ! {
    loop {
        // SAFETY: An NMI wakes the CPU and the loop halts it again.
        unsafe { core::arch::asm!("cli", "hlt", options(nomem, nostack)) };
    }
}
