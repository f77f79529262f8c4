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
const LOOK_MICROSECONDS: u32 = 10;

/// Stops all CPUs but this one.
pub(super) fn stop_others(image: &LoadedImage) {
    arch::stop::signal_others();
    for _ in 0..WAIT_MICROSECONDS / LOOK_MICROSECONDS {
        if all_others_saved(image) {
            break;
        }
        cpu::delay_microseconds(LOOK_MICROSECONDS);
    }
}

fn all_others_saved(image: &LoadedImage) -> bool {
    let this = cpu::current();
    (0..cpu::ids())
        .filter(|other| *other != this && cpu::is_online(*other))
        .all(|other| image.notes.is_saved(other))
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
        arch::stop::park();
    }
}
