// SPDX-License-Identifier: GPL-2.0

//! Taking a kernel out of the file that it comes in.
//!
//! A file can be compressed by gzip or zstd. It can be a unified kernel image, which can be
//! compressed as well. The kernel in a file can be compressed by gzip or zstd, or it can be an EFI
//! zboot image. There is no use for more wrappings than these, so a file with more is refused.
//!
//! A bzImage has another kernel in it, which its own code decompresses. [`Unpack::inner`] does that
//! instead.
//!
//! [`Unpack`] knows the order of the wrappings. Its caller brings the memory and the decompressor:
//!
//! ```
//! use kexec_core::image::unpack::{Decompressed, Step, Unpack, UnpackError};
//!
//! # fn inflate(_: &[u8]) -> Vec<u8> { Vec::new() }
//! fn unpack(file: &[u8]) -> Result<Vec<u8>, UnpackError> {
//!     let memory = Decompressed::default();
//!     let mut unpack = Unpack::new(file);
//!     while unpack.step(&memory, |compressed| Ok::<_, UnpackError>(inflate(compressed.data())))?
//!         != Step::Kernel
//!     {}
//!     Ok(unpack.bytes().to_vec())
//! }
//!
//! let error = unpack(b"#!/bin/sh\n").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "the kernel is text: give the kernel, which is a binary file below /boot",
//! );
//! ```

use core::{
    cell::OnceCell,
    fmt, //
};

use crate::{
    image::{
        compressed::{
            Compressed,
            CompressedError, //
        },
        format::{
            Format,
            FormatError, //
        },
        uki::{
            Uki,
            UkiError, //
        },
        x86_64::{
            bzimage::{
                BzImage,
                BzImageError, //
            },
            payload, //
        },
        zboot::{
            Zboot,
            ZbootError, //
        }, //
    },
    types::{
        bytes::to_u64,
        errno::{
            wrap_errors,
            Errno, //
        }, //
    },
    uapi::Decompression, //
};

/// Most formats in one file, with the kernel's own.
pub const FORMATS_MAX: usize = 4;

/// Most decompressions for one file.
pub const DECOMPRESSIONS_MAX: usize = 3;

/// A wrapping where none is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NestedError {
    outer: Format,
    inner: Format,
}

impl NestedError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::NoExec
    }
}

impl fmt::Display for NestedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let article = |format| match format {
            Format::Arm64Image | Format::Elf | Format::Zboot => "an",
            _ => "a",
        };
        write!(
            f,
            "the kernel is packed more than there is reason for: in {} {} file there is {} {} file: \
             give what is in that",
            article(self.outer),
            self.outer.name(),
            article(self.inner),
            self.inner.name()
        )
    }
}

wrap_errors! {
    /// Why a kernel cannot be unpacked.
    pub enum UnpackError {
        /// The file has no format that can be loaded.
        Format(FormatError),
        /// The compressed kernel is malformed.
        Compressed(CompressedError),
        /// The EFI zboot image is malformed.
        Zboot(ZbootError),
        /// The unified kernel image is malformed.
        Uki(UkiError),
        /// The bzImage is malformed.
        BzImage(BzImageError),
        /// The kernel is packed too often.
        Nested(NestedError),
    }
}

/// The stage of unpacking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was unpacked yet.
    File,
    /// The file was decompressed.
    Decompressed,
    /// The kernel was taken out of a unified kernel image.
    Unified,
    /// No further wrapping may follow.
    Innermost,
}

impl Stage {
    /// The stage after a wrapping was taken off; none where that wrapping may not be.
    fn after(self, wrapping: Format) -> Option<Self> {
        match (self, wrapping) {
            (Self::File, Format::Gzip | Format::Zstd) => Some(Self::Decompressed),
            (Self::File | Self::Decompressed, Format::Uki) => Some(Self::Unified),
            (Self::Unified, Format::Gzip | Format::Zstd) => Some(Self::Innermost),
            (Self::File | Self::Decompressed | Self::Unified, Format::Zboot) => {
                Some(Self::Innermost)
            }
            _ => None,
        }
    }
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something was decompressed, and can be unpacked further.
    Decompressed,
    /// [`Unpack::bytes`] is the kernel.
    Kernel,
}

/// The kernel that a kernel has in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inner<'a> {
    /// There is none.
    None,
    /// It was decompressed.
    Decompressed(&'a [u8]),
    /// It stays compressed, for this reason.
    Compressed(Decompression),
}

/// Memory for decompressed data, which lives as long as the file does.
///
/// `B` is a piece of the caller's memory, such as a vector.
#[derive(Debug)]
pub struct Decompressed<B>([OnceCell<B>; DECOMPRESSIONS_MAX]);

impl<B> Default for Decompressed<B> {
    fn default() -> Self {
        Self([const { OnceCell::new() }; DECOMPRESSIONS_MAX])
    }
}

impl<B: AsRef<[u8]>> Decompressed<B> {
    /// Keeps a piece of memory and returns its bytes; none where as many are kept as one file can
    /// need.
    fn keep(&self, memory: B) -> Option<&[u8]> {
        let place = self.0.iter().find(|place| place.get().is_none())?;
        Some(place.get_or_init(|| memory).as_ref())
    }
}

/// A file that is being unpacked.
#[derive(Debug)]
pub struct Unpack<'a> {
    bytes: &'a [u8],
    whole: &'a [u8],
    stage: Stage,
    formats: [Option<Format>; FORMATS_MAX],
    initrd: Option<&'a [u8]>,
    command_line: Option<&'a [u8]>,
}

impl<'a> Unpack<'a> {
    /// Starts with a file of any format.
    pub fn new(file: &'a [u8]) -> Self {
        Self {
            bytes: file,
            whole: file,
            stage: Stage::File,
            formats: [None; FORMATS_MAX],
            initrd: None,
            command_line: None,
        }
    }

    /// Unpacks until there is a kernel, or until something was decompressed.
    ///
    /// `decompress` is given the compressed data and returns the decompressed data, which `memory`
    /// then keeps.
    pub fn step<B, E>(
        &mut self,
        memory: &'a Decompressed<B>,
        decompress: impl FnOnce(&Compressed<'a>) -> Result<B, E>,
    ) -> Result<Step, E>
    where
        B: AsRef<[u8]>,
        E: From<UnpackError>,
    {
        let Some(compressed) = self.next_compressed()? else {
            return Ok(Step::Kernel);
        };
        let decompressed = memory.keep(decompress(&compressed)?);
        // The stages ask for no more memory than there are places.
        let decompressed = decompressed.unwrap_or_default();
        compressed
            .check_decompressed(to_u64(decompressed.len()))
            .map_err(UnpackError::from)?;
        self.bytes = decompressed;
        if self.stage == Stage::Decompressed {
            self.whole = decompressed;
        }
        Ok(Step::Decompressed)
    }

    /// Decompresses the kernel that is in a bzImage, after the last step.
    ///
    /// `decompress` may have a reason for which it stays compressed.
    pub fn inner<B, E>(
        &self,
        memory: &'a Decompressed<B>,
        decompress: impl FnOnce(&Compressed<'a>) -> Result<Result<B, Decompression>, E>,
    ) -> Result<Inner<'a>, E>
    where
        B: AsRef<[u8]>,
        E: From<UnpackError>,
    {
        if Format::of(self.bytes) != Some(Format::BzImage) {
            return Ok(Inner::None);
        }
        let bzimage = BzImage::parse(self.bytes).map_err(UnpackError::from)?;
        let compressed = match payload::find(&bzimage).map_err(UnpackError::from)? {
            Ok(compressed) => compressed,
            Err(reason) => return Ok(Inner::Compressed(reason)),
        };
        Ok(match decompress(&compressed)? {
            Ok(decompressed) => {
                // As above.
                let decompressed = memory.keep(decompressed).unwrap_or_default();
                compressed
                    .check_decompressed(to_u64(decompressed.len()))
                    .map_err(UnpackError::from)?;
                Inner::Decompressed(decompressed)
            }
            Err(reason) => Inner::Compressed(reason),
        })
    }

    /// Goes on to the next data that have to be decompressed. None if a kernel was reached.
    fn next_compressed(&mut self) -> Result<Option<Compressed<'a>>, UnpackError> {
        loop {
            let format = Format::detect(self.bytes)?;
            if format.is_kernel() {
                self.note(format);
                return Ok(None);
            }
            let Some(stage) = self.stage.after(format) else {
                // The format that was met first has a stage, so one was noted.
                let outer = self.formats().last().unwrap_or(format);
                let inner = format;
                return Err(NestedError { outer, inner }.into());
            };
            self.note(format);
            self.stage = stage;
            return Ok(Some(match format {
                Format::Gzip => Compressed::gzip(self.bytes)?,
                Format::Zstd => Compressed::zstd(self.bytes)?,
                Format::Zboot => *Zboot::parse(self.bytes)?.payload(),
                _ => {
                    let uki = Uki::parse(self.bytes)?;
                    self.bytes = uki.linux();
                    self.initrd = uki.initrd();
                    self.command_line = uki.command_line();
                    continue;
                }
            }));
        }
    }

    fn note(&mut self, format: Format) {
        if let Some(place) = self.formats.iter_mut().find(|place| place.is_none()) {
            *place = Some(format);
        }
    }

    /// The contents that the last step has reached.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file, decompressed if it was compressed as a whole. These are the bytes that a signature
    /// has to cover: the signature of a kernel within a unified kernel image does not cover the
    /// image's other parts.
    pub fn whole(&self) -> &'a [u8] {
        self.whole
    }

    /// The formats that were met, from the outside in.
    pub fn formats(&self) -> impl Iterator<Item = Format> + '_ {
        self.formats.iter().flatten().copied()
    }

    /// The initrd of a unified kernel image.
    pub fn initrd(&self) -> Option<&'a [u8]> {
        self.initrd
    }

    /// The command line of a unified kernel image.
    pub fn command_line(&self) -> Option<&'a [u8]> {
        self.command_line
    }
}
