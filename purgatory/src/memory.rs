// SPDX-License-Identifier: GPL-2.0

//! Physical memory: views of it, and this program's writes.

use crate::arch;
use core::mem::size_of;
use core::sync::atomic::{AtomicU64, Ordering};
use kexec_core::dump::elfcorehdr::slots::{Selection, Slots};
use kexec_core::dump::report::Moment;
use kexec_core::handover::purgatory::Table;

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
/// The range must be identity-mapped memory that is not written while the slice lives.
pub unsafe fn physical<'a>(start: u64, len: u64) -> &'a [u8] {
    // SAFETY: The caller vouches for the range.
    unsafe { core::slice::from_raw_parts(start as usize as *const u8, len as usize) }
}

/// Writes the counter's value at a moment into the crash report at physical address `report`.
///
/// # Safety
///
/// A report must be there, identity-mapped, and not used by other code.
pub unsafe fn report(report: u64, moment: Moment, counter: u64) {
    let words = report as usize as *mut u64;
    // SAFETY: By this function's contract; a report has a word for each moment.
    unsafe { words.add(moment.word()).write_volatile(counter) };
}

/// The selection of the ELF core header in force, if it can be read.
///
/// # Safety
///
/// The slots must be identity-mapped.
pub unsafe fn selection(slots: &Slots) -> Option<Selection> {
    let place = slots.selection()?;
    // SAFETY: By this function's contract; the selection begins with an aligned word. An
    // acquiring read of the word sees all writes before the word's.
    unsafe { AtomicU64::from_ptr(place.start() as usize as *mut u64) }.load(Ordering::Acquire);
    // SAFETY: As above; the other CPUs have stopped.
    Selection::decode(unsafe { physical(place.start(), place.len()) })
}

/// Puts the ELF core header where the capture kernel looks for it: into the first slot.
///
/// # Safety
///
/// `header` must be in one of the slots, and the rest of the slots must not be used any more.
pub unsafe fn place_elfcorehdr(slots: &Slots, header: &[u8]) {
    if header.as_ptr() as u64 != slots.start {
        let first = slots.start as usize as *mut u8;
        // SAFETY: The header is in the other slot, and both slots have the same length.
        unsafe { core::ptr::copy_nonoverlapping(header.as_ptr(), first, header.len()) };
        arch::publish(slots.start, header.len() as u64);
    }
}
