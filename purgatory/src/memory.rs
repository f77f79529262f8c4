// SPDX-License-Identifier: GPL-2.0

//! Physical memory: views of it, and this program's writes.

use crate::arch;
use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kexec_core::{
    dump::{
        elfcorehdr::slots::Slots,
        report::Moment, //
    },
    handover::check::Memory,
    types::{
        digest::{
            xxh64,
            Algorithm,
            DIGEST_LEN, //
        },
        ranges::Range, //
    }, //
};
use sha2::{
    Digest,
    Sha256, //
};

/// Physical memory, identity-mapped.
///
/// # Invariants
///
/// The reserved region is identity-mapped, and nobody writes to it.
pub struct Physical(());

impl Physical {
    /// # Safety
    ///
    /// The reserved region must be identity-mapped memory that is not written while the value lives.
    pub unsafe fn new() -> Self {
        // INVARIANT: The caller vouches for it.
        Self(())
    }
}

impl Memory for Physical {
    fn bytes(&self, range: Range) -> Option<&[u8]> {
        let (start, len) = (range.start() as usize as *const u8, range.len() as usize);
        // SAFETY: By the type's invariant. The ranges are the table, which the module's caller names,
        // and then those that the module recorded: its digest held. Where none of this is so, an
        // exception says where it happened.
        Some(unsafe { core::slice::from_raw_parts(start, len) })
    }

    fn bytes_after_word(&self, range: Range) -> Option<&[u8]> {
        // SAFETY: As below; the range begins with an aligned word. An acquiring read of the word sees
        // all writes before the word's.
        unsafe { AtomicU64::from_ptr(range.start() as usize as *mut u64) }.load(Ordering::Acquire);
        self.bytes(range)
    }

    fn digest(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        Some(match algorithm {
            Algorithm::Sha256 => Sha256::digest(bytes).into(),
            Algorithm::Xxh64 => xxh64(&[], bytes),
        })
    }
}

/// Writes the counter's value at a moment into the crash report at physical address `report`, if there is
/// one: 0 stands for none.
///
/// # Safety
///
/// A report must be there, identity-mapped, and not used by other code.
pub unsafe fn report(report: u64, moment: Moment, counter: u64) {
    if report == 0 {
        return;
    }
    let words = report as usize as *mut u64;
    // SAFETY: By this function's contract; a report has a word for each moment.
    unsafe { words.add(moment.word()).write_volatile(counter) };
}

/// Puts the elfcorehdr where the capture kernel looks for it: into the first slot.
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
