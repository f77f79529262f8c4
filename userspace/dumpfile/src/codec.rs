// SPDX-License-Identifier: GPL-2.0

//! The ways in which pages are compressed, each page by itself.

use std::fmt;

use kexec_core::dump::kdump_compressed::layout::{
    COMPRESSED_LZO,
    COMPRESSED_SNAPPY,
    COMPRESSED_ZLIB,
    COMPRESSED_ZSTD, //
};

mod compressor;
mod lzo;
mod periodic;
mod snappy;
mod zlib;
mod zstd;

pub use compressor::{
    room,
    Compressor, //
};

/// A way to compress pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// None: pages are written as they are.
    Raw,
    /// zlib, by libdeflate.
    Zlib,
    /// lzo1x.
    Lzo,
    /// snappy, without its framing.
    Snappy,
    /// zstd.
    Zstd,
}

impl Codec {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Zlib, Self::Lzo, Self::Snappy, Self::Zstd];

    /// The name by which users know it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Zlib => "zlib",
            Self::Lzo => "lzo",
            Self::Snappy => "snappy",
            Self::Zstd => "zstd",
        }
    }

    /// The flag of a page, and in the status of a file.
    pub fn flag(self) -> u32 {
        match self {
            Self::Raw => 0,
            Self::Zlib => COMPRESSED_ZLIB,
            Self::Lzo => COMPRESSED_LZO,
            Self::Snappy => COMPRESSED_SNAPPY,
            Self::Zstd => COMPRESSED_ZSTD,
        }
    }

    /// The way in which a page with these flags is compressed, if it is one that is known.
    pub fn from_flags(flags: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.flag() == flags)
    }

    /// The levels that it has, and the one that is taken if none is asked for. A higher one is slower,
    /// and makes pages smaller.
    pub fn levels(self) -> Levels {
        let (min, default, max) = match self {
            Self::Raw | Self::Snappy => (0, 0, 0),
            // makedumpfile takes zlib's first, whose pages are between those of libdeflate's first two. With
            // another level for periodic pages, all of the first's together are shorter.
            Self::Zlib => (1, zlib::DEFAULT_LEVEL, 12),
            Self::Lzo => (1, 1, 13),
            // Negative ones are faster than any other, and makedumpfile's is 1.
            Self::Zstd => (-7, 1, 19),
        };
        Levels { min, default, max }
    }

    /// What compresses pages of this length, with the level that is nearest to this one.
    pub fn compressor(self, level: Option<i32>, page_len: usize) -> Box<dyn Compressor> {
        let Levels { min, default, max } = self.levels();
        let level = level.unwrap_or(default).clamp(min, max);
        match self {
            Self::Raw => Box::new(Raw),
            Self::Zlib => Box::new(zlib::Zlib::new(level)),
            Self::Lzo => Box::new(lzo::Lzo::new(level)),
            Self::Snappy => Box::new(snappy::Snappy::new(page_len)),
            Self::Zstd => Box::new(zstd::Zstd::new(level)),
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The levels of a codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// The fastest.
    pub min: i32,
    /// The one that is taken if none is asked for.
    pub default: i32,
    /// The slowest.
    pub max: i32,
}

/// Compresses nothing.
struct Raw;

impl Compressor for Raw {
    fn compress(&mut self, _page: &[u8], _out: &mut [u8]) -> Option<usize> {
        None
    }
}

/// Unpacks pages of each codec.
#[derive(Default)]
pub struct Decompressor {
    zlib: Option<libdeflater::Decompressor>,
    zstd: Option<zstd_safe::DCtx<'static>>,
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").finish_non_exhaustive()
    }
}

impl Decompressor {
    /// Unpacks a page, which has to be exactly as long as `page`. Whether it was.
    pub fn decompress(&mut self, codec: Codec, bytes: &[u8], page: &mut [u8]) -> bool {
        match codec {
            Codec::Raw => match bytes.len() == page.len() {
                true => {
                    page.copy_from_slice(bytes);
                    true
                }
                false => false,
            },
            Codec::Zlib => zlib::decompress(self.zlib.get_or_insert_default(), bytes, page),
            Codec::Lzo => lzo::decompress(bytes, page),
            Codec::Snappy => snappy::decompress(bytes, page),
            Codec::Zstd => {
                let context = self.zstd.get_or_insert_with(zstd_safe::DCtx::create);
                zstd::decompress(context, bytes, page)
            }
        }
    }
}
