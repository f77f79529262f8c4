// SPDX-License-Identifier: GPL-2.0

//! Why a request is refused: the errno, and the sentence that people read.

use crate::compat::prelude::*;
use core::fmt;
use kernel::alloc::AllocError;
use kernel::error::Error;
use kexec_core::types::errno::Errno;
use kexec_core::types::ranges::Range;
use kexec_core::types::size::Size;
use kexec_core::uapi::MESSAGE_MAX;

/// Why a request of user space is refused.
pub(crate) enum Refusal {
    /// The pure logic found something wrong with what it was given.
    Core(kexec_core::error::Error),
    /// The caller lacks CAP_SYS_BOOT.
    NotPermitted,
    /// No memory is reserved for a capture kernel.
    NoReservation,
    /// The kernel's own kexec has a crash image loaded.
    KernelImageLoaded,
    /// The kernel's own kexec is at work.
    KexecBusy,
    /// kernel.kexec_load_disabled is set.
    LoadDisabled,
    /// kernel.kexec_load_limit_panic is used up.
    LoadLimit,
    /// The module is being removed.
    ModuleGoing,
    /// Nothing is loaded that could be unloaded.
    NothingLoaded,
    /// The request has flags that we do not know.
    UnknownFlags(u32),
    /// The request asks for digests that we cannot compute.
    UnknownDigest(u32),
    /// The command line is longer than any image could take.
    CommandLineLength { found: u64, limit: u64 },
    /// User-space memory that the request names cannot be accessed.
    BadAddress,
    /// A file could not be read.
    Unreadable { what: &'static str, error: Error },
    /// A segment is too large for one digest.
    TooLarge { what: &'static str, len: u64 },
    /// A compressed kernel is longer than any that has a place.
    DecompressedLength { limit: usize },
    /// The running kernel cannot decompress this.
    NoDecompressor { by: &'static str },
    /// The kernel has no memory for what a load has to keep.
    OutOfMemory,
    /// Something that the kernel tells about itself is missing.
    Missing {
        what: &'static str,
        remedy: &'static str,
    },
    /// A CPU's crash notes are said to be where the kernel has no RAM.
    NotesOutsideRam { cpu: usize, memory: Range },
    /// The crash path could not be hooked.
    Hook { what: &'static str, error: Error },
    /// Memory is encrypted, and the handover is written for plain memory.
    MemoryEncrypted,
    /// The hypervisor has to be told of a crash by what only the kernel has.
    #[cfg_attr(CONFIG_ARM64, expect(dead_code, reason = "there none has to be told"))]
    Hypervisor(&'static str),
}

impl Refusal {
    /// The errno that the ioctl returns.
    pub(crate) fn errno(&self) -> Error {
        match self {
            Self::Core(error) => errno(error.errno()),
            Self::NotPermitted => EPERM,
            Self::NoReservation => errno(Errno::AddrNotAvail),
            Self::KernelImageLoaded | Self::KexecBusy => EBUSY,
            Self::LoadDisabled | Self::LoadLimit => EPERM,
            Self::ModuleGoing => ENODEV,
            Self::NothingLoaded => ENOENT,
            Self::UnknownFlags(_) | Self::UnknownDigest(_) => EINVAL,
            Self::CommandLineLength { .. } => EINVAL,
            Self::BadAddress => EFAULT,
            Self::Unreadable { error, .. } | Self::Hook { error, .. } => *error,
            Self::TooLarge { .. } => EFBIG,
            Self::OutOfMemory => ENOMEM,
            Self::DecompressedLength { .. } => errno(Errno::AddrNotAvail),
            Self::NoDecompressor { .. } => errno(Errno::NoPkg),
            Self::Missing { .. } | Self::NotesOutsideRam { .. } => ENODEV,
            Self::MemoryEncrypted | Self::Hypervisor(_) => ENODEV,
        }
    }
}

fn errno(errno: Errno) -> Error {
    Error::from_errno(-errno.number())
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Core(error) => error.fmt(f),
            Self::NotPermitted => f.write_str(
                "the caller lacks CAP_SYS_BOOT, which loading and unloading a capture kernel \
                 requires: run it as root",
            ),
            Self::NoReservation => f.write_str(
                "no memory is reserved for a capture kernel: boot this kernel with \
                 crashkernel=256M, and look for \"Crash kernel\" in /proc/iomem",
            ),
            Self::KernelImageLoaded => f.write_str(
                "the kernel's own kexec has a crash image loaded, and there is one region for \
                 both: unload that one first with kexec -p -u",
            ),
            Self::KexecBusy => f.write_str(
                "the kernel's own kexec is loading or unloading an image, or somebody died while it \
                 did: load again when it has finished, and reboot if it never does",
            ),
            Self::LoadDisabled => f.write_str(
                "kernel.kexec_load_disabled is 1, which forbids to load and to unload until the next \
                 boot: load before it is set",
            ),
            Self::LoadLimit => f.write_str(
                "kernel.kexec_load_limit_panic is 0: no more capture kernels may be loaded or \
                 unloaded until the next boot",
            ),
            Self::ModuleGoing => f.write_str(
                "the module is being removed: insert it again, and load then",
            ),
            Self::NothingLoaded => {
                f.write_str("there is no capture kernel loaded that could be unloaded")
            }
            Self::UnknownFlags(flags) => write!(
                f,
                "the request has flags {flags:#x}, of which this module knows none: use rkexec \
                 and rust_kexec.ko of the same version",
            ),
            Self::UnknownDigest(number) => write!(
                f,
                "the request asks for digest {number}, which this module does not know: use \
                 rkexec and rust_kexec.ko of the same version",
            ),
            Self::CommandLineLength { found, limit } => write!(
                f,
                "the command line is {found} bytes long and no kernel takes more than {limit}: \
                 shorten it",
            ),
            Self::BadAddress => {
                f.write_str("the request names memory that the caller cannot access")
            }
            Self::Unreadable { what, error } => write!(
                f,
                "the {what} could not be read (error {}): give a readable regular file that is not \
                 empty",
                -error.to_errno(),
            ),
            Self::TooLarge { what, len } => write!(
                f,
                "the {what} is {} long and a segment may have 4 GiB at most: use a smaller one",
                Size(*len),
            ),
            Self::DecompressedLength { limit } => write!(
                f,
                "the compressed kernel becomes longer than {}, which is the length of the \
                 reserved region: boot with a larger crashkernel=",
                Size(*limit as u64),
            ),
            Self::NoDecompressor { by } => write!(
                f,
                "the running kernel was built without code to decompress {by}: decompress the \
                 kernel before it is loaded",
            ),
            Self::OutOfMemory => f.write_str(
                "the kernel has no memory left for what a load has to keep: free some and load \
                 again",
            ),
            Self::Missing { what, remedy } => write!(f, "{what} could not be read: {remedy}"),
            Self::NotesOutsideRam { cpu, memory } => write!(
                f,
                "the kernel says that the crash notes of CPU {cpu} are at {memory}, where it has \
                 no RAM, so that the CPU's registers have no place: report this with /proc/iomem",
            ),
            Self::Hook { what, error } => write!(
                f,
                "{what} could not be hooked (error {}), and without that a crash could go \
                 unnoticed: set kernel.ftrace_enabled to 1, and see docs/kernels.md for the \
                 options that the kernel needs",
                -error.to_errno(),
            ),
            Self::MemoryEncrypted => f.write_str(
                "this machine encrypts its memory (SME, SEV, TDX or a realm of Arm CCA), and \
                 handing encrypted memory to a capture kernel is not there yet: boot with \
                 mem_encrypt=off, or in an ordinary machine",
            ),
            Self::Hypervisor(name) => write!(
                f,
                "this machine is a guest of {name}, which has to be told of a crash by means that \
                 only the kernel itself has: load the capture kernel with the kernel's own kexec",
            ),
        }
    }
}

impl From<kexec_core::error::Error> for Refusal {
    fn from(error: kexec_core::error::Error) -> Self {
        Self::Core(error)
    }
}

impl From<AllocError> for Refusal {
    fn from(_: AllocError) -> Self {
        Self::OutOfMemory
    }
}

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

/// A refusal's sentence, cut at [`MESSAGE_MAX`] bytes.
pub(crate) struct Sentence {
    bytes: [u8; MESSAGE_MAX],
    used: usize,
}

impl Sentence {
    /// Writes the sentence out.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        let mut sentence = Self {
            bytes: [0; MESSAGE_MAX],
            used: 0,
        };
        // A sentence that is too long is cut; that is the only error there is.
        let _ = fmt::write(&mut sentence, format_args!("{refusal}"));
        sentence
    }

    /// The sentence as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    /// The sentence as text; a character that the end cut in two is left out.
    pub(crate) fn as_str(&self) -> &str {
        match core::str::from_utf8(self.as_bytes()) {
            Ok(text) => text,
            Err(error) => {
                let valid = self.as_bytes().get(..error.valid_up_to());
                core::str::from_utf8(valid.unwrap_or_default()).unwrap_or_default()
            }
        }
    }
}

impl fmt::Write for Sentence {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.used..).unwrap_or_default();
        let copied = room
            .iter_mut()
            .zip(text.as_bytes())
            .map(|(to, from)| *to = *from);
        let copied = copied.count();
        self.used += copied;
        if copied == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}
