// SPDX-License-Identifier: GPL-2.0

//! Kernels within kernels: what is compressed is decompressed, a unified kernel image is taken
//! apart.

use super::signature::Trusted;
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::sys::decompress;
use kexec_core::compressed::{Compressed, DECOMPRESSED_LEN_MAX};
use kexec_core::error::Error;
use kexec_core::format::Format;
use kexec_core::uki::Uki;
use kexec_core::zboot::Zboot;

/// How much longer than the compressed kernel the first buffer is, where nothing tells a length.
const GUESS: usize = 4;

/// A unified kernel image has a kernel in it, and that may be compressed; there is no reason for
/// more.
const LAYERS_MAX: usize = 2;

/// What a file that the policy let through has in it.
pub(crate) struct Unpacked<'a> {
    file: Trusted<'a>,
    /// The kernel, where it was decompressed, at the start of a buffer.
    decompressed: Option<(KVVec<u8>, usize)>,
    initrd: Option<&'a [u8]>,
    command_line: Option<&'a [u8]>,
}

impl<'a> Unpacked<'a> {
    /// Unpacks a file. `limit` is how long a kernel can be that fits its place.
    #[inline(never)]
    pub(super) fn new(file: Trusted<'a>, limit: u64) -> Result<Self, Refusal> {
        let mut unpacked = Self {
            file,
            decompressed: None,
            initrd: None,
            command_line: None,
        };
        for _ in 0..LAYERS_MAX {
            let bytes = unpacked.file.bytes();
            let compressed = match Format::of(bytes) {
                Some(Format::Uki) => {
                    let uki = Uki::parse(bytes).map_err(Error::from)?;
                    unpacked.file = file.part(uki.linux());
                    unpacked.initrd = uki.initrd();
                    unpacked.command_line = uki.command_line();
                    continue;
                }
                Some(Format::Zboot) => *Zboot::parse(bytes).map_err(Error::from)?.payload(),
                Some(Format::Gzip) => Compressed::gzip(bytes).map_err(Error::from)?,
                Some(Format::Zstd) => Compressed::zstd(bytes).map_err(Error::from)?,
                // Whether it is a kernel is found out by who parses it.
                _ => break,
            };
            unpacked.decompressed = Some(decompress(&compressed, limit)?);
            break;
        }
        Ok(unpacked)
    }

    /// The kernel, in a format that is loaded as it is.
    pub(super) fn kernel(&self) -> Trusted<'_> {
        match &self.decompressed {
            None => self.file,
            Some((buffer, len)) => self.file.part(buffer.get(..*len).unwrap_or_default()),
        }
    }

    /// The initrd that came within the file.
    pub(super) fn initrd(&self) -> Option<&'a [u8]> {
        self.initrd
    }

    /// The command line that came within the file.
    pub(super) fn command_line(&self) -> Option<&'a [u8]> {
        self.command_line
    }
}

/// Decompresses a kernel to the start of a buffer, and says how long it is.
fn decompress(compressed: &Compressed<'_>, limit: u64) -> Result<(KVVec<u8>, usize), Refusal> {
    let by = compressed.compression().name();
    let limit = limit.min(DECOMPRESSED_LEN_MAX) as usize;
    let told = compressed.decompressed_len().map(|len| len as usize);
    let guess = compressed.data().len().saturating_mul(GUESS).min(limit);
    let mut capacity = told.unwrap_or(guess);
    loop {
        if capacity > limit {
            return Err(Refusal::DecompressedLength { limit });
        }
        let mut kernel = KVVec::new();
        kernel.extend_with(capacity, 0, GFP_KERNEL)?;
        match decompress::decompress(compressed, &mut kernel) {
            Ok(len) if told.map_or(true, |told| told == len) => {
                return Ok((kernel, len));
            }
            Err(error) if error == ENOSPC && told.is_none() && capacity < limit => {
                capacity = capacity.saturating_mul(2).min(limit);
            }
            Err(error) if error == ENOSPC && told.is_none() => {
                return Err(Refusal::DecompressedLength { limit })
            }
            Err(error) if error.to_errno() == -kexec_core::error::Errno::NoPkg.number() => {
                return Err(Refusal::NoDecompressor { by })
            }
            Err(error) if error == ENOMEM => return Err(Refusal::OutOfMemory),
            _ => return Err(Refusal::Damaged { by }),
        }
    }
}
