// SPDX-License-Identifier: GPL-2.0

//! The kernel's C functions and types, and this module's own C functions.
//!
//! bindgen makes Rust of `bindings.h`, by the rule in Kbuild. Its names come before those of the `kernel`
//! crate's own bindings. A call that does not fit a C prototype does not compile.

use core::{
    cell::UnsafeCell,
    mem::MaybeUninit, //
};
pub(crate) use generated::*;

#[allow(
    clippy::all,
    clippy::ptr_as_ptr,
    clippy::ref_as_ptr,
    clippy::undocumented_unsafe_blocks,
    dead_code,
    improper_ctypes,
    non_camel_case_types,
    non_snake_case,
    non_upper_case_globals,
    unreachable_pub,
    unsafe_op_in_unsafe_fn,
    reason = "the kernel has the same list for what bindgen writes"
)]
mod generated {
    pub(crate) use kernel::bindings::*;
    use kernel::ffi;

    include!("bindings_generated.rs");

    /// An image of the kernel's own kexec. It is made of many types, so that only C looks into it.
    #[repr(C)]
    pub(crate) struct kimage([u8; 0]);
}

/// A C structure in a static. It begins as zeros, as a static of C's does.
pub(crate) struct KernelStatic<T>(UnsafeCell<MaybeUninit<T>>);

// SAFETY: The address is all that can be had without unsafe code.
unsafe impl<T> Sync for KernelStatic<T> {}

impl<T> KernelStatic<T> {
    /// A structure of zeros.
    pub(crate) const fn zeroed() -> Self {
        Self(UnsafeCell::new(MaybeUninit::zeroed()))
    }

    /// Its address. Code that uses it must know that nobody else uses the structure, or how.
    pub(crate) const fn get(&self) -> *mut T {
        self.0.get().cast()
    }
}
