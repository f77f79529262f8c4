// SPDX-License-Identifier: GPL-2.0

//! The hypervisor below this kernel, which may have to be told that the kernel has crashed. The
//! kernel has a hook for it, machine_ops.crash_shutdown, which a module cannot call.

use super::port;
use crate::{
    refusal::MachineError,
    sys::bindings, //
};
use core::{
    arch::x86_64::__cpuid,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    }, //
};
use kexec_core::handover::x86_64::kvm;

/// Refuses a hypervisor that has to be told by what only the kernel has: Hyper-V, whose VMBus has to
/// be unloaded (hv_machine_crash_shutdown()), and Xen, of which a domain asks for a soft reset
/// (xen_hvm_crash_shutdown()).
pub(crate) fn check() -> Result<(), MachineError> {
    let to_tell = [
        (bindings::x86_hypervisor_type_X86_HYPER_MS_HYPERV, "Hyper-V"),
        (bindings::x86_hypervisor_type_X86_HYPER_XEN_PV, "Xen"),
        (bindings::x86_hypervisor_type_X86_HYPER_XEN_HVM, "Xen"),
    ];
    let found = to_tell.into_iter().find(|(kind, _)| {
        // SAFETY: Reads what was found at boot.
        unsafe { bindings::rust_kexec_hypervisor_is(*kind) }
    });
    found.map_or(Ok(()), |(_, name)| Err(MachineError::Hypervisor(name)))
}

/// The features that KVM offers, 0 where it is not there.
static KVM_FEATURES: AtomicU32 = AtomicU32::new(0);

/// Finds out what KVM may have been told.
pub(super) fn find() {
    const PRESENT: u32 = 1 << 31;
    // SAFETY: Every 64-bit CPU has the instruction. Newer compilers know.
    #[allow(unused_unsafe)]
    let leaf = |leaf| unsafe { __cpuid(leaf) };
    if leaf(1).ecx & PRESENT == 0 {
        return;
    }
    let mut bases = (kvm::FIRST_LEAF..kvm::END_LEAF).step_by(kvm::LEAF_STEP);
    let base = bases.find(|base| {
        let found = leaf(*base);
        [found.ebx, found.ecx, found.edx] == kvm::SIGNATURE
    });
    let features = base.map_or(0, |base| leaf(base | 1).eax);
    KVM_FEATURES.store(features, Ordering::Release);
}

/// Has KVM write no more to this kernel's memory on behalf of this CPU: the time that was stolen from
/// it, its clock, its end-of-interrupt flag, its page faults (kvm_guest_cpu_offline()). The memory is
/// in the dump, and in part in pages that the kernel has freed. The kernel's own crash path does so on
/// the CPU that crashes only.
pub(super) fn stop_writing() {
    for register in kvm::registers(KVM_FEATURES.load(Ordering::Acquire)) {
        // SAFETY: KVM says that the register is there; the kernel is at its end.
        unsafe { port::write_msr(register, 0) };
    }
}
