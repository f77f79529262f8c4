// SPDX-License-Identifier: GPL-2.0

//! `kernel::sync::global_lock!` for kernels that lack it: locks in statics. Mutexes only.

use core::{
    cell::UnsafeCell,
    ffi::CStr,
    ops::{
        Deref,
        DerefMut, //
    }, //
};
use kernel::{
    bindings,
    types::Opaque, //
};

/// Defines a static that holds a lock. `unsafe(uninit)` says that the user will call `init`
/// before anything else.
macro_rules! global_lock {
    {
        $(#[$meta:meta])* $pub:vis
        unsafe(uninit) static $name:ident: Mutex<$valuety:ty> = $value:expr;
    } => {
        $(#[$meta])*
        $pub static $name: $crate::compat::global_lock::GlobalLock<$valuety> = {
            let init: $valuety = $value;
            // SAFETY: The user of this macro promises to initialise the lock before use.
            unsafe {
                $crate::compat::global_lock::GlobalLock::new(
                    init,
                    match core::ffi::CStr::from_bytes_with_nul(
                        concat!(stringify!($name), "\0").as_bytes(),
                    ) {
                        Ok(name) => name,
                        Err(_) => c"",
                    },
                )
            }
        };
    };
}
pub(crate) use global_lock;

/// A mutex in a static, which is usable once [`GlobalLock::init`] ran.
pub(crate) struct GlobalLock<T: 'static> {
    mutex: Opaque<bindings::mutex>,
    /// The class by which lockdep knows the lock: each lock has one of its own.
    class: Opaque<bindings::lock_class_key>,
    name: &'static CStr,
    value: UnsafeCell<T>,
}

// SAFETY: The value is reached through the guard only, so by one task at a time.
unsafe impl<T: Send> Sync for GlobalLock<T> {}

impl<T> GlobalLock<T> {
    /// # Safety
    ///
    /// [`Self::init`] must run before the first [`Self::lock`].
    pub(crate) const unsafe fn new(value: T, name: &'static CStr) -> Self {
        Self {
            mutex: Opaque::uninit(),
            class: Opaque::uninit(),
            name,
            value: UnsafeCell::new(value),
        }
    }

    /// Makes the lock usable.
    ///
    /// # Safety
    ///
    /// Must be called once.
    pub(crate) unsafe fn init(&'static self) {
        // SAFETY: A static is pinned; whoever made the lock promised that nobody uses it yet.
        // The name and the lock class live as long as the module. The validator guards its classes
        // itself.
        unsafe {
            bindings::__mutex_init(
                self.mutex.get(),
                self.name.as_ptr().cast(),
                self.class.get(),
            )
        };
    }

    /// Waits for the lock.
    pub(crate) fn lock(&'static self) -> GlobalGuard<T> {
        // SAFETY: Initialised, as promised when it was made.
        unsafe { bindings::mutex_lock(self.mutex.get()) };
        GlobalGuard(self)
    }
}

/// Holds a [`GlobalLock`].
pub(crate) struct GlobalGuard<T: 'static>(&'static GlobalLock<T>);

impl<T> Deref for GlobalGuard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: The guard holds the lock.
        unsafe { &*self.0.value.get() }
    }
}

impl<T> DerefMut for GlobalGuard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: The guard holds the lock and is borrowed mutably.
        unsafe { &mut *self.0.value.get() }
    }
}

impl<T> Drop for GlobalGuard<T> {
    fn drop(&mut self) {
        // SAFETY: The guard holds the lock.
        unsafe { bindings::mutex_unlock(self.0.mutex.get()) };
    }
}
