// SPDX-License-Identifier: GPL-2.0

//! The way of the CPU that crashes: from the hook that notices it to the jump.

use super::{state, stop};
use crate::load::CrashImage;
use crate::sys::{clock, cpu};
use crate::{arch, armed};
use kernel::bindings;
use kexec_core::dump::report::Moment;

/// The kernel crashes on this CPU. Returns only if no image is armed, or if another CPU came
/// first; then that one stops this CPU.
///
/// # Safety
///
/// Preemption must be off, and `frame` be null or point to the registers to save.
pub(super) unsafe fn enter(frame: *const bindings::pt_regs) {
    if let Some(image) = state::image_here() {
        // The crash path itself has crashed. The dump is still worth having as it is.
        leave(image)
    }
    // SAFETY: The caller has preemption off.
    let Some(image) = (unsafe { armed::image() }) else {
        return;
    };
    // SAFETY: This function never returns if it has.
    if !unsafe { state::begin(image) } {
        return;
    }
    arch::stop::disable_interrupts();
    let record = &image.record;
    record.report.reached(Moment::Noticed);
    // SAFETY: The caller vouches for the frame.
    let registers = unsafe { stop::registers_at(frame) };
    let cpu = cpu::current();
    record.notes.save(cpu, &registers, cpu::current_pid());
    record.report.stopped(cpu);
    stop::stop_others(record);
    record.report.reached(Moment::Stopped);
    arch::stop::quiesce_cpu();
    // SAFETY: This CPU is the one that crashes, and it comes here once.
    unsafe { record.vmcoreinfo.stamp(clock::seconds_since_1970()) };
    image.loaded.interrupts.silence();
    leave(image)
}

fn leave(image: &CrashImage) -> ! {
    image.record.report.reached(Moment::Left);
    // SAFETY: An armed image is in its place; interrupts are off, and the other CPUs have been
    // stopped as far as they can be.
    unsafe { image.loaded.jump.jump() }
}
