// SPDX-License-Identifier: GPL-2.0

//! Second stage: files become an image in memory of its own.
//!
//! - `files`: what is read, and in which order it is judged and unpacked;
//! - `policy`, `signature`: which kernels may be loaded;
//! - `unpack`: kernels within kernels;
//! - `prepare`: all of a load for a crash but the arming;
//! - `for_reboot`: the same for a reboot;
//! - `placing`: the image's plan, beside the one that it replaces if there is room;
//! - `handover`: the segments that carry a capture kernel besides itself;
//! - `elfcorehdr`: the segment by which it finds the memory of this one;
//! - `segments`, `digests`, `write_protection`: how the segments are copied and guarded;
//! - `image`: what comes out.

mod digests;
mod elfcorehdr;
mod files;
mod for_reboot;
mod handover;
mod image;
mod placing;
mod policy;
mod prepare;
mod segments;
mod signature;
mod unpack;
mod write_protection;

pub(crate) use digests::requested as requested_digest;
pub(crate) use elfcorehdr::hotplug::Notices;
pub(crate) use files::{
    Descriptors,
    Files,
    UnpackedFiles, //
};
pub(crate) use for_reboot::RebootImage;
pub(crate) use image::{
    CrashImage,
    Loaded, //
};
pub(crate) use policy::seal as seal_policy;
pub(crate) use prepare::{
    prepare,
    Prepared, //
};
