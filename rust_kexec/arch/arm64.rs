// SPDX-License-Identifier: GPL-2.0

//! arm64.

pub(crate) mod handover;
pub(crate) mod hook;
pub(crate) mod image;
pub(crate) mod memory;
pub(crate) mod quiesce;
pub(crate) mod registers;
pub(crate) mod stop;
