// SPDX-License-Identifier: GPL-2.0

//! The kernel's parameter `crashkernel=`: what a command line asks for, and what a kernel makes of it.
//!
//! The source is the kernel's own parser and reservation, kernel/crash_reserve.c of 6.12 and 7.3:
//! parse_crashkernel() and reserve_crashkernel_generic(). Their peculiarities are part of what a machine
//! does, and so of this. Where they take what cannot have been meant, such as a number that overflows,
//! this refuses it.

mod error;
mod number;
mod places;
mod request;
mod reservation;
mod rules;

/// Most pieces of `,cma` memory that a kernel has (CRASHKERNEL_CMA_RANGES_MAX, kernel/crash_reserve.c of
/// 6.17 and newer).
pub const CMA_RANGES_MAX: usize = 4;

pub use error::{
    RequestError,
    ReservationError, //
};
pub use number::size;
pub use places::{
    places,
    PLACES_MAX, //
};
pub use request::{
    request,
    Request, //
};
pub use reservation::{
    reserve,
    Reserved, //
};
pub use rules::Rules;
