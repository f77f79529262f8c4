// SPDX-License-Identifier: GPL-2.0

//! Why no memory is reserved.

use crate::types::{
    errno::Errno,
    ranges::Range,
    size::Size, //
};
use core::fmt;

/// Why a command line asks for no memory. Columns count the command line's bytes from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestError {
    /// There is no number where one has to be.
    NoNumber {
        /// The column.
        column: usize,
        /// What is there, if it is not the end.
        found: Option<u8>,
    },
    /// A number has more than 64 bits.
    TooLarge {
        /// The column.
        column: usize,
    },
    /// Something else is there than has to be.
    Expected {
        /// The column.
        column: usize,
        /// What has to be there.
        expected: char,
        /// What is there, if it is not the end.
        found: Option<u8>,
    },
    /// Something follows where the parameter has to end.
    Unexpected {
        /// The column.
        column: usize,
        /// What is there.
        found: u8,
    },
    /// A range ends where it starts, or before.
    EmptyRange {
        /// The column of the range.
        column: usize,
        /// Its first address.
        start: u64,
        /// Its end.
        end: u64,
    },
    /// No range is for a machine with this much memory.
    NoRange {
        /// The memory, rounded as the kernel does.
        ram: u64,
    },
    /// The size is 0.
    Nothing,
    /// The size is not less than the memory.
    MoreThanRam {
        /// The size.
        len: u64,
        /// The memory.
        ram: u64,
    },
    /// `,low` or `,cma` is there, but nothing that reserves the region.
    Alone {
        /// The column of its value.
        column: usize,
    },
    /// `,cma` is there, which this kernel does not know.
    CmaUnknown {
        /// The column of its value.
        column: usize,
    },
}

impl RequestError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::Inval
    }
}

/// A byte of a command line, or its end, for people.
struct Found(Option<u8>);

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("the end"),
            Some(byte) if byte.is_ascii_graphic() => write!(f, "'{}'", char::from(byte)),
            Some(byte) => write!(f, "the byte {byte:#04x}"),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoNumber { column, found } => write!(
                f,
                "crashkernel= has {} at column {column} of the command line, where a number of \
                 bytes has to be, such as 256M",
                Found(found)
            ),
            Self::TooLarge { column } => write!(
                f,
                "crashkernel= has a number at column {column} of the command line that is larger \
                 than any address"
            ),
            Self::Expected {
                column,
                expected,
                found,
            } => write!(
                f,
                "crashkernel= has {} at column {column} of the command line, where '{expected}' has \
                 to be: a size for a range of memory is written 1G-4G:256M",
                Found(found)
            ),
            Self::Unexpected { column, found } => write!(
                f,
                "crashkernel= goes on with {} at column {column} of the command line, where it has \
                 to end: it is SIZE, SIZE@ADDRESS, SIZE,high, SIZE,low, SIZE,cma or \
                 RANGE:SIZE[,RANGE:SIZE...], without quotes",
                Found(Some(found))
            ),
            Self::EmptyRange { column, start, end } => write!(
                f,
                "crashkernel= has a range at column {column} of the command line that goes from \
                 {start:#x} to {end:#x}: the end has to be the larger one"
            ),
            Self::NoRange { ram } => write!(
                f,
                "crashkernel= has no range for a machine with {}: add one, such as 1G-:256M",
                Size(ram)
            ),
            Self::Nothing => f.write_str("crashkernel= asks for 0 bytes on this machine"),
            Self::MoreThanRam { len, ram } => write!(
                f,
                "crashkernel= asks for {}, but the machine has {}: ask for less",
                Size(len),
                Size(ram)
            ),
            Self::Alone { column } => write!(
                f,
                "crashkernel= has only memory besides the region, at column {column} of the command \
                 line: add the region itself, such as crashkernel=256M, or crashkernel=256M,high \
                 for ,low"
            ),
            Self::CmaUnknown { column } => write!(
                f,
                "crashkernel= has ,cma at column {column} of the command line, which kernels know \
                 from 6.17 on; older ones take it for a size that they cannot read, and reserve \
                 nothing at all: leave it out"
            ),
        }
    }
}

/// Why there is no room for what a command line asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReservationError {
    /// The address that is asked for is not one that a region may have.
    Unaligned {
        /// The address.
        at: u64,
        /// What it has to be a multiple of.
        alignment: u64,
    },
    /// Some of the memory that is asked for is not free.
    InUse(Range),
    /// No piece of free memory is large enough.
    NoRoom {
        /// The size.
        len: u64,
        /// The largest size that there is room for.
        largest: u64,
    },
    /// Memory above is asked for, but to this kernel all memory is low.
    AllIsLow,
    /// There is room for the region above 4 GiB, but none for the second one below.
    NoRoomBelow {
        /// The size of the second one.
        len: u64,
        /// The largest size that there is room for below.
        largest: u64,
        /// The address that it has to be below.
        limit: u64,
    },
}

impl ReservationError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoMem
    }
}

impl fmt::Display for ReservationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Unaligned { at, alignment } => write!(
                f,
                "crashkernel= asks for memory at {at:#x}, but the address has to be a multiple of \
                 {alignment:#x}"
            ),
            Self::InUse(range) => write!(
                f,
                "crashkernel= asks for the memory at {range}, of which something is in use or is no \
                 RAM: leave the address out"
            ),
            Self::NoRoom { len, largest } => write!(
                f,
                "crashkernel= asks for {}, but the largest free piece of memory has room for {}: ask \
                 for less",
                Size(len),
                Size(largest)
            ),
            Self::AllIsLow => f.write_str(
                "crashkernel= has ,high, but this kernel was built without ZONE_DMA and ZONE_DMA32, \
                 and takes all memory for low: leave ,high and ,low out",
            ),
            Self::NoRoomBelow {
                len,
                largest,
                limit,
            } => write!(
                f,
                "with the region above 4 GiB, {} are needed below {limit:#x} as well, but the largest \
                 free piece there has room for {}: ask for a region that fits below, or for less \
                 with ,low",
                Size(len),
                Size(largest)
            ),
        }
    }
}
