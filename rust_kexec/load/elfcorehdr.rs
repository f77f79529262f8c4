// SPDX-License-Identifier: GPL-2.0

//! The elfcorehdr of the loaded image, by which the capture kernel finds the memory and the
//! notes of the crashed one.
//!
//! - `contents`: which memory and which notes it names;
//! - `kernel_text`: where the running kernel's own text is;
//! - `hotplug`: how it follows memory and CPUs that come and go.

pub(super) mod contents;
pub(super) mod hotplug;
mod kernel_text;
