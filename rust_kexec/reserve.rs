// SPDX-License-Identifier: GPL-2.0

//! First stage: the memory that is set aside for the capture kernel.
//!
//! - `crashkernel`: where it is;
//! - `claim`: how it is kept for an image of ours.

mod claim;
mod crashkernel;

pub(crate) use claim::{Claim, Guard};
pub(crate) use crashkernel::Reservation;
