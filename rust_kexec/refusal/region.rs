// SPDX-License-Identifier: GPL-2.0

//! Refusals for want of the reserved memory. An image that has no room in it is refused by
//! `kexec_core::plan`.

use super::errno::errno;
use crate::compat::prelude::*;
use core::fmt;
use kexec_core::types::{
    errno::Errno,
    ranges::Range,
    size::Size, //
};

/// Why there is no memory for an image.
pub(crate) enum RegionError {
    /// No memory is reserved for a capture kernel.
    NoReservation,
    /// The kernel has reserved less than is wanted at boot, or all of it is to go.
    Reserved { len: u64 },
    /// An image is armed in the memory that was to change, and has so much of it.
    Armed { used: u64 },
    /// The kernel did not give back a part of what it has reserved.
    NotShrunk(Error),
    /// The running kernel cannot move what is in the way.
    CannotBeTaken,
    /// The running kernel has not so much memory to spare.
    NotAvailable { wanted: u64, available: u64 },
    /// Named memory does not consist of whole pages.
    NotPages { range: Range, page_len: u64 },
    /// There are more pieces of named memory than a capture kernel can be told of.
    TooMany { found: usize, most: usize },
    /// There is no place for an image that a reboot enters, even if it is copied there.
    NoPlaceForReboot { wanted: u64, largest: u64 },
    /// The running kernel has too little memory for an image that a reboot enters, wherever it is.
    TooLittleForReboot { wanted: u64, available: u64 },
    /// Firmware does not call all of it RAM.
    NotRam { range: Range, missing: Range },
    /// The running kernel uses some of it as RAM.
    InUse { range: Range, used: Range },
    #[cfg_attr(not(CONFIG_ARM64), allow(dead_code))]
    /// Firmware has reserved some of it for something else.
    ForFirmware { range: Range, reserved: Range },
    /// Somebody else has some of it.
    Held(Range),
    /// None of it is where devices of the capture kernel reach it.
    OutOfReach(Range),
    /// It cannot be mapped.
    CannotMap(Range),
    /// Memory is named by region=, which `rkexec reserve` does not change.
    IsNamed,
    /// The kernel's own kexec has a crash image loaded.
    KernelImageLoaded,
    /// The kernel's own kexec is at work.
    KexecBusy,
    /// Another image of ours has not left its place.
    Occupied(Range),
    /// The reserved memory is not what it was when an image was armed.
    Changed,
    /// A copy is not what was copied.
    Damaged { what: &'static str, memory: Range },
}

impl RegionError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        match self {
            Self::NoReservation => errno(Errno::AddrNotAvail),
            Self::Reserved { .. } => EEXIST,
            Self::NotShrunk(error) => *error,
            Self::CannotBeTaken => ENODEV,
            Self::NotAvailable { .. }
            | Self::NoPlaceForReboot { .. }
            | Self::TooLittleForReboot { .. }
            | Self::CannotMap(_) => ENOMEM,
            Self::NotPages { .. } | Self::TooMany { .. } => EINVAL,
            Self::NotRam { .. } | Self::OutOfReach(_) => errno(Errno::AddrNotAvail),
            Self::IsNamed => EEXIST,
            Self::KernelImageLoaded
            | Self::KexecBusy
            | Self::Occupied(_)
            | Self::Changed
            | Self::InUse { .. }
            | Self::ForFirmware { .. }
            | Self::Held(_)
            | Self::Armed { .. } => EBUSY,
            Self::Damaged { .. } => EIO,
        }
    }
}

impl fmt::Display for RegionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoReservation => f.write_str(
                "no memory is reserved for a capture kernel: boot this kernel with \
                 crashkernel=256M, and look for \"Crash kernel\" in /proc/iomem, or take some now \
                 with rkexec reserve 256M",
            ),
            Self::Reserved { len } => write!(
                f,
                "crashkernel= has reserved {} at boot, of which a part can be given back until the \
                 next boot: for more boot with another crashkernel=, for none at all write 0 to \
                 /sys/kernel/kexec_crash_size",
                Size(*len)
            ),
            Self::Armed { used } => write!(
                f,
                "an image is armed in the memory that was to change, and has {} of it: unload it \
                 first with rkexec -p -u, and load again afterwards",
                Size(*used)
            ),
            Self::NotShrunk(error) => write!(
                f,
                "the kernel did not give back a part of what crashkernel= has reserved (error {}): \
                 load nothing by its own kexec meanwhile, and try again",
                -error.to_errno()
            ),
            Self::CannotBeTaken => f.write_str(
                "this kernel cannot empty a range of its memory: boot it with crashkernel=, or use \
                 one with CONFIG_CONTIG_ALLOC",
            ),
            Self::NotAvailable { wanted, available } => write!(
                f,
                "{} are wanted of the running kernel, which has only {} to spare: ask for less, \
                 or free memory",
                Size(*wanted),
                Size(*available)
            ),
            Self::NotPages { range, page_len } => write!(
                f,
                "{range} does not consist of whole pages: give a start and a size that are multiples \
                 of {page_len:#x}"
            ),
            Self::TooMany { found, most } => write!(
                f,
                "{found} pieces of memory are named, and a capture kernel can be told of {most}: name \
                 fewer"
            ),
            Self::NotRam { range, missing } => write!(
                f,
                "{range} is not all RAM, in the words of this machine's firmware: {missing} is not. \
                 Name memory that was kept free with memmap=SIZE$START (x86_64), or with mem= or a node of \
                 /reserved-memory that has no-map (arm64)"
            ),
            Self::InUse { range, used } => write!(
                f,
                "the running kernel uses {used} of {range}: keep that free at boot with \
                 memmap=SIZE$START (x86_64), or with mem= or a node of /reserved-memory that has no-map \
                 (arm64)"
            ),
            Self::ForFirmware { range, reserved } => write!(
                f,
                "firmware has reserved {reserved} of {range} for something else: name memory beside it"
            ),
            Self::Held(range) => write!(
                f,
                "somebody else has some of {range}, or it is where a bus has devices: /proc/iomem says \
                 who, and rmmod may help"
            ),
            Self::OutOfReach(within) => write!(
                f,
                "none of the named memory is in {within}, and a capture kernel needs some there for \
                 DMA: keep some free there, and name it as well, after a comma"
            ),
            Self::CannotMap(range) => write!(
                f,
                "the kernel cannot map {range}, where the image was to go: free memory, and load again"
            ),
            Self::NoPlaceForReboot { wanted, largest } => write!(
                f,
                "the image needs {} in one piece, where it is to run, and between what is reserved there \
                 are no more than {}, which is {} too little: load a smaller initrd or kernel",
                Size(*wanted),
                Size(*largest),
                Size(wanted.saturating_sub(*largest)),
            ),
            Self::TooLittleForReboot { wanted, available } => write!(
                f,
                "the image needs {}, and the running kernel has only {} to spare, which is {} too little: \
                 free memory, and load again",
                Size(*wanted),
                Size(*available),
                Size(wanted.saturating_sub(*available)),
            ),
            Self::IsNamed => f.write_str(
                "the memory for images was named with region= when the module was inserted, and stays as it \
                 is: insert the module without that to take memory from the running kernel",
            ),
            Self::KernelImageLoaded => f.write_str(
                "the kernel's own kexec has a crash image loaded, and there is one region for \
                 both: unload that one first with kexec -p -u",
            ),
            Self::KexecBusy => f.write_str(
                "the kernel's own kexec is loading or unloading an image, or somebody died while it \
                 did: load again when it has finished, and reboot if it never does",
            ),
            Self::Occupied(memory) => write!(
                f,
                "an image that should be gone still has memory of {memory}: report this, with the \
                 command that led to it",
            ),
            Self::Changed => f.write_str(
                "the reserved memory was made smaller while an image was armed in it: unload that one \
                 with rkexec -p -u, and load again",
            ),
            Self::Damaged { what, memory } => write!(
                f,
                "the copy of the {what} at {memory} is not what was copied there: the memory is \
                 faulty, or something else writes to it: see rkexec -S for what is still armed, \
                 boot with memtest=4, and reserve other memory with crashkernel=SIZE@ADDRESS",
            ),
        }
    }
}
