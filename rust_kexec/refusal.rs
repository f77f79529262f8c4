// SPDX-License-Identifier: GPL-2.0

//! The reasons why a request is refused: the errno, and the sentence that people read.
//!
//! An image, a signature or the place of a segment that is wrong is refused by kexec_core, beside the
//! code that finds it so. The other refusals are here:
//!
//! - `permission`: the caller may not ask for this;
//! - `request`: the request cannot be served;
//! - `region`: the reserved memory is not there, or not free;
//! - `file`: a file cannot be read or unpacked;
//! - `machine`: this kernel or machine lacks something.

mod errno;
mod file;
mod machine;
mod permission;
mod region;
mod request;
mod sentence;

use crate::compat::prelude::*;
use core::fmt;
pub(crate) use errno::errno;
pub(crate) use file::FileError;
use kernel::alloc::AllocError;
pub(crate) use machine::MachineError;
pub(crate) use permission::PermissionError;
pub(crate) use region::RegionError;
pub(crate) use request::RequestError;
pub(crate) use sentence::Sentence;

/// Why a request of user space is refused.
pub(crate) enum Refusal {
    /// The pure logic found something wrong with what it was given.
    Core(kexec_core::error::Error),
    /// The caller may not ask for this.
    Permission(PermissionError),
    /// The request cannot be served.
    Request(RequestError),
    /// There is no memory for an image.
    Region(RegionError),
    /// A file is of no use.
    File(FileError),
    /// The kernel, or the machine, is not fit.
    Machine(MachineError),
    /// The kernel has no memory for what a load has to keep.
    OutOfMemory,
}

impl Refusal {
    /// The errno that the ioctl returns.
    pub(crate) fn errno(&self) -> Error {
        match self {
            Self::Core(error) => errno(error.errno()),
            Self::Permission(error) => error.errno(),
            Self::Request(error) => error.errno(),
            Self::Region(error) => error.errno(),
            Self::File(error) => error.errno(),
            Self::Machine(error) => error.errno(),
            Self::OutOfMemory => ENOMEM,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::Permission(error) => error.fmt(f),
            Self::Request(error) => error.fmt(f),
            Self::Region(error) => error.fmt(f),
            Self::File(error) => error.fmt(f),
            Self::Machine(error) => error.fmt(f),
            Self::OutOfMemory => f.write_str(
                "the kernel has no memory left for what a load has to keep: free some and load \
                 again",
            ),
        }
    }
}

impl From<AllocError> for Refusal {
    fn from(_: AllocError) -> Self {
        Self::OutOfMemory
    }
}

/// Wraps the errors of the parts, so that `?` does it.
macro_rules! from_part {
    ($($part:ident($error:ty)),* $(,)?) => {
        $(
            impl From<$error> for Refusal {
                fn from(error: $error) -> Self {
                    Self::$part(error)
                }
            }
        )*
    };
}

from_part!(
    Core(kexec_core::error::Error),
    Permission(PermissionError),
    Request(RequestError),
    Region(RegionError),
    File(FileError),
    Machine(MachineError),
);

/// Wraps errors of kexec_core, so that `?` does it.
macro_rules! from_core {
    ($($error:ty),* $(,)?) => {
        $(
            impl From<$error> for Refusal {
                fn from(error: $error) -> Self {
                    Self::Core(error.into())
                }
            }
        )*
    };
}

from_core!(
    kexec_core::contiguous::Shortage,
    kexec_core::scattered::ScatteredError,
    kexec_core::handover::arm64::device_tree::DeviceTreeError,
    kexec_core::image::arm64::kernel::KernelError,
    kexec_core::image::arm64::verify::VerifyError,
    kexec_core::handover::arm64::page_tables::PageTableError,
    kexec_core::signature::authenticode::AuthenticodeError,
    kexec_core::handover::command_line::CommandLineError,
    kexec_core::image::compressed::CompressedError,
    kexec_core::image::unpack::UnpackError,
    kexec_core::dump::elfcorehdr::ElfcorehdrError,
    kexec_core::signature::pe::PeError,
    kexec_core::dump::note::NoteError,
    kexec_core::plan::PlanError,
    kexec_core::types::ranges::CapacityError,
    kexec_core::signature::SignatureError,
    kexec_core::uapi::StructureError,
    kexec_core::dump::vmcoreinfo::VmcoreinfoError,
    kexec_core::handover::x86_64::boot_params::BootParamsError,
    kexec_core::image::x86_64::kernel::KernelError,
    kexec_core::image::x86_64::verify::VerifyError,
    kexec_core::handover::x86_64::page_tables::PageTableError,
);
