// SPDX-License-Identifier: GPL-2.0

//! The ways in which a kernel can be compressed, and their limits.

/// The first bytes of a gzip file (RFC 1952).
pub const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
/// The first four bytes of a zstd frame (RFC 8878).
pub const ZSTD_MAGIC: u32 = 0xfd2f_b528;
/// The first bytes of an xz file ("The .xz File Format", section 2.1.1.1).
pub const XZ_MAGIC: &[u8] = b"\xfd7zXZ\0";
/// The first four bytes of a legacy frame of LZ4 ("LZ4 Frame Format Description").
pub const LZ4_MAGIC: u32 = 0x184c_2102;
/// The first bytes of a file of lzop.
pub const LZOP_MAGIC: &[u8] = b"\x89LZO\0\r\n\x1a\n";
/// The first bytes of a bzip2 file.
pub const BZIP2_MAGIC: &[u8] = b"BZh";
/// The first bytes of an LZMA file with the properties that all encoders choose.
pub const LZMA_MAGIC: &[u8] = b"\x5d\0\0";

/// The longest kernel that is decompressed.
pub const DECOMPRESSED_LEN_MAX: u64 = 1 << 30;
/// The largest window of a zstd frame that is decompressed: that of `zstd --ultra -22`.
pub const ZSTD_WINDOW_MAX: u64 = 1 << 27;

/// The compression of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Deflate in a gzip member.
    Gzip,
    /// A zstd frame.
    Zstd,
    /// An xz file.
    Xz,
    /// Blocks of LZ4 in its legacy frame.
    Lz4,
    /// Blocks of LZO1X in a file of lzop.
    Lzo,
}

impl Compression {
    /// The name in the kernel's build.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Lz4 => "lz4",
            Self::Lzo => "lzo",
        }
    }
}
