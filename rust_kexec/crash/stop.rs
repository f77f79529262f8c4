// SPDX-License-Identifier: GPL-2.0

//! Stopping the other CPUs, each with its registers saved.

use super::{armed_image, crashing_elsewhere};
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

/// Stops all CPUs but this one, and reports those that could not be stopped.
pub(super) fn stop_others(image: &LoadedImage) {
    arch::stop::signal_others();
    if !wait_for_others(image, PATIENCE_MICROSECONDS) {
        arch::stop::insist(others().filter(|other| !image.notes.is_saved(*other)));
        wait_for_others(image, WAIT_MICROSECONDS - PATIENCE_MICROSECONDS);
    }
    for other in others().filter(|other| !image.notes.is_saved(*other)) {
        image.report.not_stopped(other);
    }
}

/// The CPUs that run besides this one.
fn others() -> impl Iterator<Item = usize> {
    let this = cpu::current();
    (0..cpu::ids()).filter(move |other| *other != this && cpu::is_online(*other))
}

/// Waits until all others have saved their registers, and says whether they have.
fn wait_for_others(image: &LoadedImage, microseconds: u32) -> bool {
    for _ in 0..microseconds / LOOK_MICROSECONDS {
        if others().all(|other| image.notes.is_saved(other)) {
            return true;
        }
        cpu::delay_microseconds(LOOK_MICROSECONDS);
    }
    false
}

/// The NMI of the CPU that crashes reached this one: saves its registers and stops it. Returns
/// if the NMI is for somebody else.
///
/// # Safety
///
/// `frame` must point to the interrupted registers.
pub(crate) unsafe fn stop_this_cpu(frame: *const bindings::pt_regs) {
    if !crashing_elsewhere() {
        return;
    }
    if let Some(image) = armed_image() {
        // SAFETY: The caller vouches for the frame.
        let registers = unsafe { Registers::from_frame(frame) };
        arch::stop::disable_virtualization();
        image
            .notes
            .save(cpu::current(), &registers, cpu::current_pid());
        image.report.stopped(cpu::current());
        arch::stop::park();
    }
}
