// SPDX-License-Identifier: GPL-2.0

//! Stopping the other CPUs, each with its registers saved.

use super::hooks::notifiers_come_first;
use super::{armed_image, crash_elsewhere};
use crate::arch;
use crate::arch::registers::Registers;
use crate::load::LoadedImage;
use crate::sys::cpu;
use kernel::bindings;

/// CPUs that have not answered after this time are left behind, without their registers.
const WAIT_MICROSECONDS: u32 = 1_000_000;
/// CPUs that have not answered after this time are called once more, by other means if there are.
const PATIENCE_MICROSECONDS: u32 = 100_000;
const LOOK_MICROSECONDS: u32 = 10;

/// Stops all CPUs but this one, and reports which have stopped and which could not be.
pub(super) fn stop_others(image: &LoadedImage) {
    arch::stop::signal_others();
    if !wait_for_others(image, PATIENCE_MICROSECONDS) {
        arch::stop::insist(others().filter(|other| !image.record.notes.is_saved(*other)));
        wait_for_others(image, WAIT_MICROSECONDS - PATIENCE_MICROSECONDS);
    }
    for other in others() {
        match image.record.notes.is_saved(other) {
            true => image.record.report.found_stopped(other),
            false => image.record.report.not_stopped(other),
        }
    }
}

/// The CPUs that ran besides this one when the kernel crashed.
fn others() -> impl Iterator<Item = usize> {
    let this = cpu::current();
    (0..cpu::ids()).filter(move |other| *other != this && cpu::was_running(*other))
}

/// Waits until all others have saved their registers, and says whether they have.
fn wait_for_others(image: &LoadedImage, microseconds: u32) -> bool {
    for _ in 0..microseconds / LOOK_MICROSECONDS {
        if others().all(|other| image.record.notes.is_saved(other)) {
            return true;
        }
        cpu::delay_microseconds(LOOK_MICROSECONDS);
    }
    false
}

/// Stops this CPU if another one crashes: saves its registers, unless they are there already. Returns
/// if there is no crash.
///
/// # Safety
///
/// `frame` must be null or point to the registers to save.
pub(crate) unsafe fn stop_this_cpu(frame: *const bindings::pt_regs) {
    let Some(image) = crash_elsewhere() else {
        return;
    };
    // SAFETY: The caller vouches for the frame.
    let registers = unsafe { registers_at(frame) };
    arch::stop::quiesce_cpu();
    image.record.report.stopped(cpu::current());
    save(image, &registers);
    arch::stop::park();
}

/// This CPU has found that another one panics, and waits to be stopped where it may be out of
/// reach: on x86_64 in an NMI, on arm64 with interrupts masked and no longer online. So it looks
/// by itself whether the crash begins. Returns if there is none; then the kernel has its own way.
///
/// # Safety
///
/// As for [`stop_this_cpu`].
pub(crate) unsafe fn wait_to_be_stopped(frame: *const bindings::pt_regs) {
    while let Some(image) = armed_image() {
        // SAFETY: The caller vouches for the frame.
        unsafe { stop_this_cpu(frame) }
        if notifiers_come_first() {
            // The kernel is about to stop its CPUs, and does not save the registers of all.
            // SAFETY: As above.
            save(image, &unsafe { registers_at(frame) });
            return;
        }
        core::hint::spin_loop();
    }
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
fn save(image: &LoadedImage, registers: &Registers) {
    let cpu = cpu::current();
    if !image.record.notes.is_saved(cpu) {
        image.record.notes.save(cpu, registers, cpu::current_pid());
    }
}
