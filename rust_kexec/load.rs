// SPDX-License-Identifier: GPL-2.0

//! Second stage: files become an image in the reserved memory.
//!
//! - `files`: what is read, and in which order it is judged and unpacked;
//! - `policy`, `signature`: which kernels may be loaded;
//! - `unpack`: kernels within kernels;
//! - `prepare`: all of a load that can fail, and the copying, which cannot;
//! - `handover`: the segments that carry a capture kernel besides itself;
//! - `elfcorehdr`: the segment by which it finds the memory of this one;
//! - `segments`, `digests`, `write_protection`: how the segments are copied and guarded;
//! - `image`: what comes out.

mod digests;
mod elfcorehdr;
mod files;
mod handover;
mod image;
mod policy;
mod prepare;
mod segments;
mod signature;
mod unpack;
mod write_protection;

pub(crate) use digests::requested as requested_digest;
pub(crate) use elfcorehdr::hotplug::{records as elfcorehdr_records, Notices};
pub(crate) use files::{Descriptors, Files, UnpackedFiles};
pub(crate) use image::CrashImage;
pub(crate) use policy::seal as seal_policy;
pub(crate) use prepare::prepare;
