// SPDX-License-Identifier: GPL-2.0

//! The structures and ioctl numbers of `/dev/rust_kexec`, shared by the module and `rkexec`.
//!
//! `rkexec` and a module of different versions understand each other by the kernel's rule for
//! structures that grow (`copy_struct_from_user()`). Each structure starts with its length in the
//! caller's version, and a later version only adds fields at its end. Fields that the caller's
//! structure lacks count as zero, so zero has to stand for the behaviour without the field. Bytes
//! that the callee does not know have to be zero; otherwise the callee refuses the request. An
//! answer is cut, or filled up with zeros, to the caller's length.

mod decompression;
mod hooked_by;
mod region_file;
mod request;
mod segment;
mod status;
mod structure;

pub use decompression::Decompression;
pub use hooked_by::HookedBy;
pub use region_file::RegionFile;
pub use request::{
    LoadRequest,
    Message,
    ReserveRequest,
    UnloadRequest,
    ANY_DIGEST,
    FOR_REBOOT,
    MESSAGE_MAX,
    NO_FD,
    WITH_DEVICE_TREE, //
};
pub use segment::{
    SegmentKind,
    SegmentRecord,
    SEGMENTS_MAX, //
};
pub use status::{
    ElfcorehdrRecord,
    Protection,
    RebootPlace,
    RegionHolder,
    RegionRecord,
    RegionSource,
    Replacement,
    SignatureState,
    Status,
    MORE_REGIONS_MAX,
    ROLE_CAPTURE,
    ROLE_PRODUCTION, //
};
pub use structure::{
    Structure,
    StructureError,
    STRUCTURE_LEN_MAX, //
};

/// Name of the misc device, below `/dev`.
pub const DEVICE_NAME: &str = "rust_kexec";

/// The ioctl type letter of all our requests (`include/uapi/asm-generic/ioctl.h`).
pub const IOCTL_TYPE: u8 = b'k';
/// The load request, on a [`LoadRequest`]: `_IO(IOCTL_TYPE, 1)`. The number of a request does not
/// contain the structure's length, because the length changes.
pub const IOCTL_LOAD: u8 = 1;
/// The unload request, on an [`UnloadRequest`]: `_IO(IOCTL_TYPE, 2)`.
pub const IOCTL_UNLOAD: u8 = 2;
/// The status request, on a [`Status`]: `_IO(IOCTL_TYPE, 3)`.
pub const IOCTL_STATUS: u8 = 3;
/// The request for memory for images, on a [`ReserveRequest`]: `_IO(IOCTL_TYPE, 4)`.
pub const IOCTL_RESERVE: u8 = 4;
