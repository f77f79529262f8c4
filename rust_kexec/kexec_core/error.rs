// SPDX-License-Identifier: GPL-2.0

//! The errors of all modules in one, and the errno that each of them is.

use core::fmt;

use crate::arm64;
use crate::authenticode::AuthenticodeError;
use crate::command_line::CommandLineError;
use crate::compressed::CompressedError;
use crate::elf_kernel::ElfKernelError;
use crate::elfcorehdr::CoreHeaderError;
use crate::format::FormatError;
use crate::note::NoteError;
use crate::pe::PeError;
use crate::plan::PlanError;
use crate::ranges::CapacityError;
use crate::signature::{PolicyError, SignatureError};
use crate::uapi::StructureError;
use crate::uki::UkiError;
use crate::unpack::NestedError;
use crate::vmcore::excluded::ExcludedError;
use crate::vmcore::VmcoreError;
use crate::vmcoreinfo::VmcoreinfoError;
use crate::x86::boot_params::BootParamsError;
use crate::x86::bzimage::{BzImageError, VerifyError};
use crate::x86::page_tables::PageTableError;
use crate::zboot::ZbootError;

/// The error numbers that requests are refused with, as Linux numbers them on every architecture
/// that we support.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// The caller lacks a capability.
    Perm = 1,
    /// A structure of the interface has more in it than is known.
    TooBig = 7,
    /// The file is not an image that can be executed here.
    NoExec = 8,
    /// There is not enough memory.
    NoMem = 12,
    /// Something else uses what the request needs.
    Busy = 16,
    /// An argument is wrong.
    Inval = 22,
    /// A signature that is needed is not there.
    NoData = 61,
    /// An algorithm that is needed is not there.
    NoPkg = 65,
    /// A message does not say what it should.
    BadMsg = 74,
    /// The file is damaged.
    LibBad = 80,
    /// A message is too long.
    MsgSize = 90,
    /// The reserved region has no room, or there is none.
    AddrNotAvail = 99,
    /// The signer's key is not trusted.
    NoKey = 126,
    /// A signature is not one of this file.
    KeyRejected = 129,
}

impl Errno {
    /// The positive number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The name that manual pages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Perm => "EPERM",
            Self::TooBig => "E2BIG",
            Self::NoExec => "ENOEXEC",
            Self::NoMem => "ENOMEM",
            Self::Busy => "EBUSY",
            Self::Inval => "EINVAL",
            Self::NoData => "ENODATA",
            Self::NoPkg => "ENOPKG",
            Self::BadMsg => "EBADMSG",
            Self::LibBad => "ELIBBAD",
            Self::MsgSize => "EMSGSIZE",
            Self::AddrNotAvail => "EADDRNOTAVAIL",
            Self::NoKey => "ENOKEY",
            Self::KeyRejected => "EKEYREJECTED",
        }
    }
}

/// The errors of the crate's modules together. Each speaks for itself.
macro_rules! any_error {
    ($($(#[$doc:meta])* $variant:ident($error:ty)),* $(,)?) => {
        /// Any error of this crate.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Error {
            $($(#[$doc])* $variant($error),)*
        }

        impl Error {
            /// The errno that this is reported as.
            pub fn errno(&self) -> Errno {
                match self {
                    $(Self::$variant(error) => error.errno(),)*
                }
            }
        }

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant(error) => error.fmt(f),)*
                }
            }
        }

        $(
            impl From<$error> for Error {
                fn from(error: $error) -> Self {
                    Self::$variant(error)
                }
            }
        )*
    };
}

any_error! {
    /// A fixed-size list of ranges is full.
    Capacity(CapacityError),
    /// The file has no format that can be loaded.
    Format(FormatError),
    /// The ELF kernel is malformed.
    ElfKernel(ElfKernelError),
    /// The arm64 vmlinux is malformed.
    Arm64Vmlinux(arm64::vmlinux::VmlinuxError),
    /// The EFI zboot image is malformed.
    Zboot(ZbootError),
    /// The compressed kernel is malformed.
    Compressed(CompressedError),
    /// The unified kernel image is malformed.
    Uki(UkiError),
    /// The kernel is packed too often.
    Nested(NestedError),
    /// The kernel image is malformed.
    BzImage(BzImageError),
    /// The kernel image does not suit this machine.
    Verify(VerifyError),
    /// The boot parameters cannot be built.
    BootParams(BootParamsError),
    /// The page tables for the handover cannot be built.
    PageTable(PageTableError),
    /// The arm64 kernel image is malformed.
    Arm64Image(arm64::image::ImageError),
    /// The arm64 kernel image does not suit this machine.
    Arm64Verify(arm64::image::VerifyError),
    /// The device tree is malformed.
    Fdt(arm64::fdt::FdtError),
    /// The capture kernel's device tree cannot be made.
    DeviceTree(arm64::device_tree::DeviceTreeError),
    /// The page tables for the handover cannot be built on arm64.
    Arm64PageTable(arm64::page_tables::PageTableError),
    /// The file is not a PE file that could be signed.
    Pe(PeError),
    /// The signature does not vouch for the file.
    Authenticode(AuthenticodeError),
    /// The policy for signatures cannot be changed so.
    Policy(PolicyError),
    /// A signature is missing, or does not vouch for its file.
    Signature(SignatureError),
    /// A request's structure is of a version that is not understood.
    Structure(StructureError),
    /// A segment cannot be placed.
    Plan(PlanError),
    /// The command line cannot be used.
    CommandLine(CommandLineError),
    /// An ELF note is malformed.
    Note(NoteError),
    /// VMCOREINFO is malformed.
    Vmcoreinfo(VmcoreinfoError),
    /// The ELF core header is malformed.
    CoreHeader(CoreHeaderError),
    /// The dump file cannot be laid out.
    Vmcore(VmcoreError),
    /// The list of excluded memory is malformed.
    Excluded(ExcludedError),
}

/// A number of bytes, written for people: `0x3d00000 bytes (61 MiB)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];

        write!(f, "{:#x} bytes", self.0)?;
        for (shift, unit) in UNITS {
            let whole = self.0 >> shift;
            if whole > 0 {
                let rest = self.0 & ((1 << shift) - 1);
                // `rest` has at most 30 bits, so ten times that cannot overflow.
                let tenths = (rest * 10) >> shift;
                return match tenths {
                    0 => write!(f, " ({whole} {unit})"),
                    _ => write!(f, " ({whole}.{tenths} {unit})"),
                };
            }
        }
        Ok(())
    }
}
