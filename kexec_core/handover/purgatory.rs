// SPDX-License-Identifier: GPL-2.0

//! The structures that the module leaves for the purgatory: the table of segments to check and of
//! addresses to enter, and the console for its messages.
//!
//! The table is built at load and is a segment of its own in the reserved region. It ends with a
//! SHA-256 of itself, so that the purgatory notices a flipped byte in it like one in any other
//! segment. The console is not in the table, but in the head of the purgatory, because it is needed when the
//! table is bad.

use core::mem::{
    offset_of,
    size_of, //
};

use crate::{
    dump::elfcorehdr::slots::Slots,
    types::{
        bytes,
        digest::Checked, //
    }, //
};

/// The table's first eight bytes.
pub const MAGIC: u64 = u64::from_le_bytes(*b"RKEXTABL");

/// Most segments that the purgatory checks.
pub const CHECKED_MAX: usize = 14;

/// [`Head::console_kind`]: say nothing.
pub const CONSOLE_NONE: u32 = 0;
/// [`Head::console_kind`]: an 8250 UART with I/O ports (x86).
pub const CONSOLE_UART8250_PORT: u32 = 1;
/// [`Head::console_kind`]: a PL011 UART in memory (arm64).
pub const CONSOLE_PL011: u32 = 2;

/// [`Table::flags`]: the kernel is entered with four levels of page tables, though the crashed kernel
/// had five (x86).
pub const FOUR_LEVEL_PAGING: u32 = 1 << 0;
/// [`Table::flags`]: the kernel is entered at EL2, by the call that the running kernel's code there takes
/// (arm64; `HVC_SOFT_RESTART` in the kernel's asm/virt.h).
pub const ENTER_AT_EL2: u32 = 1 << 1;

/// The first bytes of the purgatory.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The code that is entered.
    pub code: [u8; 16],
    /// I/O port or physical address of the console.
    pub console_base: u64,
    /// One of the `CONSOLE_` constants.
    pub console_kind: u32,
    /// 0.
    pub reserved: u32,
}

impl Head {
    /// Writes the console into the head of `purgatory`.
    pub fn set_console(purgatory: &mut [u8], kind: u32, base: u64) {
        bytes::write(
            purgatory,
            offset_of!(Self, console_base),
            &base.to_le_bytes(),
        );
        bytes::write(
            purgatory,
            offset_of!(Self, console_kind),
            &kind.to_le_bytes(),
        );
    }
}

/// The table that the purgatory reads.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// [`MAGIC`].
    pub magic: u64,
    /// Physical address at which the capture kernel is entered.
    pub entry: u64,
    /// Physical address of the boot_params or the device tree.
    pub argument: u64,
    /// Physical address of the contents of a [`crate::dump::report`], outside the region; 0 in an image
    /// that is not for a crash.
    pub report: u64,
    /// The slots of the elfcorehdr, or [`Slots::NONE`]. Its digest is not in this table.
    pub elfcorehdr: Slots,
    /// The number of valid entries of `checked`.
    pub checked_count: u32,
    /// The way in which the kernel is entered: [`FOUR_LEVEL_PAGING`], [`ENTER_AT_EL2`] or 0.
    pub flags: u32,
    /// The ranges to check, in this order.
    pub checked: [Checked; CHECKED_MAX],
    /// SHA-256 of all bytes before this field.
    pub sha256: [u8; 32],
}

const ELFCOREHDR: usize = offset_of!(Table, elfcorehdr);

/// The number of bytes of a [`Table`] that its own digest covers.
pub const DIGESTED_LEN: usize = offset_of!(Table, sha256);

impl Default for Table {
    fn default() -> Self {
        Self {
            magic: MAGIC,
            entry: 0,
            argument: 0,
            report: 0,
            elfcorehdr: Slots::default(),
            checked_count: 0,
            flags: 0,
            checked: [Checked::default(); CHECKED_MAX],
            sha256: [0; 32],
        }
    }
}

/// Length of a [`Table`] in bytes.
pub const TABLE_LEN: usize = size_of::<Table>();

impl Table {
    /// Encodes the table as the purgatory finds it in memory.
    pub fn encode(&self) -> [u8; TABLE_LEN] {
        let mut out = [0; TABLE_LEN];
        for (offset, field) in [
            (offset_of!(Self, magic), self.magic),
            (offset_of!(Self, entry), self.entry),
            (offset_of!(Self, argument), self.argument),
            (offset_of!(Self, report), self.report),
            (offset_of!(Self, elfcorehdr.start), self.elfcorehdr.start),
            (
                offset_of!(Self, elfcorehdr.slot_len),
                self.elfcorehdr.slot_len,
            ),
        ] {
            bytes::write(&mut out, offset, &field.to_le_bytes());
        }
        for (offset, field) in [
            (offset_of!(Self, checked_count), self.checked_count),
            (offset_of!(Self, flags), self.flags),
        ] {
            bytes::write(&mut out, offset, &field.to_le_bytes());
        }
        let checked = out.get_mut(offset_of!(Self, checked)..).unwrap_or_default();
        for (place, checked) in checked
            .chunks_exact_mut(size_of::<Checked>())
            .zip(&self.checked)
        {
            checked.encode(place);
        }
        bytes::write(&mut out, offset_of!(Self, sha256), &self.sha256);
        out
    }

    /// Reads a table from memory, whatever it says.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut checked = [Checked::default(); CHECKED_MAX];
        let encoded = bytes.get(offset_of!(Self, checked)..DIGESTED_LEN)?;
        for (place, bytes) in checked
            .iter_mut()
            .zip(encoded.chunks_exact(size_of::<Checked>()))
        {
            *place = Checked::decode(bytes)?;
        }
        let number = |offset| bytes::read_u64(bytes, offset);
        Some(Self {
            magic: number(offset_of!(Self, magic))?,
            entry: number(offset_of!(Self, entry))?,
            argument: number(offset_of!(Self, argument))?,
            report: number(offset_of!(Self, report))?,
            elfcorehdr: Slots {
                start: number(offset_of!(Self, elfcorehdr.start))?,
                slot_len: number(offset_of!(Self, elfcorehdr.slot_len))?,
            },
            checked_count: bytes::read_u32(bytes, offset_of!(Self, checked_count))?,
            flags: bytes::read_u32(bytes, offset_of!(Self, flags))?,
            checked,
            sha256: *bytes.get(offset_of!(Self, sha256)..)?.first_chunk()?,
        })
    }
}

const _: () = {
    assert!(size_of::<Head>() == 32);
    assert!(offset_of!(Head, console_base) == 16);
    assert!(offset_of!(Head, console_kind) == 24);
    assert!(ELFCOREHDR == 32);
    assert!(size_of::<Slots>() == 16);
    assert!(offset_of!(Table, flags) == 52);
    assert!(offset_of!(Table, checked) == 56);
    assert!(DIGESTED_LEN == 56 + CHECKED_MAX * 56);
    assert!(size_of::<Table>() == DIGESTED_LEN + 32);
};
