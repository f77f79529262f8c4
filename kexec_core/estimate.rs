// SPDX-License-Identifier: GPL-2.0

//! How much memory a capture kernel needs, from parts that are known before it boots.
//!
//! There are two moments at which most is needed: while the kernel unpacks its initrd, when the archive
//! and the files are there both, and while the dump is saved, when programs run. Each part says what it
//! takes at either, and the moment that takes more decides.

mod boot_options;
mod costs;
mod parts;

pub use boot_options::{
    BootOptions,
    RootLimit, //
};
pub use parts::{
    estimate,
    Capture,
    Estimate,
    Initrd,
    Part,
    PartKind,
    TooSmall, //
};
