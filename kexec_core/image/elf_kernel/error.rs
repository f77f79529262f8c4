// SPDX-License-Identifier: GPL-2.0

//! The errors of reading an ELF kernel.

use core::fmt;

use crate::types::{
    elf::{
        Architecture,
        HEADER_LEN,
        PROGRAM_HEADER_LEN, //
    },
    errno::Errno,
    size::Size, //
};

/// Most program headers of a kernel; those that compilers make have about twenty.
pub const PROGRAM_HEADERS_MAX: usize = 128;

/// Why a file is not an ELF kernel that can be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElfKernelError {
    /// The file ends before the header does.
    TooShort {
        /// Length of the file.
        len: usize,
    },
    /// The magic number is missing.
    Magic {
        /// The bytes found.
        found: [u8; 4],
    },
    /// The file is not a 64-bit one.
    Class {
        /// `EI_CLASS`.
        found: u8,
    },
    /// The file is not little-endian.
    Data {
        /// `EI_DATA`.
        found: u8,
    },
    /// The file has another version of the format.
    Version {
        /// `EI_VERSION`.
        found: u8,
    },
    /// The kernel is for another architecture.
    Architecture {
        /// `e_machine`.
        found: u16,
        /// The architecture that it should be for.
        expected: Architecture,
    },
    /// The file is not a program.
    Type {
        /// `e_type`.
        found: u16,
    },
    /// The program headers have an unknown length.
    ProgramHeaderLen {
        /// `e_phentsize`.
        found: u16,
    },
    /// There are too many program headers.
    TooMany {
        /// `e_phnum`.
        count: usize,
    },
    /// The program headers leave the file.
    ProgramHeaders {
        /// `e_phoff`.
        offset: u64,
        /// `e_phnum`.
        count: usize,
        /// Length of the file.
        len: usize,
    },
    /// A segment leaves the address space.
    AddressSpace {
        /// The segment's physical or virtual address.
        address: u64,
        /// The segment's length in memory.
        memory_len: u64,
    },
    /// A segment has more contents than memory.
    FileLen {
        /// The segment's physical address.
        address: u64,
        /// Length of the contents.
        file_len: u64,
        /// Length of the memory.
        memory_len: u64,
    },
    /// The file ends before a segment's contents do.
    Truncated {
        /// The segment's physical address.
        address: u64,
        /// Offset of its contents in the file.
        offset: u64,
        /// Length of the contents.
        file_len: u64,
        /// Length of the file.
        len: usize,
    },
    /// A segment's alignment is not a power of two.
    Alignment {
        /// The segment's physical address.
        address: u64,
        /// `p_align`.
        alignment: u64,
    },
    /// A segment's place in the file does not go with its address.
    Incongruent {
        /// `p_offset`.
        offset: u64,
        /// `p_vaddr`.
        virtual_address: u64,
        /// `p_align`.
        alignment: u64,
    },
    /// A segment starts before the one before it ends.
    Order {
        /// The segment's physical address.
        address: u64,
        /// The end of the segment before it.
        end: u64,
    },
    /// There is no segment to be loaded.
    NoSegment,
    /// The entry point is not in the contents of a segment.
    Entry {
        /// `e_entry`.
        entry: u64,
    },
}

impl ElfKernelError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoExec
    }
}

impl fmt::Display for ElfKernelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the kernel is not an ELF file: the file has {len} bytes, but the header alone has \
                 {HEADER_LEN}"
            ),
            Self::Magic {
                found: [a, b, c, d],
            } => write!(
                f,
                "the kernel is not an ELF file: it starts with {a:#04x} {b:#04x} {c:#04x} \
                 {d:#04x}, not with 0x7f and \"ELF\""
            ),
            Self::Class { found } => write!(
                f,
                "the kernel is an ELF file of class {found}, but 2 (64-bit) is needed: use one \
                 built for a 64-bit processor"
            ),
            Self::Data { found } => write!(
                f,
                "the kernel is an ELF file with data encoding {found}, but 1 (little-endian) is \
                 needed: use one built without CONFIG_CPU_BIG_ENDIAN"
            ),
            Self::Version { found } => write!(
                f,
                "the kernel is an ELF file of version {found}, but only 1 exists: the image is \
                 damaged"
            ),
            Self::Architecture { found, expected } => {
                write!(
                    f,
                    "the kernel is an ELF file for processor {found} (e_machine"
                )?;
                if let Some(architecture) = Architecture::from_e_machine(found) {
                    write!(f, ", {}", architecture.name())?;
                }
                write!(
                    f,
                    "), but {} ({}) is needed: use one built for this machine",
                    expected.e_machine(),
                    expected.name()
                )
            }
            Self::Type { found } => {
                write!(f, "the kernel is an ELF file of type {found}")?;
                match found {
                    1 => f.write_str(" (an object file or module)")?,
                    4 => f.write_str(" (a core file or dump)")?,
                    _ => {}
                }
                f.write_str(", but 2 or 3 (a program) is needed: give the vmlinux")
            }
            Self::ProgramHeaderLen { found } => write!(
                f,
                "the kernel's program headers have {found} bytes each, but {PROGRAM_HEADER_LEN} is \
                 what they have: the image is damaged"
            ),
            Self::TooMany { count } => write!(
                f,
                "the kernel has {count} program headers, but {PROGRAM_HEADERS_MAX} at most are \
                 taken: give the vmlinux as the kernel's build made it"
            ),
            Self::ProgramHeaders { offset, count, len } => write!(
                f,
                "the kernel is truncated: the file has {len:#x} bytes, but {count} program headers \
                 at {offset:#x}"
            ),
            Self::AddressSpace {
                address,
                memory_len,
            } => write!(
                f,
                "the kernel's segment at {address:#x} with {} leaves the address space: the image \
                 is damaged",
                Size(memory_len)
            ),
            Self::FileLen {
                address,
                file_len,
                memory_len,
            } => write!(
                f,
                "the kernel's segment at {address:#x} has {}, but {} of memory: the image is \
                 damaged",
                Size(file_len),
                Size(memory_len)
            ),
            Self::Truncated {
                address,
                offset,
                file_len,
                len,
            } => write!(
                f,
                "the kernel is truncated: the file has {len:#x} bytes, but its segment at \
                 {address:#x} has {file_len:#x} bytes at {offset:#x}"
            ),
            Self::Alignment { address, alignment } => write!(
                f,
                "the kernel's segment at {address:#x} has an alignment of {alignment:#x}, which is \
                 not a power of two: the image is damaged"
            ),
            Self::Incongruent {
                offset,
                virtual_address,
                alignment,
            } => write!(
                f,
                "the kernel's segment at {virtual_address:#x} is at {offset:#x} in the file, but \
                 the two have to differ by a multiple of the alignment {alignment:#x}: the image \
                 is damaged"
            ),
            Self::Order { address, end } => write!(
                f,
                "the kernel's segment at {address:#x} starts before the one before it ends, at \
                 {end:#x}: give the vmlinux as the kernel's build made it"
            ),
            Self::NoSegment => write!(
                f,
                "the kernel has no segment to be loaded: give the vmlinux as the kernel's build \
                 made it"
            ),
            Self::Entry { entry } => write!(
                f,
                "the kernel's entry point {entry:#x} is not among the contents of a segment, \
                 neither as a physical nor as a virtual address: give the vmlinux as the kernel's \
                 build made it"
            ),
        }
    }
}
