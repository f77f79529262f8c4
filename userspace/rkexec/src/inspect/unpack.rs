// SPDX-License-Identifier: GPL-2.0

//! Taking a kernel out of what it comes in, within the bounds that `kexec_core` sets.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::GzDecoder;
use kexec_core::compressed::{Compressed, CompressedError, Compression, DECOMPRESSED_LEN_MAX};
use kexec_core::error::Error;
use kexec_core::format::Format;
use kexec_core::uki::Uki;
use kexec_core::zboot::Zboot;
use ruzstd::decoding::StreamingDecoder;

use super::report::Refusal;

/// A unified kernel image with a compressed kernel is the deepest nesting that there is.
const NESTING_MAX: usize = 3;

/// A kernel, and what came with it.
pub struct Unpacked<'a> {
    /// What was found, from the outside in.
    pub formats: Vec<Format>,
    /// What is left when nothing can be unpacked any more.
    pub kernel: Cow<'a, [u8]>,
    /// The initrd of a unified kernel image.
    pub initrd: Option<Vec<u8>>,
    /// The command line of a unified kernel image.
    pub command_line: Option<Vec<u8>>,
}

impl<'a> Unpacked<'a> {
    /// A file that was not looked at yet.
    pub fn new(file: &'a [u8]) -> Self {
        Self {
            formats: Vec::new(),
            kernel: Cow::Borrowed(file),
            initrd: None,
            command_line: None,
        }
    }

    /// Unpacks until there is a kernel.
    pub fn unpack(&mut self) -> Result<(), Refusal> {
        loop {
            let format = Format::detect(&self.kernel).map_err(Error::from)?;
            self.formats.push(format);
            let inner = match format {
                Format::BzImage | Format::Arm64Image | Format::Elf => return Ok(()),
                Format::Uki => self.take_uki()?,
                Format::Zboot => {
                    let zboot = Zboot::parse(&self.kernel).map_err(Error::from)?;
                    decompress(zboot.payload())?
                }
                Format::Gzip => decompress(&Compressed::gzip(&self.kernel).map_err(Error::from)?)?,
                Format::Zstd => decompress(&Compressed::zstd(&self.kernel).map_err(Error::from)?)?,
            };
            if self.formats.len() == NESTING_MAX {
                return Err(Refusal::new(
                    "the kernel is packed more than twice: give the kernel itself",
                    "ENOEXEC",
                ));
            }
            self.kernel = Cow::Owned(inner);
        }
    }

    fn take_uki(&mut self) -> Result<Vec<u8>, Refusal> {
        let uki = Uki::parse(&self.kernel).map_err(Error::from)?;
        self.initrd = uki.initrd().map(<[u8]>::to_vec);
        self.command_line = uki.command_line().map(<[u8]>::to_vec);
        Ok(uki.linux().to_vec())
    }
}

fn decompress(compressed: &Compressed<'_>) -> Result<Vec<u8>, Refusal> {
    let compression = compressed.compression();
    let damaged = |_| Error::from(CompressedError::Damaged { compression });
    // One byte more tells that there is more.
    let limit = compressed.decompressed_len();
    let limit = limit.unwrap_or(DECOMPRESSED_LEN_MAX) + 1;
    let mut out = Vec::new();
    match compression {
        Compression::Gzip => GzDecoder::new(compressed.bytes())
            .take(limit)
            .read_to_end(&mut out)
            .map_err(damaged)?,
        Compression::Zstd => StreamingDecoder::new(compressed.bytes())
            .map_err(|_| Error::from(CompressedError::Damaged { compression }))?
            .take(limit)
            .read_to_end(&mut out)
            .map_err(damaged)?,
    };
    let checked = compressed.check_decompressed(out.len() as u64);
    checked.map_err(Error::from)?;
    Ok(out)
}
