// SPDX-License-Identifier: GPL-2.0

//! The kernel's C functions and types, and this module's own C functions.
//!
//! What bindgen makes of `bindings.h` stands in front of the `kernel` crate's own bindings. A C
//! prototype that changes does not compile here.

#![allow(
    improper_ctypes,
    non_camel_case_types,
    unreachable_pub,
    reason = "bindgen keeps C's names, makes everything public, and takes empty structures for bytes"
)]

pub(crate) use kernel::bindings::*;
use kernel::ffi;

include!("bindings_generated.rs");
