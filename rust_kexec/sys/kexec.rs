// SPDX-License-Identifier: GPL-2.0

//! The kernel's own kexec: its permission, its lock and its image.

use super::{
    bindings,
    file::Mount,
    kprobe, //
};
use crate::compat::prelude::*;
use core::sync::atomic::{
    AtomicBool,
    Ordering, //
};
#[cfg(any(CONFIG_KEXEC_CORE, CONFIG_MULTIUSER))]
use kernel::ffi::c_int;
use kernel::{
    error::to_result,
    ffi::{
        c_ulong,
        c_void, //
    }, //
};
use kexec_core::handover::Purpose;

/// Whether the functions that the kernel does not export were found.
static FOUND: AtomicBool = AtomicBool::new(false);

/// Looks for the functions that the kernel does not export, as far as it was built with them.
pub(crate) fn find() -> Result {
    if cfg!(CONFIG_KEXEC_CORE) {
        let [permitted] = kprobe::addresses_of([c"kexec_load_permitted"])?;
        // SAFETY: The address is that of a function of this type.
        unsafe { bindings::rust_kexec_set_load_permitted(permitted as *mut c_void) };
    }
    if cfg!(CONFIG_CRASH_DUMP) {
        let [memory_size] = kprobe::addresses_of([c"crash_get_memory_size"])?;
        // SAFETY: As above.
        unsafe { bindings::rust_kexec_set_crash_memory_size(memory_size as *mut c_void) };
    }
    FOUND.store(true, Ordering::Release);
    Ok(())
}

/// Whether the caller may boot another kernel (CAP_SYS_BOOT). In a kernel without users, as some
/// embedded ones are, everybody may.
pub(crate) fn caller_may_boot() -> bool {
    #[cfg(CONFIG_MULTIUSER)]
    // SAFETY: Asks about the current process.
    return unsafe { bindings::capable(bindings::CAP_SYS_BOOT as c_int) };
    #[cfg(not(CONFIG_MULTIUSER))]
    true
}

/// Whether kernel.kexec_load_disabled and the limit for images of this purpose (kernel.kexec_load_limit_panic or
/// _reboot) allow the caller to load or unload one, as kexec_load_permitted() says. It counts for the limit.
/// None where that function was not found. A kernel without kexec has neither, and forbids nothing by them.
pub(crate) fn load_permitted(purpose: Purpose) -> Option<bool> {
    if !FOUND.load(Ordering::Acquire) {
        return None;
    }
    #[cfg(CONFIG_KEXEC_CORE)]
    {
        let image_type = match purpose {
            Purpose::Crash => bindings::KEXEC_TYPE_CRASH,
            Purpose::Reboot => bindings::KEXEC_TYPE_DEFAULT,
        };
        // SAFETY: Asks about the current process and two variables; it may sleep, as a system call may.
        Some(unsafe { bindings::rust_kexec_load_permitted(image_type as c_int) })
    }
    #[cfg(not(CONFIG_KEXEC_CORE))]
    {
        let _ = purpose;
        Some(true)
    }
}

/// Whether nobody loads or unloads an image, or changes the reserved region, at this moment: nobody
/// holds kexec's lock. Where the kernel has no region, nobody does.
pub(crate) fn is_idle() -> bool {
    if !cfg!(CONFIG_CRASH_DUMP) {
        return true;
    }
    // crash_get_memory_size() tells the size if it gets the lock, and gives that back.
    // SAFETY: Reads the region's size, or fails.
    let size = SIZE.ask(|| unsafe { bindings::rust_kexec_crash_memory_size() });
    size != EBUSY.to_errno() as isize
}

/// A question about the kernel's own kexec, to a function that else answers for ours as well.
pub(super) struct Question(AtomicBool);

/// [`is_idle`] asks for the kernel's own region, and its lock.
pub(super) static SIZE: Question = Question::new();

/// [`has_image`] asks for the kernel's own image.
pub(super) static IMAGE: Question = Question::new();

impl Question {
    const fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    fn ask<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Relaxed);
        let answer = ask();
        self.0.store(false, Ordering::Relaxed);
        answer
    }

    /// Whether it is asked now.
    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Has the kernel give back what of its crash region is over this number of bytes, as it does for
/// `kexec_crash_size`.
pub(crate) fn shrink(len: u64) -> Result {
    let [shrink] = kprobe::addresses_of([c"crash_shrink_memory"])?;
    // SAFETY: The address is that of a function of this type.
    unsafe { bindings::rust_kexec_set_shrink_crash_memory(shrink as *mut c_void) };
    // SAFETY: No image is in the region, or the kernel refuses. It may sleep, as a system call may.
    to_result(unsafe { bindings::rust_kexec_shrink_crash_memory(len as c_ulong) })
}

/// Whether it has a crash image of its own. One of ours does not count.
pub(crate) fn has_image() -> bool {
    #[cfg(CONFIG_CRASH_DUMP)]
    // SAFETY: Reads a pointer of the kernel's.
    return IMAGE.ask(|| unsafe { bindings::kexec_crash_loaded() != 0 });
    #[cfg(not(CONFIG_CRASH_DUMP))]
    false
}

/// Whether kernel.kexec_load_disabled is set.
pub(crate) fn load_is_disabled() -> bool {
    let mut text = [0; 8];
    let path = c"sys/kernel/kexec_load_disabled";
    Mount::proc().is_ok_and(|proc| {
        let text = proc.read(path, &mut text).unwrap_or_default();
        text.first() == Some(&b'1')
    })
}
