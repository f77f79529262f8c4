// SPDX-License-Identifier: GPL-2.0

//! What the relocator is told: the code that copies an image to its place when the machine reboots, and then
//! enters the purgatory there.
//!
//! It sees the image's pages through a window: addresses, in page tables of its own, at which they follow
//! each other as they will in their place. So the page tables are the list of what is copied where.

use core::mem::{
    offset_of,
    size_of, //
};

use crate::types::bytes;

/// What the relocator is told, in its own page.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Physical address of the top table that it copies with. The one that it is entered with has the running
    /// kernel's addresses as well, whose tables are overwritten.
    pub tables: u64,
    /// Where the window begins.
    pub window: u64,
    /// Physical address of the place.
    pub place: u64,
    /// Length of the window and the place in bytes, a multiple of [`Self::UNIT`].
    pub len: u64,
    /// Where the window has the purgatory, whose copy is compared: nobody else can do that.
    pub purgatory_window: u64,
    /// Physical address of the purgatory in the place, which is entered at its first byte.
    pub purgatory: u64,
    /// Length of the purgatory in bytes, a multiple of [`Self::UNIT`].
    pub purgatory_len: u64,
    /// Physical address of the purgatory's top table.
    pub purgatory_tables: u64,
    /// Physical address of the purgatory's table of what to check.
    pub table: u64,
}

/// Length of [`Parameters`] in bytes.
pub const PARAMETERS_LEN: usize = size_of::<Parameters>();

impl Parameters {
    /// How many bytes the relocators copy at a time at most. Pages consist of these.
    pub const UNIT: u64 = 64;

    /// Encodes them as the relocator finds them.
    pub fn encode(&self) -> [u8; PARAMETERS_LEN] {
        let mut out = [0; PARAMETERS_LEN];
        for (offset, field) in [
            (offset_of!(Self, tables), self.tables),
            (offset_of!(Self, window), self.window),
            (offset_of!(Self, place), self.place),
            (offset_of!(Self, len), self.len),
            (offset_of!(Self, purgatory_window), self.purgatory_window),
            (offset_of!(Self, purgatory), self.purgatory),
            (offset_of!(Self, purgatory_len), self.purgatory_len),
            (offset_of!(Self, purgatory_tables), self.purgatory_tables),
            (offset_of!(Self, table), self.table),
        ] {
            bytes::write(&mut out, offset, &field.to_le_bytes());
        }
        out
    }
}

// The relocators' code has these numbers.
const _: () = {
    assert!(offset_of!(Parameters, tables) == 0);
    assert!(offset_of!(Parameters, window) == 8);
    assert!(offset_of!(Parameters, place) == 16);
    assert!(offset_of!(Parameters, len) == 24);
    assert!(offset_of!(Parameters, purgatory_window) == 32);
    assert!(offset_of!(Parameters, purgatory) == 40);
    assert!(offset_of!(Parameters, purgatory_len) == 48);
    assert!(offset_of!(Parameters, purgatory_tables) == 56);
    assert!(offset_of!(Parameters, table) == 64);
    assert!(PARAMETERS_LEN == 72);
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_encoded_where_the_code_looks_for_it() {
        let parameters = Parameters {
            tables: 1,
            window: 2,
            place: 3,
            len: 4,
            purgatory_window: 5,
            purgatory: 6,
            purgatory_len: 7,
            purgatory_tables: 8,
            table: 9,
        };
        let encoded = parameters.encode();
        for (number, word) in (1..).zip(encoded.chunks_exact(8)) {
            assert_eq!(bytes::read_u64(word, 0), Some(number));
        }
    }
}
