// SPDX-License-Identifier: GPL-2.0

//! Stopping other CPUs by inter-processor call.
//!
//! A CPU that has interrupts masked does not answer. Where the kernel has pseudo-NMIs
//! (`irqchip.gicv3_pseudo_nmi=1`) it is called once more by one of those; elsewhere the dump is
//! written without its registers, and the crash report names it. A CPU that answers saves its
//! registers and switches itself off through PSCI, or parks where there is no PSCI (spin-table).

use super::{
    firmware::Conduit,
    irq::{
        self,
        Irq, //
    },
    panic::ArchitectureCallbacks,
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
    mem::transmute,
    ptr::addr_of_mut,
    sync::atomic::{
        AtomicU32,
        Ordering, //
    }, //
};
use kernel::ffi::{
    c_int,
    c_uint,
    c_void, //
};
use kexec_core::dump::report::Means;

/// How firmware is called to switch a CPU off: 0 where it cannot, else a [`Conduit`].
static CONDUIT: AtomicU32 = AtomicU32::new(0);

/// How firmware is called that delivers its own events (SDEI): 0 where it does not.
static SDEI_CONDUIT: AtomicU32 = AtomicU32::new(0);

/// The inter-processor interrupt that is a pseudo-NMI, 0 where there is none.
static NMI: AtomicU32 = AtomicU32::new(0);

/// The means by which other CPUs are stopped.
pub(crate) struct StopHandler {
    _slot: Held,
}

/// The kernel's enum of this name.
///
/// With kCFI the kernel calls a handler only if the hash of its type is the one that C's has, and that is
/// made of the types' names. The `kernel` crate of 6.12 has an integer in the place of this one.
#[allow(non_camel_case_types, reason = "the name is C's")]
#[repr(C)]
enum irqreturn {
    IRQ_HANDLED = 1,
}

/// The handler that such an interrupt gets.
static NMI_HANDLER: KernelStatic<bindings::irq_handler_t> = KernelStatic::zeroed();

impl StopHandler {
    /// Prepares the calls, and finds out how CPUs are interrupted and switched off.
    pub(crate) fn register<T: ArchitectureCallbacks>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: Hooks are registered after this, and calls are requested in a crash. If that is given
        // up, the panic goes on, and no module is unloaded any more.
        unsafe { remote_call::prepare(stop_called::<T>) };
        // SAFETY: Nobody uses it yet.
        unsafe { *NMI_HANDLER.get() = handler(stop_nmi::<T>) };
        NMI.store(find_nmi().unwrap_or(0), Ordering::Release);
        let number = |conduit: Option<Conduit>| conduit.map_or(0, |conduit| conduit as u32);
        CONDUIT.store(number(Conduit::of_psci()), Ordering::Release);
        SDEI_CONDUIT.store(number(Conduit::of_sdei()), Ordering::Release);
        Ok(Self { _slot: slot })
    }
}

/// A function as the handler of an interrupt.
fn handler(function: extern "C" fn(c_int, *mut c_void) -> irqreturn) -> bindings::irq_handler_t {
    // SAFETY: The types differ in what stands for the enum, an integer of 32 bits in C.
    unsafe {
        transmute::<extern "C" fn(c_int, *mut c_void) -> irqreturn, bindings::irq_handler_t>(
            function,
        )
    }
}

/// The number of an inter-processor interrupt that is a pseudo-NMI: the kernel makes some of its own so
/// where it can. The flag tells which: only those must never have a thread.
fn find_nmi() -> Option<c_uint> {
    let found = irq::all().find(|irq| {
        let sends = irq.chip().is_some_and(|chip| chip.ipi_send_mask.is_some());
        irq.action().is_some_and(|action| {
            // SAFETY: The kernel's own inter-processor interrupts keep their actions.
            let action = unsafe { action.as_ref() };
            // SAFETY: A name is a string, or null.
            let is_ipi =
                !action.name.is_null() && unsafe { CStr::from_char_ptr(action.name) } == c"IPI";
            is_ipi && action.flags & bindings::IRQF_NO_THREAD != 0 && sends
        })
    })?;
    Some(found.number())
}

/// Asks every other CPU to stop. They do so in the call.
pub(crate) fn signal_others() {
    let this = cpu::current();
    for other in (0..cpu::ids()).filter(|cpu| *cpu != this && cpu::is_online(*cpu)) {
        remote_call::request(other);
    }
}

/// The registers and the process of a CPU that the kernel has stopped, if it did so by an interrupt: the
/// CPU is in its handler for good, and so what was interrupted is where the kernel keeps it.
///
/// # Safety
///
/// The kernel must have stopped the CPU.
pub(crate) unsafe fn left_behind(cpu: usize) -> Option<(Registers, u32)> {
    // SAFETY: Reads a per-CPU variable of a CPU that is possible.
    let frame = unsafe { bindings::rust_kexec_irq_regs_of(cpu as c_uint) };
    if frame.is_null() {
        return None;
    }
    // SAFETY: By this function's contract; the frame is on one of the CPU's stacks.
    let registers = unsafe { Registers::from_frame(frame) };
    // SAFETY: Looks at the tasks, which nobody frees any more.
    let pid = unsafe { bindings::rust_kexec_pid_on(cpu as c_uint) };
    Some((registers, pid as u32))
}

/// Asks CPUs that did not answer by pseudo-NMI, where there is one.
pub(crate) fn insist(others: impl Iterator<Item = usize>) {
    let number = NMI.load(Ordering::Acquire);
    if number == 0 {
        return;
    }
    let Some(irq) = Irq::find(number) else {
        return;
    };
    for other in others {
        send_nmi(&irq, other);
    }
}

/// Interrupts a CPU by a pseudo-NMI, as gic_ipi_send_mask() does, and takes the interrupt over: its own
/// handler keeps no registers, or does not stop the CPU. Nor would it stop one that this did not reach, if
/// the crash is given up.
// scripts/check-crash-path knows it by its name.
#[inline(never)]
fn send_nmi(irq: &Irq, cpu: usize) {
    let send = irq.chip().and_then(|chip| chip.ipi_send_mask);
    let (Some(action), Some(send)) = (irq.action(), send) else {
        return;
    };
    // SAFETY: The former handler is needed no more. The chip's own function writes to its registers.
    unsafe {
        addr_of_mut!((*action.as_ptr()).handler).write_volatile(*NMI_HANDLER.get());
        send(irq.data(), bindings::rust_kexec_cpumask_of(cpu as c_uint));
    }
}

/// The CPU that crashes called this one. Returns only if there is no crash.
extern "C" fn stop_called<T: PanicCallbacks>(_info: *mut c_void) {
    // SAFETY: The interrupt entry code keeps the interrupted registers while it runs. Null, where the
    // call came without an interrupt, stands for the registers of this place. Interrupts are off, and
    // preemption with them.
    unsafe { T::stop_this_cpu(remote_call::interrupted(), Means::Interrupt) }
}

/// The same, by a pseudo-NMI.
extern "C" fn stop_nmi<T: PanicCallbacks>(_number: c_int, _device: *mut c_void) -> irqreturn {
    // SAFETY: As above.
    unsafe { T::stop_this_cpu(remote_call::interrupted(), Means::Nmi) }
    irqreturn::IRQ_HANDLED
}

/// Ends on this CPU what would go on without the kernel.
///
/// An event of firmware's would enter the crashed kernel, whatever runs meanwhile: they are masked, as
/// by sdei_mask_local_cpu() (Arm DEN0054, SDEI_PE_MASK). A crash inside of such an event's handler
/// leaves it unfinished; the kernel's way to end it, sdei_handler_abort(), is out of reach.
///
/// A task's streaming mode would have the purgatory's SIMD instructions trap (Arm ARM, PSTATE.SM), so
/// that ends too. Only a kernel that uses SME lets tasks enter it, and may touch its registers itself.
///
/// Hardware virtualization needs nothing here: the capture kernel is entered at the exception level
/// that this kernel runs at. That is EL2 with VHE. A kernel that was started at EL2 of a CPU without
/// VHE runs at EL1, and so will the capture kernel, which then has no KVM. The code that stays at EL2
/// is in the crashed kernel's memory, which nothing overwrites.
pub(crate) fn quiesce_cpu() {
    if let Some(conduit) = Conduit::from_number(SDEI_CONDUIT.load(Ordering::Acquire)) {
        // SAFETY: The conduit is the one that the machine's description names.
        unsafe { conduit.call(bindings::SDEI_1_0_FN_SDEI_PE_MASK) };
    }
    // SAFETY: The kernel does not use the registers that this clears, and no task will run again.
    unsafe {
        if bindings::rust_kexec_supports_streaming_mode() {
            bindings::rust_kexec_leave_streaming_mode();
        }
    }
}

/// Which interrupts were masked: PSTATE.DAIF.
pub(crate) struct Masks(u64);

/// Disables interrupts on this CPU. For the crash path.
///
/// local_irq_disable() calls lockdep where that is watching, and leaves pseudo-NMIs on.
pub(crate) fn disable_interrupts() -> Masks {
    let masks: u64;
    // SAFETY: The caller runs to the end of this kernel, or restores the masks.
    unsafe {
        core::arch::asm!("mrs {}, daif", "msr daifset, #0x3", out(reg) masks, options(nostack))
    };
    Masks(masks)
}

/// Masks what was masked before, and no more.
pub(crate) fn restore_interrupts(masks: Masks) {
    // SAFETY: As it was when this module was called.
    unsafe { core::arch::asm!("msr daif, {}", in(reg) masks.0, options(nostack)) };
}

/// Stops this CPU for good.
///
/// Where it cannot be switched off it waits in the crashed kernel: in this loop, which it fetches
/// through that kernel's page tables. Neither lies in the crash region, from which nothing is
/// allocated, and the capture kernel only reads what lies elsewhere. Everything is masked, so that
/// an event or a reset is all that ends a `wfe`. A capture kernel that may use more than one CPU
/// releases this one from a spin table that it does not look at, waits some seconds in vain, and
/// goes on without it.
pub(crate) fn park() -> ! {
    // SAFETY: Masks everything, so that nothing of the crashed kernel runs on this CPU any more.
    unsafe { core::arch::asm!("msr daifset, #0xf", options(nomem, nostack)) };
    if let Some(conduit) = Conduit::from_number(CONDUIT.load(Ordering::Acquire)) {
        // SAFETY: The conduit is the one that the machine's description names. Firmware does not
        // return unless it refuses.
        unsafe { conduit.call(bindings::PSCI_0_2_FN_CPU_OFF) };
    }
    loop {
        // SAFETY: Waits.
        unsafe { core::arch::asm!("wfe", options(nomem, nostack)) };
    }
}
