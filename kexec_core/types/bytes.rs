// SPDX-License-Identifier: GPL-2.0

//! Fields in byte slices, without an index that could be out of bounds. Numbers are little-endian
//! unless a name says otherwise.

/// The file formats and memory maps handled here need 64-bit addresses, so a length in memory and
/// a length in a file convert into each other without loss.
const _: () = assert!(usize::BITS == u64::BITS);

/// A length as a 64-bit number.
pub(crate) const fn to_u64(len: usize) -> u64 {
    len as u64
}

/// A 64-bit number as a length.
pub(crate) const fn to_usize(len: u64) -> usize {
    len as usize
}

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..)?.first_chunk().copied()
}

/// Reads the byte at `offset`.
pub(crate) fn read_u8(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// Reads the 16-bit number at `offset`.
pub(crate) fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

/// Reads the 32-bit number at `offset`.
pub(crate) fn read_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

/// Reads the 64-bit number at `offset`.
pub(crate) fn read_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_le_bytes)
}

/// Reads the big-endian 16-bit number at `offset`.
pub(crate) fn read_be_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_be_bytes)
}

/// Reads the big-endian 32-bit number at `offset`.
pub(crate) fn read_be_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_be_bytes)
}

/// Reads the big-endian 64-bit number at `offset`.
pub(crate) fn read_be_u64(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_be_bytes)
}

/// Copies as much of `field` to `offset` as `out` has room for.
///
/// Callers write fields of a fixed layout into an array, or into a buffer whose length they have
/// checked, so the whole field fits. A field that does not fit is cut, so that this function cannot
/// fail.
pub(crate) fn write(out: &mut [u8], offset: usize, field: &[u8]) {
    let room = out.get_mut(offset..).unwrap_or_default();
    for (to, from) in room.iter_mut().zip(field) {
        *to = *from;
    }
}

/// `value` rounded up to a multiple of `alignment`, a power of two.
pub(crate) const fn align_up(value: u64, alignment: u64) -> Option<u64> {
    if !alignment.is_power_of_two() {
        return None;
    }
    value.checked_next_multiple_of(alignment)
}
