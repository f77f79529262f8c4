// SPDX-License-Identifier: GPL-2.0

//! Taking a kernel out of what it comes in.
//!
//! A file can be compressed by gzip or zstd. It can be a unified kernel image, also as what was
//! compressed. The kernel in either can be compressed, by gzip or zstd or as an EFI zboot image.
//! There is no reason for more, and more is refused.
//!
//! [`Unpack`] goes from one wrapping to the next and says what is to be decompressed. Whoever calls
//! it brings the memory and what decompresses.

use core::fmt;

use crate::image::compressed::{Compressed, CompressedError};
use crate::image::format::{Format, FormatError};
use crate::image::uki::{Uki, UkiError};
use crate::image::zboot::{Zboot, ZbootError};
use crate::types::errno::{wrap_errors, Errno};

/// Most formats that are met in one file, the kernel's own included.
pub const FORMATS_MAX: usize = 4;

/// Most times that something is decompressed.
pub const DECOMPRESSIONS_MAX: usize = 2;

/// A wrapping that is where none belongs.
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
    /// Why a kernel cannot be taken out of what it comes in.
    pub enum UnpackError {
        /// The file has no format that can be loaded.
        Format(FormatError),
        /// The compressed kernel is malformed.
        Compressed(CompressedError),
        /// The EFI zboot image is malformed.
        Zboot(ZbootError),
        /// The unified kernel image is malformed.
        Uki(UkiError),
        /// The kernel is packed too often.
        Nested(NestedError),
    }
}

/// How far a file was unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing was unpacked.
    File,
    /// What the file is compressed from.
    Decompressed,
    /// What lies in a unified kernel image.
    Unified,
    /// What can only be a kernel.
    Innermost,
}

impl Stage {
    /// The stage behind a wrapping; none where that does not belong.
    fn behind(self, wrapping: Format) -> Option<Self> {
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

/// What comes next.
#[derive(Debug)]
pub enum Step<'a> {
    /// Nothing: [`Unpack::bytes`] is the kernel.
    Kernel,
    /// Something is to be decompressed, and given to [`Unpack::go_on`].
    Decompress(Packed<'a>),
}

/// What is to be decompressed.
#[derive(Debug)]
pub struct Packed<'a> {
    compressed: Compressed<'a>,
}

impl<'a> Packed<'a> {
    /// The compressed data.
    pub fn compressed(&self) -> &Compressed<'a> {
        &self.compressed
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
    /// A file of which nothing is known yet.
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

    /// Unpacks what needs nobody's help.
    pub fn step(&mut self) -> Result<Step<'a>, UnpackError> {
        loop {
            let format = Format::detect(self.bytes)?;
            if format.is_kernel() {
                self.note(format);
                return Ok(Step::Kernel);
            }
            let Some(stage) = self.stage.behind(format) else {
                // What was met first was noted: without it there would be a stage.
                let outer = self.formats().last().unwrap_or(format);
                let inner = format;
                return Err(NestedError { outer, inner }.into());
            };
            self.note(format);
            self.stage = stage;
            let compressed = match format {
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
            };
            return Ok(Step::Decompress(Packed { compressed }));
        }
    }

    /// Goes on with what something was decompressed to.
    pub fn go_on(&mut self, packed: Packed<'a>, decompressed: &'a [u8]) -> Result<(), UnpackError> {
        packed
            .compressed
            .check_decompressed(decompressed.len() as u64)?;
        self.bytes = decompressed;
        if self.stage == Stage::Decompressed {
            self.whole = decompressed;
        }
        Ok(())
    }

    fn note(&mut self, format: Format) {
        if let Some(place) = self.formats.iter_mut().find(|place| place.is_none()) {
            *place = Some(format);
        }
    }

    /// What is left after the last step.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The file, or what it was compressed from as a whole. A signature in it is one of this: that of
    /// a kernel within a unified kernel image says nothing about what lies beside that kernel.
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
