// SPDX-License-Identifier: GPL-2.0

//! The way of the CPU that crashes: from the hook that notices it to the jump.

use super::{
    state,
    stop, //
};
use crate::{
    arch,
    armed,
    compat::prelude::*,
    load::CrashImage,
    sys::{
        clock,
        cpu,
        hook::CAN_FAIL,
        kexec, //
    }, //
};
use kernel::bindings;
use kexec_core::{
    dump::report::{
        Means,
        Moment, //
    },
    handover::check::Damage, //
};

/// How long a crash waits where the capture kernel gets memory that the crashed one has used
/// (CMA_DMA_TIMEOUT_SEC, kernel/crash_core.c of 6.17 and newer).
pub(crate) const SHARED_WAIT_MILLISECONDS: u32 = 10_000;

/// The kernel crashes on this CPU. Returns if no image is armed, if another CPU came first, which then
/// stops this one, if the image is damaged, and if the kernel has an image of its own.
///
/// In the last case the other CPUs are stopped, and stay so; nothing else was changed that panic() needs:
/// it prints, calls its notifiers, has the log kept (kmsg_dump()) and reboots. No hook begins a crash again.
///
/// # Safety
///
/// Preemption must be off, and `frame` be null or point to the registers to save.
pub(super) unsafe fn enter(frame: *const bindings::pt_regs) {
    if let Some(image) = state::image_here() {
        // The crash path itself has crashed. The dump is still worth having as it is.
        if is_intact(image) {
            leave(image)
        }
        return;
    }
    // SAFETY: The caller has preemption off.
    let Some(image) = (unsafe { armed::image() }) else {
        return;
    };
    // Then nothing has kept the kernel's own kexec from loading an image of its own over ours, and has
    // told it that there is one. The kernel boots that.
    if CAN_FAIL && kexec::has_image() {
        return;
    }
    // SAFETY: This function never returns if it has, unless the crash is given up.
    if !unsafe { state::begin(image) } {
        return;
    }
    let interrupts = arch::stop::disable_interrupts();
    let record = &image.record;
    record.report.reached(Moment::Noticed);
    let registers = match record.oopses.of_this_panic() {
        Some(registers) => registers,
        // SAFETY: The caller vouches for the frame.
        None => unsafe { stop::registers_at(frame) },
    };
    let cpu = cpu::current();
    record.notes.save(cpu, &registers, cpu::current_pid());
    let circumstances = stop::circumstances(Means::Crashed, &registers);
    record.report.stopped(cpu, circumstances);
    stop::stop_others(record);
    record.report.reached(Moment::Stopped);
    if !is_intact(image) {
        arch::stop::restore_interrupts(interrupts);
        return;
    }
    record.report.reached(Moment::PurgatoryChecked);
    // From here on panic() could not go on.
    arch::stop::quiesce_cpu();
    // SAFETY: This CPU is the one that crashes, and it comes here once.
    unsafe { record.vmcoreinfo.stamp(clock::seconds_since_1970()) };
    image.loaded.interrupts.silence();
    record.report.reached(Moment::Silenced);
    if image.loaded.shares_memory {
        wait_for_devices();
    }
    leave(image)
}

/// Keeps the registers of an oops that may end in a panic.
///
/// # Safety
///
/// `frame` must point to the registers of an oops in the running task, on a stack of the task's or of
/// this CPU's, and preemption be off.
pub(super) unsafe fn keep_oops(frame: *const bindings::pt_regs) {
    // SAFETY: The caller has preemption off.
    if let Some(image) = unsafe { armed::image() } {
        // SAFETY: By this function's contract.
        unsafe { image.record.oopses.keep(frame) }
    }
}

/// Looks ahead, where panic() calls its notifiers and has the log kept before `__crash_kexec`: if the
/// image is damaged already, this is the time to say so.
///
/// # Safety
///
/// Preemption must be off.
pub(super) unsafe fn look_ahead() {
    // SAFETY: The caller has preemption off.
    if let Some(image) = unsafe { armed::image() } {
        if !state::has_begun() {
            let _ = check(image);
        }
    }
}

/// Whether the image can be jumped into. If not, the crash was given up.
fn is_intact(image: &CrashImage) -> bool {
    if !state::check_has_held() && check(image) {
        state::set_check_held();
    }
    state::check_has_held()
}

/// Checks what the purgatory cannot check. If it does not hold, the crash is given up.
fn check(image: &CrashImage) -> bool {
    let found = match state::begin_check() {
        true => image.loaded.segments.check_before_the_jump().map_err(Some),
        false => Err(None),
    };
    let Err(damage) = found else {
        return true;
    };
    state::give_up();
    say_why_not(damage);
    false
}

/// Says why there is no jump. The crash path is over: panic() goes on, in whose place this prints. It does
/// so itself before `__crash_kexec` and after it, and in its notifiers, in the same state of the kernel.
// Out of line, so that scripts/check-crash-path finds what is printed here, and nowhere else.
#[inline(never)]
fn say_why_not(damage: Option<Damage>) {
    match damage {
        Some(damage) => pr_emerg!("{}\n", format_args!("{damage}")),
        None => pr_emerg!(
            "the loaded image could not be checked: the kernel crashed each time. The capture kernel \
             is not started.\n"
        ),
    }
}

/// Waits as long as the kernel itself does, because nobody knows which devices still write to pages of the
/// shared memory: pages that were given to them are not kept there for long.
fn wait_for_devices() {
    for _ in 0..SHARED_WAIT_MILLISECONDS {
        cpu::delay_microseconds(1000);
    }
}

fn leave(image: &CrashImage) -> ! {
    image.record.report.reached(Moment::Left);
    // SAFETY: An armed image is in its place; interrupts are off, and the other CPUs have been
    // stopped as far as they can be.
    unsafe { image.loaded.jump.jump() }
}
