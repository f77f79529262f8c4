// SPDX-License-Identifier: GPL-2.0

//! The kernel's C functions and types, and this module's own C functions.
//!
//! What bindgen makes of `bindings.h` stands in front of the `kernel` crate's own bindings. A C
//! prototype that changes does not compile here.

#![allow(
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

pub(crate) use kernel::bindings::*;
use kernel::ffi;

include!("bindings_generated.rs");
