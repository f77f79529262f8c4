// SPDX-License-Identifier: GPL-2.0

//! Compressed kernels: the compression and the decompressed length that their framing tells. A
//! caller that decompresses one needs no more memory than that length.

mod blocks;
mod compression;
mod error;

use crate::types::bytes::{
    read_u16,
    read_u32,
    read_u64,
    read_u8,
    to_u64, //
};

pub use compression::{
    Compression,
    BZIP2_MAGIC,
    DECOMPRESSED_LEN_MAX,
    GZIP_MAGIC,
    LZ4_MAGIC,
    LZMA_MAGIC,
    LZOP_MAGIC,
    XZ_MAGIC,
    ZSTD_MAGIC,
    ZSTD_WINDOW_MAX, //
};
pub use error::CompressedError;

/// The most bytes that deflate makes of one byte (zlib, "Technical Details").
const DEFLATE_RATIO_MAX: u64 = 1032;

// Fields and flags of a gzip member (RFC 1952, section 2.3).
const GZIP_METHOD: usize = 2;
const GZIP_FLAGS: usize = 3;
const GZIP_HEADER_LEN: usize = 10;
const GZIP_TRAILER_LEN: usize = 8;
const METHOD_DEFLATE: u8 = 8;
const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const GZIP_RESERVED: u8 = 0xe0;

/// Length of the header and the footer of an xz stream, the shortest file.
const XZ_LEN_MIN: usize = 12 + 12;

// Fields and flags of a zstd frame's header (RFC 8878, section 3.1.1.1).
const ZSTD_DESCRIPTOR: usize = 4;
const ZSTD_SINGLE_SEGMENT: u8 = 1 << 5;
const ZSTD_RESERVED: u8 = 1 << 3;

/// Compressed data with a framing that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compressed<'a> {
    compression: Compression,
    bytes: &'a [u8],
    decompressed_len: Option<u64>,
}

impl<'a> Compressed<'a> {
    /// Reads the header and the trailer of a gzip member that fills `bytes`.
    pub fn gzip(bytes: &'a [u8]) -> Result<Self, CompressedError> {
        let compression = Compression::Gzip;
        let len = bytes.len();
        let too_short = CompressedError::TooShort { compression, len };

        if !bytes.starts_with(GZIP_MAGIC) {
            return Err(CompressedError::Magic { compression });
        }
        let method = read_u8(bytes, GZIP_METHOD).ok_or(too_short)?;
        if method != METHOD_DEFLATE {
            return Err(CompressedError::Method { found: method });
        }
        let flags = read_u8(bytes, GZIP_FLAGS).ok_or(too_short)?;
        if flags & GZIP_RESERVED != 0 {
            return Err(CompressedError::Reserved {
                compression,
                found: flags,
            });
        }
        let data = skip_gzip_fields(bytes, flags).ok_or(too_short)?;
        let data_len = data.len().checked_sub(GZIP_TRAILER_LEN).ok_or(too_short)?;
        let decompressed_len = data_len
            .checked_add(4)
            .and_then(|at| read_u32(data, at))
            .map(u64::from)
            .ok_or(too_short)?;
        check_len(decompressed_len)?;
        if decompressed_len > to_u64(data_len).saturating_mul(DEFLATE_RATIO_MAX) {
            return Err(CompressedError::Ratio {
                len: data_len,
                decompressed_len,
            });
        }
        Ok(Self {
            compression,
            bytes,
            decompressed_len: Some(decompressed_len),
        })
    }

    /// Reads the header of the zstd frame at the start of `bytes`.
    pub fn zstd(bytes: &'a [u8]) -> Result<Self, CompressedError> {
        let compression = Compression::Zstd;
        let len = bytes.len();
        let too_short = CompressedError::TooShort { compression, len };

        if read_u32(bytes, 0) != Some(ZSTD_MAGIC) {
            return Err(CompressedError::Magic { compression });
        }
        let descriptor = read_u8(bytes, ZSTD_DESCRIPTOR).ok_or(too_short)?;
        if descriptor & ZSTD_RESERVED != 0 {
            return Err(CompressedError::Reserved {
                compression,
                found: descriptor,
            });
        }
        let single_segment = descriptor & ZSTD_SINGLE_SEGMENT != 0;
        let mut at = ZSTD_DESCRIPTOR + 1;
        let mut window = None;
        if !single_segment {
            let byte = read_u8(bytes, at).ok_or(too_short)?;
            // An exponent of at most 41 and a mantissa of eighths.
            let base = 1_u64 << (10 + (byte >> 3));
            window = Some(base + base / 8 * u64::from(byte & 7));
            at += 1;
        }
        let dictionary_len = match descriptor & 3 {
            3 => 4,
            len => usize::from(len),
        };
        let dictionary = bytes.get(at..at + dictionary_len).ok_or(too_short)?;
        if dictionary.iter().any(|byte| *byte != 0) {
            return Err(CompressedError::Dictionary);
        }
        at += dictionary_len;
        let decompressed_len = match descriptor >> 6 {
            0 if !single_segment => None,
            0 => Some(u64::from(read_u8(bytes, at).ok_or(too_short)?)),
            1 => Some(u64::from(read_u16(bytes, at).ok_or(too_short)?) + 256),
            2 => Some(u64::from(read_u32(bytes, at).ok_or(too_short)?)),
            _ => Some(read_u64(bytes, at).ok_or(too_short)?),
        };
        if let Some(len) = decompressed_len {
            check_len(len)?;
        }
        // A single segment needs no window, because it is decompressed in one piece.
        if let Some(len) = window.filter(|len| *len > ZSTD_WINDOW_MAX) {
            return Err(CompressedError::Window { len });
        }
        Ok(Self {
            compression,
            bytes,
            decompressed_len,
        })
    }

    /// Looks for the magic number of an xz file. All the rest has checksums, which its decompressor
    /// compares.
    pub fn xz(bytes: &'a [u8]) -> Result<Self, CompressedError> {
        let compression = Compression::Xz;
        if !bytes.starts_with(XZ_MAGIC) {
            return Err(CompressedError::Magic { compression });
        }
        if bytes.len() < XZ_LEN_MIN {
            return Err(CompressedError::TooShort {
                compression,
                len: bytes.len(),
            });
        }
        Ok(Self::without_len(compression, bytes))
    }

    /// Looks for the magic number of a legacy frame of LZ4, which has no other header.
    pub fn lz4(bytes: &'a [u8]) -> Result<Self, CompressedError> {
        let compression = Compression::Lz4;
        match read_u32(bytes, 0) {
            Some(LZ4_MAGIC) => Ok(Self::without_len(compression, bytes)),
            _ => Err(CompressedError::Magic { compression }),
        }
    }

    /// Reads the header of a file of lzop.
    pub fn lzo(bytes: &'a [u8]) -> Result<Self, CompressedError> {
        blocks::skip_lzop_header(bytes)?;
        Ok(Self::without_len(Compression::Lzo, bytes))
    }

    const fn without_len(compression: Compression, bytes: &'a [u8]) -> Self {
        Self {
            compression,
            bytes,
            decompressed_len: None,
        }
    }

    /// Takes over a length that follows the data. If the framing tells a length, the two have to
    /// agree.
    pub(crate) fn with_appended_len(self, appended: u64) -> Result<Self, CompressedError> {
        check_len(appended)?;
        match self.decompressed_len {
            Some(frame) if frame != appended => Err(CompressedError::Disagree { frame, appended }),
            _ => Ok(Self {
                decompressed_len: Some(appended),
                ..self
            }),
        }
    }

    /// The compression of the data.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// The data with their framing.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The data as their decompressor takes them: deflate's blocks without gzip's framing, or the
    /// whole of other data. Those of LZ4 and LZO are for [`Self::decompress_blocks`].
    pub fn data(&self) -> &'a [u8] {
        match self.compression {
            Compression::Zstd | Compression::Xz | Compression::Lz4 | Compression::Lzo => self.bytes,
            // The framing was checked when it was read.
            Compression::Gzip => read_u8(self.bytes, GZIP_FLAGS)
                .and_then(|flags| skip_gzip_fields(self.bytes, flags))
                .and_then(|data| data.get(..data.len().checked_sub(GZIP_TRAILER_LEN)?))
                .unwrap_or_default(),
        }
    }

    /// The CRC-32 of the decompressed kernel, if the framing has one that the decompressor does not
    /// see.
    pub fn crc32(&self) -> Option<u32> {
        match self.compression {
            Compression::Gzip => {
                read_u32(self.bytes, self.bytes.len().checked_sub(GZIP_TRAILER_LEN)?)
            }
            _ => None,
        }
    }

    /// Decompresses LZ4 or LZO to the start of `out`, block by block, and returns the length. None
    /// if the data are damaged, or longer than `out`.
    ///
    /// `decompress` fills its second argument with what it makes of the first, and returns the
    /// length; none if that is too long, or if the block is damaged.
    pub fn decompress_blocks(
        &self,
        out: &mut [u8],
        decompress: impl FnMut(&[u8], &mut [u8]) -> Option<usize>,
    ) -> Option<usize> {
        match self.compression {
            Compression::Lz4 => blocks::lz4(self.bytes, out, decompress),
            Compression::Lzo => blocks::lzo(self.bytes, out, decompress),
            _ => None,
        }
    }

    /// The length of the decompressed kernel, if the framing tells it. Otherwise it is at most
    /// [`DECOMPRESSED_LEN_MAX`].
    pub fn decompressed_len(&self) -> Option<u64> {
        self.decompressed_len
    }

    /// Checks the length of the decompressed kernel.
    pub fn check_decompressed(&self, len: u64) -> Result<(), CompressedError> {
        match self.decompressed_len {
            Some(expected) if expected != len => Err(CompressedError::WrongLen { expected }),
            _ => check_len(len),
        }
    }
}

/// The data after the header and its optional fields.
fn skip_gzip_fields(bytes: &[u8], flags: u8) -> Option<&[u8]> {
    let mut rest = bytes.get(GZIP_HEADER_LEN..)?;
    if flags & FEXTRA != 0 {
        let len = usize::from(read_u16(rest, 0)?);
        rest = rest.get(2..)?.get(len..)?;
    }
    for flag in [FNAME, FCOMMENT] {
        if flags & flag != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end..)?.get(1..)?;
        }
    }
    if flags & FHCRC != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}

/// Refuses an empty kernel and one that is too long.
fn check_len(len: u64) -> Result<(), CompressedError> {
    match len {
        0 => Err(CompressedError::Empty),
        1..=DECOMPRESSED_LEN_MAX => Ok(()),
        _ => Err(CompressedError::TooLong { len }),
    }
}
