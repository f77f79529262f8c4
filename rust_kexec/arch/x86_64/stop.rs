// SPDX-License-Identifier: GPL-2.0

//! Stopping other CPUs by NMI, which reaches them with interrupts off as well.

use super::port;
use crate::compat::prelude::*;
use crate::crash;
use kernel::bindings;
use kernel::error::to_result;
use kernel::ffi::c_int;

extern "C" {
    fn rust_kexec_register_stop_nmi() -> c_int;
    fn rust_kexec_unregister_stop_nmi();
    fn rust_kexec_send_stop_nmi();
    fn rust_kexec_leave_vmx();
    fn rust_kexec_set_global_interrupt_flag();
    fn rust_kexec_has_svm() -> bool;
}

/// The NMI handler in which a CPU is stopped.
pub(crate) struct StopHandler(());

impl StopHandler {
    /// Registers the handler.
    pub(crate) fn register() -> Result<Self> {
        // SAFETY: Registers a static action, which `drop` removes.
        to_result(unsafe { rust_kexec_register_stop_nmi() })?;
        Ok(Self(()))
    }
}

impl Drop for StopHandler {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`.
        unsafe { rust_kexec_unregister_stop_nmi() }
    }
}

/// Asks every other CPU to stop. They do so in [`rust_kexec_stop_nmi`].
pub(crate) fn signal_others() {
    // SAFETY: Writes to the local APIC; the mask is a static that only the CPU uses that crashes.
    unsafe { rust_kexec_send_stop_nmi() }
}

/// An NMI is all there is.
pub(crate) fn insist(_others: impl Iterator<Item = usize>) {}

const CR4_VMXE: u64 = 1 << 13;
const EFER: u32 = 0xc000_0080;
const EFER_SVME: u64 = 1 << 12;

/// Ends on this CPU what would go on without the kernel.
pub(crate) fn quiesce_cpu() {
    disable_virtualization();
}

/// Ends hardware virtualization on this CPU. INIT, with which the capture kernel would start it,
/// is blocked in VMX operation and while the global interrupt flag is clear (Intel SDM volume 3,
/// "INIT in VMX operation"; AMD APM volume 2, "Global Interrupt Flag").
fn disable_virtualization() {
    if port::read_cr4() & CR4_VMXE != 0 {
        // SAFETY: No guest runs on this CPU any more.
        unsafe { rust_kexec_leave_vmx() };
    }
    // SAFETY: Reads what was found at boot.
    if !unsafe { rust_kexec_has_svm() } {
        return;
    }
    // SAFETY: Every 64-bit CPU has this register; no guest runs on this CPU any more.
    unsafe {
        let features = port::read_msr(EFER);
        if features & EFER_SVME != 0 {
            rust_kexec_set_global_interrupt_flag();
            port::write_msr(EFER, features & !EFER_SVME);
        }
    }
}

/// Disables interrupts on this CPU for good. For the crash path, which does not return.
///
/// local_irq_disable() is an indirect call in kernels for Xen, and one of lockdep's where that is
/// watching.
pub(crate) fn disable_interrupts() {
    // SAFETY: The caller runs to the end of this kernel; nobody waits for interrupts any more.
    unsafe { core::arch::asm!("cli", options(nomem, nostack)) };
}

/// Stops this CPU for good.
pub(crate) fn park() -> ! {
    loop {
        // SAFETY: An NMI wakes the CPU and the loop halts it again.
        unsafe { core::arch::asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

/// An NMI arrived. Returns only if it is not for us.
#[no_mangle]
extern "C" fn rust_kexec_stop_nmi(regs: *mut bindings::pt_regs) -> bool {
    // SAFETY: The NMI entry code passes the interrupted registers.
    unsafe { crash::stop::stop_this_cpu(regs) }
    false
}
