// SPDX-License-Identifier: GPL-2.0

//! Everything that differs between the kernel versions that this module builds for.
//!
//! The rest of the module is written for the newest `kernel` crate. What an older one lacks gets
//! the same name and shape here.

/// What every file of the module uses in place of the kernel's own prelude.
pub(crate) mod prelude {
    pub(crate) use core::mem::size_of;
    pub(crate) use kernel::prelude::*;
}

pub(crate) use global_lock::GlobalMutex;

/// A mutex in a static, as `kernel::sync::global_lock!` makes it in newer kernels.
mod global_lock {
    use core::cell::UnsafeCell;
    use core::ops::{Deref, DerefMut};
    use kernel::bindings;
    use kernel::types::Opaque;

    /// A mutex in a static, which is usable once [`GlobalMutex::init`] ran.
    pub(crate) struct GlobalMutex<T: 'static> {
        mutex: Opaque<bindings::mutex>,
        value: UnsafeCell<T>,
    }

    // SAFETY: The value is reached through the guard only, so by one task at a time.
    unsafe impl<T: Send> Sync for GlobalMutex<T> {}

    struct LockClass(Opaque<bindings::lock_class_key>);

    // SAFETY: The lock validator guards its keys itself.
    unsafe impl Sync for LockClass {}

    static LOCK_CLASS: LockClass = LockClass(Opaque::uninit());

    impl<T> GlobalMutex<T> {
        /// # Safety
        ///
        /// [`Self::init`] must run before the first [`Self::lock`].
        pub(crate) const unsafe fn uninit(value: T) -> Self {
            Self {
                mutex: Opaque::uninit(),
                value: UnsafeCell::new(value),
            }
        }

        /// Makes the mutex usable.
        ///
        /// # Safety
        ///
        /// Must be called once, before anybody can lock it.
        pub(crate) unsafe fn init(&'static self) {
            // SAFETY: A static is pinned; the caller vouches that nobody uses the mutex yet. The
            // name and the lock class live as long as the module.
            unsafe {
                bindings::__mutex_init(
                    self.mutex.get(),
                    c"rust_kexec".as_ptr().cast(),
                    LOCK_CLASS.0.get(),
                )
            };
        }

        /// Waits for the mutex.
        pub(crate) fn lock(&'static self) -> GlobalGuard<T> {
            // SAFETY: Initialised, as promised when it was made.
            unsafe { bindings::mutex_lock(self.mutex.get()) };
            GlobalGuard(self)
        }
    }

    /// Holds a [`GlobalMutex`].
    pub(crate) struct GlobalGuard<T: 'static>(&'static GlobalMutex<T>);

    impl<T> Deref for GlobalGuard<T> {
        type Target = T;

        fn deref(&self) -> &T {
            // SAFETY: The guard holds the mutex.
            unsafe { &*self.0.value.get() }
        }
    }

    impl<T> DerefMut for GlobalGuard<T> {
        fn deref_mut(&mut self) -> &mut T {
            // SAFETY: The guard holds the mutex and is borrowed mutably.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for GlobalGuard<T> {
        fn drop(&mut self) {
            // SAFETY: The guard holds the mutex.
            unsafe { bindings::mutex_unlock(self.0.mutex.get()) };
        }
    }
}
