// SPDX-License-Identifier: GPL-2.0

//! Stopping the other CPUs, each with its registers saved.

use super::state;
use crate::{
    arch::{
        self,
        registers::Registers, //
    },
    armed,
    record::CrashRecord,
    sys::{
        cpu,
        hook, //
    }, //
};
use kernel::bindings;
use kexec_core::dump::report::{
    Circumstances,
    Context,
    Means, //
};

/// CPUs that have not answered after this time stay as they are, without their registers.
const WAIT_MICROSECONDS: u32 = 1_000_000;
/// CPUs that have not answered after this time are called once more, by other means where there are any.
const PATIENCE_MICROSECONDS: u32 = 100_000;
const LOOK_MICROSECONDS: u32 = 10;
/// From a panic to its crash, CPUs wait this long: a minute. The kernel prints meanwhile, perhaps to
/// a slow line.
const PANIC_MICROSECONDS: u32 = 60_000_000;

/// Stops all CPUs but this one, and reports which have stopped and which could not be.
pub(super) fn stop_others(record: &CrashRecord) {
    arch::stop::signal_others();
    if !wait_for_others(record, PATIENCE_MICROSECONDS) {
        if hook::CAN_FAIL {
            save_what_the_kernel_has_stopped(record);
        }
        arch::stop::insist(others().filter(|other| !record.notes.is_saved(*other)));
        wait_for_others(record, WAIT_MICROSECONDS - PATIENCE_MICROSECONDS);
    }
    for other in others() {
        match record.notes.is_saved(other) {
            true => record.report.found_stopped(other),
            false => record.report.not_stopped(other),
        }
    }
}

/// Saves the registers of CPUs that the kernel has stopped before it came to us, and that cannot do so
/// any more.
///
/// Such a CPU is out of the online mask for good, in code of the kernel's. One that waits in a hook of
/// ours saves its own.
fn save_what_the_kernel_has_stopped(record: &CrashRecord) {
    let gone = |other: &usize| {
        !record.notes.is_saved(*other) && !cpu::is_online(*other) && !hook::is_in_a_hook(*other)
    };
    for other in others().filter(gone) {
        // SAFETY: The kernel has stopped it.
        if let Some((registers, pid)) = unsafe { arch::stop::left_behind(other) } {
            record.notes.save(other, &registers, pid);
        }
    }
}

/// The CPUs that ran besides this one when the kernel crashed.
fn others() -> impl Iterator<Item = usize> {
    let this = cpu::current();
    (0..cpu::ids()).filter(move |other| *other != this && cpu::was_running(*other))
}

/// Waits until all others have saved their registers, and says whether they have.
fn wait_for_others(record: &CrashRecord, microseconds: u32) -> bool {
    for _ in 0..microseconds / LOOK_MICROSECONDS {
        if others().all(|other| record.notes.is_saved(other)) {
            return true;
        }
        cpu::delay_microseconds(LOOK_MICROSECONDS);
    }
    false
}

/// Stops this CPU if another one crashes: saves its registers, unless they are there already. Returns
/// if there is no crash, or none any more.
///
/// # Safety
///
/// `frame` must be null or point to the registers to save.
pub(super) unsafe fn stop_this_cpu(frame: *const bindings::pt_regs, means: Means) {
    let Some(image) = state::image_elsewhere() else {
        return;
    };
    let record = &image.record;
    // SAFETY: The caller vouches for the frame.
    let registers = unsafe { registers_at(frame) };
    arch::stop::quiesce_cpu();
    let circumstances = circumstances(means, &registers);
    record.report.stopped(cpu::current(), circumstances);
    save(record, &registers);
    arch::stop::park();
}

/// Waits to be stopped, on a CPU that has found another one panicking, and that may be out of reach:
/// on x86_64 in an NMI, on arm64 with interrupts masked and no longer online. So it looks by itself
/// whether the crash begins.
///
/// Returns where nothing is armed, where the crash was given up, where the kernel is about to stop its
/// CPUs, and where the panic has not become a crash in [`PANIC_MICROSECONDS`]. Then the kernel has its
/// own way with this CPU, and loops for ever. Its registers are saved before, so that a later crash
/// still has them.
///
/// # Safety
///
/// As for [`stop_this_cpu`], with preemption off.
pub(super) unsafe fn wait_to_be_stopped(frame: *const bindings::pt_regs) {
    for _ in 0..PANIC_MICROSECONDS {
        // SAFETY: The caller has preemption off.
        if unsafe { armed::image() }.is_none() {
            return;
        }
        // SAFETY: The caller vouches for the frame.
        unsafe { stop_this_cpu(frame, Means::Waiting) }
        if state::is_given_up() {
            return;
        }
        if state::notifiers_come_first() {
            break;
        }
        cpu::delay_microseconds(1);
    }
    // SAFETY: The caller has preemption off.
    if let Some(image) = unsafe { armed::image() } {
        // SAFETY: The caller vouches for the frame.
        save(&image.record, &unsafe { registers_at(frame) });
    }
}

/// The circumstances of a CPU that stops by these means, with these registers.
pub(super) fn circumstances(means: Means, registers: &Registers) -> Circumstances {
    let levels = cpu::interrupt_levels();
    // What stops a CPU is an interrupt or NMI itself, and a hook may count as one.
    let nmi = levels.nmi > u32::from(means == Means::Nmi).saturating_add(hook::nmi_levels());
    let hardirq = levels.hardirq > u32::from(means == Means::Interrupt);
    Circumstances::new(means)
        .with(Context::User, registers.are_of_user_mode())
        .with(Context::Idle, cpu::current_pid() == 0)
        .with(Context::InterruptsOff, registers.have_interrupts_off())
        .with(Context::Softirq, levels.softirq)
        .with(Context::Hardirq, hardirq)
        .with(Context::Nmi, nmi)
}

/// The registers of a frame, or of this place if there is none. Inline, because a stack can only be
/// followed from a function that does not return.
///
/// # Safety
///
/// As for [`stop_this_cpu`].
#[inline(always)]
pub(super) unsafe fn registers_at(frame: *const bindings::pt_regs) -> Registers {
    match frame.is_null() {
        true => Registers::capture_here(),
        // SAFETY: The caller vouches for the frame.
        false => unsafe { Registers::from_frame(frame) },
    }
}

/// Saves this CPU's registers, unless they are there already.
fn save(record: &CrashRecord, registers: &Registers) {
    let cpu = cpu::current();
    if !record.notes.is_saved(cpu) {
        record.notes.save(cpu, registers, cpu::current_pid());
    }
}
