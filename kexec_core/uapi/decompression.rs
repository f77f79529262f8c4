// SPDX-License-Identifier: GPL-2.0

//! When the loaded kernel is decompressed.

/// When the loaded kernel is decompressed, and why not at load. The number is the one in
/// [`super::Status::decompression`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decompression {
    /// The kernel has no compressed one in it: a vmlinux, or an arm64 Image.
    None = 1,
    /// The kernel in a bzImage was decompressed at load, and is what is entered.
    AtLoad = 2,
    /// The bzImage does not say where its kernel is.
    NoPayload = 3,
    /// The kernel in the bzImage is compressed in a way that is not known.
    Unknown = 4,
    /// The kernel in the bzImage is compressed by bzip2 or LZMA.
    NotExported = 5,
    /// The running kernel was built without the decompressor.
    NoDecompressor = 6,
    /// The running kernel had no memory for the decompressed kernel.
    OutOfMemory = 7,
    /// The decompressed kernel is no ELF file that can be entered.
    NotElf = 8,
    /// The decompressed kernel has no place in the crash region.
    NoRoom = 9,
    /// The levels of page tables have to change, and the crash region is not where they can.
    Paging = 10,
    /// The command line switches memory encryption on, which the bzImage's own code prepares.
    MemoryEncryption = 11,
    /// A reboot enters it, and the bzImage's own code chooses random addresses for it.
    RandomAddresses = 12,
}

impl Decompression {
    /// Every value, in the order of the numbers.
    pub const ALL: [Self; 12] = [
        Self::None,
        Self::AtLoad,
        Self::NoPayload,
        Self::Unknown,
        Self::NotExported,
        Self::NoDecompressor,
        Self::OutOfMemory,
        Self::NotElf,
        Self::NoRoom,
        Self::Paging,
        Self::MemoryEncryption,
        Self::RandomAddresses,
    ];

    /// The value with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|value| *value as u32 == number)
    }

    /// The name of the time, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::AtLoad => "at load",
            Self::RandomAddresses => "at the reboot",
            _ => "at the crash",
        }
    }

    /// The reason for which the bzImage decompresses itself at the crash, if it does.
    pub const fn reason(self) -> Option<&'static str> {
        Some(match self {
            Self::None | Self::AtLoad => return None,
            Self::NoPayload => "the bzImage does not say where its kernel is",
            Self::Unknown => "the bzImage's kernel is compressed in a way that is not known here",
            Self::NotExported => {
                "the bzImage's kernel is compressed by bzip2 or LZMA, for which modules have no \
                 decompressor"
            }
            Self::NoDecompressor => "the running kernel was built without the decompressor",
            Self::OutOfMemory => "there was no memory to decompress it to",
            Self::NotElf => "what is in the bzImage is no ELF kernel that can be entered",
            Self::NoRoom => "the decompressed kernel has no place in the crash region",
            Self::Paging => {
                "the number of page table levels has to change, and the crash region ends above \
                 4 GiB"
            }
            Self::MemoryEncryption => "the command line has mem_encrypt=on",
            Self::RandomAddresses => {
                "it chooses its addresses at random; with nokaslr on its command line it would be at load"
            }
        })
    }
}
