// SPDX-License-Identifier: GPL-2.0

//! The compressed kernel in a bzImage, an ELF file (boot.rst, "payload_offset"), which is entered
//! in the bzImage's place.
//!
//! A bzImage's own code decompresses it, relocates it for KASLR, and enters it. Entered without that
//! code the kernel runs where it was linked to in virtual memory, as with `nokaslr`. The other things
//! that the code does are done by the loader, or by the purgatory, or have no use after a crash:
//!
//! - It changes the number of page table levels. The purgatory can take one off.
//! - It looks for ACPI's root pointer, which boot_params have, and which the kernel looks for as well.
//! - It prepares for memory encryption; [`Parameters::mem_encrypt`] leaves that to it.

use super::bzimage::BzImage;
use crate::{
    image::compressed::{
        Compressed,
        CompressedError,
        BZIP2_MAGIC,
        GZIP_MAGIC,
        LZ4_MAGIC,
        LZMA_MAGIC,
        LZOP_MAGIC,
        XZ_MAGIC,
        ZSTD_MAGIC, //
    },
    types::bytes::read_u32,
    uapi::Decompression, //
};

/// Length of the number that the kernel's build puts after the compressed kernel: the length of
/// the decompressed one (`size_append` in the kernel's scripts/Makefile.lib). gzip has it by itself.
const APPENDED_LEN: usize = 4;

/// Finds the compressed kernel in a bzImage; or the reason for which it has to stay compressed.
pub fn find<'a>(
    bzimage: &BzImage<'a>,
) -> Result<Result<Compressed<'a>, Decompression>, CompressedError> {
    let Some(payload) = bzimage.payload() else {
        return Ok(Err(Decompression::NoPayload));
    };
    if payload.starts_with(GZIP_MAGIC) {
        return Compressed::gzip(payload).map(Ok);
    }
    let data_len = payload.len().saturating_sub(APPENDED_LEN);
    let data = payload.get(..data_len).unwrap_or_default();
    let starts_with = |magic: u32| data.starts_with(&magic.to_le_bytes());
    let compressed = if starts_with(ZSTD_MAGIC) {
        Compressed::zstd(data)?
    } else if starts_with(LZ4_MAGIC) {
        Compressed::lz4(data)?
    } else if data.starts_with(XZ_MAGIC) {
        Compressed::xz(data)?
    } else if data.starts_with(LZOP_MAGIC) {
        Compressed::lzo(data)?
    } else if data.starts_with(BZIP2_MAGIC) || data.starts_with(LZMA_MAGIC) {
        return Ok(Err(Decompression::NotExported));
    } else {
        return Ok(Err(Decompression::Unknown));
    };
    let appended = read_u32(payload, data_len).unwrap_or_default();
    compressed.with_appended_len(appended.into()).map(Ok)
}

/// The parameters of a command line that a bzImage's own code reads, as far as they matter here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// `no5lvl`: the kernel is to be entered with four levels of page tables.
    pub no5lvl: bool,
    /// `mem_encrypt=on`: the kernel is told to encrypt memory.
    pub mem_encrypt: bool,
    /// `nokaslr`: the kernel runs at the addresses that it was linked for.
    pub nokaslr: bool,
}

impl Parameters {
    /// Looks for them as that code does: separated by white space, quotes or not
    /// (`cmdline_find_option_bool()`).
    pub fn read(command_line: &[u8]) -> Self {
        let has = |wanted: &[u8]| {
            let mut words = command_line.split(|byte| *byte <= b' ');
            words.any(|word| word == wanted)
        };
        Self {
            no5lvl: has(b"no5lvl"),
            mem_encrypt: has(b"mem_encrypt=on"),
            nokaslr: has(b"nokaslr"),
        }
    }
}
