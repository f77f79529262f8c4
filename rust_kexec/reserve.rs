// SPDX-License-Identifier: GPL-2.0

//! First stage: the memory that is set aside for the capture kernel.
//!
//! - `named`: what the command line has kept free;
//! - `run_time`: what is taken from the running kernel, where nothing was reserved at boot;
//! - `reservation`: where it is;
//! - `claim`: how it is kept for images of ours, and each image's part of it;
//! - `for_reboot`: the memory of an image that a reboot enters;
//! - `scattered`: the same in pages from anywhere, where no piece is long enough.

mod claim;
mod for_reboot;
mod named;
mod reservation;
mod run_time;
mod scattered;

pub(crate) use claim::{
    refuse_kernels_image,
    Claim,
    Guard,
    Taken, //
};
pub(crate) use for_reboot::RebootMemory;
pub(crate) use named::NamedMemory;
pub(crate) use reservation::{
    Reservation,
    SetAside, //
};
pub(crate) use run_time::RunTimeMemory;
