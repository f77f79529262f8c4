// SPDX-License-Identifier: GPL-2.0

//! The ways in which a kernel can be compressed, and their limits.

/// The first bytes of a gzip file (RFC 1952).
pub const GZIP_MAGIC: &[u8] = b"\x1f\x8b";
/// The first four bytes of a zstd frame (RFC 8878).
pub const ZSTD_MAGIC: u32 = 0xfd2f_b528;

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
}

impl Compression {
    /// The name in the kernel's build.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}
