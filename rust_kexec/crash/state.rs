// SPDX-License-Identifier: GPL-2.0

//! The crash, if there is one: which CPU it is on, and which image it boots.

use crate::load::CrashImage;
use crate::sys::cpu;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};

/// The image that the crash boots, or null while there is none. A load or unload that disarms the image
/// waits for the crash, and so for ever.
static IMAGE: AtomicPtr<CrashImage> = AtomicPtr::new(ptr::null_mut());

/// The CPU that crashes.
static CPU: AtomicUsize = AtomicUsize::new(NO_CPU);
const NO_CPU: usize = usize::MAX;

/// Whether panic() calls `__crash_kexec` after the notifiers. It tells by `crash_smp_send_stop`, which
/// it calls in that case only; the option itself can change at any time, and is out of reach.
static NOTIFIERS_COME_FIRST: AtomicBool = AtomicBool::new(false);

/// Begins the crash on this CPU, unless there is one already, and says whether it has.
///
/// # Safety
///
/// Where it has, the caller must never give control back: the image is then used for ever.
pub(super) unsafe fn begin(image: &CrashImage) -> bool {
    let cpu = cpu::current();
    let first = CPU.compare_exchange(NO_CPU, cpu, Ordering::AcqRel, Ordering::Acquire);
    if first.is_ok() {
        IMAGE.store(ptr::from_ref(image).cast_mut(), Ordering::Release);
    }
    first.is_ok()
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
    // SAFETY: The pointer is that of a crash, which never gives control back, so that nobody drops the
    // image any more.
    unsafe { IMAGE.load(Ordering::Acquire).as_ref() }
}

/// Notes that panic() calls the notifiers before `__crash_kexec`.
pub(super) fn set_notifiers_come_first() {
    NOTIFIERS_COME_FIRST.store(true, Ordering::Release);
}

/// Whether the kernel panics, and calls the notifiers before `__crash_kexec`.
pub(super) fn notifiers_come_first() -> bool {
    NOTIFIERS_COME_FIRST.load(Ordering::Acquire)
}
