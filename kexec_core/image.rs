// SPDX-License-Identifier: GPL-2.0

//! Kernel images. A file is parsed, then verified for the machine, and then placed by a plan.

pub mod arm64;
pub mod compressed;
pub mod elf_kernel;
pub mod format;
pub mod uki;
pub mod unpack;
pub mod x86_64;
pub mod zboot;

use core::ops::Deref;

use crate::types::{
    bytes::{
        align_up,
        to_u64,
        to_usize, //
    },
    ranges::{
        Range,
        PAGE_SIZE, //
    }, //
};

/// A part of a file that is copied to the kernel's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The place of the first byte, counted from the load address.
    pub offset: u64,
    /// The bytes that are copied.
    pub bytes: &'a [u8],
}

impl Piece<'_> {
    /// The end of the piece, counted from the load address.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(to_u64(self.bytes.len()))
    }
}

/// A kernel image in any format, as a plan needs to know it.
pub trait KernelImage {
    /// The piece with this index, or none after the last one. Pieces are in the order of their
    /// offsets and do not overlap. Memory between them and after them is zero.
    fn piece(&self, index: usize) -> Option<Piece<'_>>;

    /// The end of the last piece, counted from the load address.
    fn file_len(&self) -> u64 {
        self.pieces().last().map_or(0, |piece| piece.end())
    }

    /// All parts of the file that are copied to memory.
    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        (0..).map_while(|index| self.piece(index))
    }

    /// The length of the memory that the kernel uses before it reads its memory map.
    fn memory_len(&self) -> u64;

    /// The alignment of the load address.
    fn alignment(&self) -> u64;

    /// The distance from a multiple of [`Self::alignment`] to the load address, in whole pages. The
    /// memory in between can be used by other segments, but it has to be there.
    fn alignment_offset(&self) -> u64 {
        0
    }

    /// The range in which the kernel can lie.
    fn limit(&self) -> Range;

    /// The entry point, counted from the load address.
    fn entry_offset(&self) -> u64;
}

/// Implements [`KernelImage`] for an enum of kernels in several formats.
macro_rules! kernel_in_a_format {
    ($kernel:ident: $($format:ident)*) => {
        impl $crate::image::KernelImage for $kernel<'_> {
            fn piece(&self, index: usize) -> Option<$crate::image::Piece<'_>> {
                match self { $(Self::$format(kernel) => kernel.piece(index),)* }
            }

            fn memory_len(&self) -> u64 {
                match self { $(Self::$format(kernel) => kernel.memory_len(),)* }
            }

            fn alignment(&self) -> u64 {
                match self { $(Self::$format(kernel) => kernel.alignment(),)* }
            }

            fn alignment_offset(&self) -> u64 {
                match self { $(Self::$format(kernel) => kernel.alignment_offset(),)* }
            }

            fn limit(&self) -> $crate::types::ranges::Range {
                match self { $(Self::$format(kernel) => kernel.limit(),)* }
            }

            fn entry_offset(&self) -> u64 {
                match self { $(Self::$format(kernel) => kernel.entry_offset(),)* }
            }
        }
    };
}
pub(crate) use kernel_in_a_format;

/// Whether a region has a place for the kernel.
pub(crate) fn fits<T: KernelImage>(image: &T, region: Range) -> bool {
    let place = || {
        let usable = region
            .intersection(&image.limit())?
            .align_inward(PAGE_SIZE)?;
        let base = align_up(usable.start(), image.alignment())?;
        let len = align_up(image.memory_len(), PAGE_SIZE)?;
        let memory = Range::from_start_len(base, len.checked_add(image.alignment_offset())?)?;
        Some(usable.encloses(&memory))
    };
    place().unwrap_or(false)
}

/// The kernel's memory is too short for its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// Fills the kernel's memory with the pieces, and with zeros between and after them.
pub fn write<T: KernelImage>(image: &T, memory: &mut [u8]) -> Result<(), NoRoom> {
    let mut written: u64 = 0;
    let mut rest = memory;
    for piece in image.pieces() {
        let gap = to_usize(piece.offset.checked_sub(written).ok_or(NoRoom)?);
        let len = piece.bytes.len();
        if rest.len() < gap || rest.len().wrapping_sub(gap) < len {
            return Err(NoRoom);
        }
        let (zeros, from_piece) = rest.split_at_mut(gap);
        let (place, after) = from_piece.split_at_mut(len);
        zeros.fill(0);
        place.copy_from_slice(piece.bytes);
        written = piece.end();
        rest = after;
    }
    rest.fill(0);
    Ok(())
}

/// An image that was checked against the machine that it is to run on.
///
/// A `verify` method is the only source of this type, and a kernel is placed by this type only:
///
/// ```
/// use kexec_core::error::Error;
/// use kexec_core::image::x86_64::kernel::Kernel;
/// use kexec_core::image::x86_64::verify::EntryConditions;
/// use kexec_core::plan::{Placement, Placer};
/// use kexec_core::types::ranges::Range;
///
/// /// The memory that the kernel in `file` gets in `region`.
/// fn kernel_memory(file: &[u8], region: Range) -> Result<Range, Error> {
///     let conditions = EntryConditions {
///         five_level_paging: false,
///         region,
///     };
///     let kernel = Kernel::parse(file)?.verify(&conditions)?;
///     let mut placer = Placer::new(region)?;
///     Ok(placer.place_kernel(&kernel, Placement::Lowest)?.memory)
/// }
///
/// let region = Range::new(1 << 28, 1 << 29).unwrap();
/// let error = kernel_memory(b"", region).unwrap_err();
/// assert_eq!(error.to_string(), "the kernel is an empty file: get it again");
/// ```
///
/// # Invariants
///
/// The image's `verify` method has returned this value.
#[derive(Clone, Copy, Debug)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Marks `image` as verified. For the image formats' `verify` methods only.
    pub(crate) const fn new(image: T) -> Self {
        Self(image)
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
