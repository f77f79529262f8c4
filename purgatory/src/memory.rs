// SPDX-License-Identifier: GPL-2.0

//! Views of physical memory, and the words that this program writes to it.

use core::mem::size_of;
use kexec_core::handover::Table;
use kexec_core::report::Moment;

/// The bytes of the table, for its digest.
pub fn bytes_of(table: &Table) -> &[u8] {
    // SAFETY: A `Table` is `repr(C)` without padding (its layout is asserted beside its
    // definition), so each of its bytes is initialised; the borrow lasts as long as the table's.
    unsafe { core::slice::from_raw_parts((table as *const Table).cast(), size_of::<Table>()) }
}

/// The `len` bytes at physical address `start`.
///
/// # Safety
///
/// The range must be identity-mapped memory that nobody writes while the slice lives.
pub unsafe fn physical<'a>(start: u64, len: u64) -> &'a [u8] {
    // SAFETY: The caller vouches for the range.
    unsafe { core::slice::from_raw_parts(start as usize as *const u8, len as usize) }
}

/// Writes the counter's value at a moment into the crash report at physical address `report`.
///
/// # Safety
///
/// A report must be there, identity-mapped, and used by nobody else.
pub unsafe fn report(report: u64, moment: Moment, counter: u64) {
    let words = report as usize as *mut u64;
    // SAFETY: By this function's contract; a report has a word for each moment.
    unsafe { words.add(moment.word()).write_volatile(counter) };
}
