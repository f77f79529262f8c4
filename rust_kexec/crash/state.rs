// SPDX-License-Identifier: GPL-2.0

//! The crash, if there is one: which CPU it is on, which image it boots, and whether it has been given
//! up.

use crate::{
    load::CrashImage,
    sys::cpu, //
};
use core::{
    ptr,
    sync::atomic::{
        AtomicBool,
        AtomicPtr,
        AtomicUsize,
        Ordering, //
    }, //
};

/// The image that the crash boots, or null while there is none. A load or unload that disarms the image
/// waits for the crash, and so for ever, unless it is given up.
static IMAGE: AtomicPtr<CrashImage> = AtomicPtr::new(ptr::null_mut());

/// The CPU that crashes.
static CPU: AtomicUsize = AtomicUsize::new(NO_CPU);
const NO_CPU: usize = usize::MAX;
/// The crash was given up: panic() goes on, and there will be no other crash.
const GIVEN_UP: usize = usize::MAX - 1;

/// Whether panic() calls `__crash_kexec` after the notifiers. It tells by `crash_smp_send_stop`, which
/// it calls in that case only; the option itself can change at any time, and is out of reach.
static NOTIFIERS_COME_FIRST: AtomicBool = AtomicBool::new(false);

/// How often the check that comes before the jump was begun, and whether it has held.
static CHECKS: AtomicUsize = AtomicUsize::new(0);
static CHECK_HELD: AtomicBool = AtomicBool::new(false);

/// The check may be begun this often: once ahead, where the notifiers come first, once by the crash, and
/// once more by a crash inside the check. If that crashes too, the image cannot even be read.
const CHECKS_MAX: usize = 3;

/// Begins the crash on this CPU, unless there is one already, or was one that was given up, and says
/// whether it has.
///
/// # Safety
///
/// Where it has, the caller must not give control back, other than by [`give_up`]: until then the image
/// is used.
pub(super) unsafe fn begin(image: &CrashImage) -> bool {
    let cpu = cpu::current();
    let first = CPU.compare_exchange(NO_CPU, cpu, Ordering::AcqRel, Ordering::Acquire);
    if first.is_ok() {
        IMAGE.store(ptr::from_ref(image).cast_mut(), Ordering::Release);
    }
    first.is_ok()
}

/// Gives the crash up, or says that there will be none, for good: no hook begins another one.
///
/// CPUs that were stopped stay so. One that had not stopped yet no longer finds the crash, and is left
/// to the kernel, which stops it next.
pub(super) fn give_up() {
    CPU.store(GIVEN_UP, Ordering::Release);
    IMAGE.store(ptr::null_mut(), Ordering::Release);
}

/// Whether the crash was given up.
pub(super) fn is_given_up() -> bool {
    CPU.load(Ordering::Acquire) == GIVEN_UP
}

/// Whether a crash has begun, or was given up.
pub(super) fn has_begun() -> bool {
    CPU.load(Ordering::Acquire) != NO_CPU
}

/// The image of a crash that has begun on this CPU.
pub(super) fn image_here() -> Option<&'static CrashImage> {
    match CPU.load(Ordering::Acquire) == cpu::current() {
        true => image(),
        false => None,
    }
}

/// The image of a crash that has begun on another CPU than this one.
pub(super) fn image_elsewhere() -> Option<&'static CrashImage> {
    match CPU.load(Ordering::Acquire) == cpu::current() {
        true => None,
        false => image(),
    }
}

fn image() -> Option<&'static CrashImage> {
    // SAFETY: The pointer is that of a crash, which keeps preemption off, and so the image in its place,
    // until it is given up. CPUs that find the pointer have preemption off too.
    unsafe { IMAGE.load(Ordering::Acquire).as_ref() }
}

/// Notes that the image is checked, unless that has crashed too often, and says whether it may be.
pub(super) fn begin_check() -> bool {
    CHECKS.fetch_add(1, Ordering::AcqRel) < CHECKS_MAX
}

/// Notes that the check of a crash has held.
pub(super) fn set_check_held() {
    CHECK_HELD.store(true, Ordering::Release);
}

/// Whether the check of a crash has held.
pub(super) fn check_has_held() -> bool {
    CHECK_HELD.load(Ordering::Acquire)
}

/// Notes that panic() calls the notifiers, and says whether it had before.
pub(super) fn notice_again() -> bool {
    static NOTICED: AtomicBool = AtomicBool::new(false);
    NOTICED.swap(true, Ordering::AcqRel)
}

/// Notes that panic() calls the notifiers before `__crash_kexec`.
pub(super) fn set_notifiers_come_first() {
    NOTIFIERS_COME_FIRST.store(true, Ordering::Release);
}

/// Whether the kernel panics, and calls the notifiers before `__crash_kexec`.
pub(super) fn notifiers_come_first() -> bool {
    NOTIFIERS_COME_FIRST.load(Ordering::Acquire)
}
