// SPDX-License-Identifier: GPL-2.0

//! Unified kernel images: an EFI program that carries a kernel, an initrd and a command line as
//! sections of its own, and is signed as a whole (UAPI Group, "UKI").

use core::fmt;

use crate::{
    signature::pe::{
        PeError,
        PeImage, //
    },
    types::errno::Errno, //
};

/// The section with the kernel; the only one that has to be there.
pub const LINUX: &str = ".linux";
/// The section with the initrd.
pub const INITRD: &str = ".initrd";
/// The section with the command line.
pub const COMMAND_LINE: &str = ".cmdline";
/// The section with the contents of `os-release`.
pub const OS_RELEASE: &str = ".osrel";
/// The section with the kernel's release.
pub const UNAME: &str = ".uname";

/// Whether a file is an EFI program with a kernel in it.
pub fn is_uki(bytes: &[u8]) -> bool {
    let is_linux = |name: &[u8]| name == LINUX.as_bytes();
    PeImage::parse(bytes).is_ok_and(|image| {
        image
            .sections()
            .any(|section| is_linux(section.name().as_bytes()))
    })
}

/// Why a unified kernel image cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UkiError {
    /// The file is not a whole EFI program.
    Pe(PeError),
    /// There is no kernel, or an empty one.
    NoKernel,
    /// There are two sections of one kind.
    Duplicate {
        /// The section's name.
        name: &'static str,
    },
    /// A section has more memory than contents.
    Short {
        /// The section's name.
        name: &'static str,
        /// The section's length in memory.
        virtual_size: u32,
        /// Length of its contents.
        len: usize,
    },
}

impl From<PeError> for UkiError {
    fn from(error: PeError) -> Self {
        Self::Pe(error)
    }
}

impl UkiError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Pe(error) => error.errno(),
            _ => Errno::NoExec,
        }
    }
}

impl fmt::Display for UkiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pe(error) => error.fmt(f),
            Self::NoKernel => write!(
                f,
                "the unified kernel image has no kernel: it needs a {LINUX} section with contents"
            ),
            Self::Duplicate { name } => write!(
                f,
                "the unified kernel image has more than one {name} section, and nothing tells \
                 which counts: build it with one profile"
            ),
            Self::Short {
                name,
                virtual_size,
                len,
            } => write!(
                f,
                "the unified kernel image's section {name} has {virtual_size:#x} bytes of memory, \
                 but {len:#x} of contents: the image is damaged"
            ),
        }
    }
}

/// The parts of a unified kernel image.
#[derive(Clone, Copy, Debug)]
pub struct Uki<'a> {
    image: PeImage<'a>,
    linux: &'a [u8],
    initrd: Option<&'a [u8]>,
    command_line: Option<&'a [u8]>,
    os_release: Option<&'a [u8]>,
    uname: Option<&'a [u8]>,
}

impl<'a> Uki<'a> {
    /// Finds the sections of the file with these bytes.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, UkiError> {
        let image = PeImage::parse(bytes)?;
        Ok(Self {
            linux: section(&image, LINUX)?.ok_or(UkiError::NoKernel)?,
            initrd: section(&image, INITRD)?,
            command_line: section(&image, COMMAND_LINE)?.map(text),
            os_release: section(&image, OS_RELEASE)?.map(text),
            uname: section(&image, UNAME)?.map(text),
            image,
        })
    }

    /// The EFI program. A signature covers all of it.
    pub fn image(&self) -> &PeImage<'a> {
        &self.image
    }

    /// The kernel: a bzImage, an Image or a zboot image.
    pub fn linux(&self) -> &'a [u8] {
        self.linux
    }

    /// The initrd, if there is one.
    pub fn initrd(&self) -> Option<&'a [u8]> {
        self.initrd
    }

    /// The command line without the zeros and white space at its end, if there is one.
    pub fn command_line(&self) -> Option<&'a [u8]> {
        self.command_line
    }

    /// The contents of `os-release` of the system that the image belongs to.
    pub fn os_release(&self) -> Option<&'a [u8]> {
        self.os_release
    }

    /// The kernel's release, as `uname -r` prints it.
    pub fn uname(&self) -> Option<&'a [u8]> {
        self.uname
    }
}

/// The contents of the only section with this name, without their padding; an empty one counts as
/// none.
fn section<'a>(image: &PeImage<'a>, name: &'static str) -> Result<Option<&'a [u8]>, UkiError> {
    let mut found = image
        .sections()
        .filter(|section| section.name().as_bytes() == name.as_bytes());
    let Some(section) = found.next() else {
        return Ok(None);
    };
    if found.next().is_some() {
        return Err(UkiError::Duplicate { name });
    }
    let contents = image.contents(&section);
    let virtual_size = section.virtual_size();
    let len = usize::try_from(virtual_size).unwrap_or(usize::MAX);
    let contents = contents.get(..len).ok_or(UkiError::Short {
        name,
        virtual_size,
        len: contents.len(),
    })?;
    Ok((!contents.is_empty()).then_some(contents))
}

/// A text without the zeros and the white space at its end.
fn text(contents: &[u8]) -> &[u8] {
    let end = contents.iter().position(|byte| *byte == 0);
    let text = contents.get(..end.unwrap_or(contents.len()));
    let text = text.unwrap_or(contents);
    let last = text.iter().rposition(|byte| !byte.is_ascii_whitespace());
    let len = last.map_or(0, |last| last.saturating_add(1));
    text.get(..len).unwrap_or(text)
}
