// SPDX-License-Identifier: GPL-2.0

//! First stage: the memory that is set aside for the capture kernel.
//!
//! - `crashkernel`: where it is;
//! - `claim`: how it is kept for images of ours, and each image's part of it.

mod claim;
mod crashkernel;

pub(crate) use claim::{
    refuse_kernels_image,
    Claim,
    Guard,
    Taken, //
};
pub(crate) use crashkernel::Reservation;
