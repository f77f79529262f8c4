// SPDX-License-Identifier: GPL-2.0

//! The note in which the crash path and the purgatory leave when they got how far.

use crate::{
    arch::time,
    compat::prelude::*,
    refusal::Refusal,
    sys::{
        cpu,
        physical, //
    }, //
};
use core::{
    mem::size_of_val,
    sync::atomic::{
        AtomicU64,
        Ordering, //
    }, //
};
use kexec_core::{
    dump::report::{
        circumstances_word,
        cpu_word,
        encode,
        report_len,
        Circumstances,
        Means,
        Moment,
        CONTENTS,
        NOT_STOPPED, //
    },
    types::ranges::Range, //
};

const WORD: usize = size_of::<u64>();

/// The note, in memory of its own outside the region, because the crash writes to it.
pub(crate) struct CrashReport {
    words: KVec<AtomicU64>,
}

impl CrashReport {
    /// An empty one.
    pub(super) fn new() -> Result<Self, Refusal> {
        let mut bytes: KVec<u8> = KVec::new();
        bytes.extend_with(report_len(cpu::ids()), 0, GFP_KERNEL)?;
        encode(&mut bytes, cpu::ids(), time::frequency())?;
        // A power of two, so that kmalloc() aligns the words and they do not cross a page.
        let mut words = KVec::with_capacity(bytes.len().next_power_of_two() / WORD, GFP_KERNEL)?;
        for word in bytes.chunks_exact(WORD) {
            let word = word.try_into().map_or(0, u64::from_le_bytes);
            words.push(AtomicU64::new(word), GFP_KERNEL)?;
        }
        Ok(Self { words })
    }

    /// Where the note is.
    pub(crate) fn memory(&self) -> Range {
        let len = size_of_val(&self.words[..]);
        // SAFETY: The words are so many initialised bytes; only their address is used.
        let bytes = unsafe { core::slice::from_raw_parts(self.words.as_ptr().cast(), len) };
        Range::from_start_len(physical::address_of(bytes), len as u64).unwrap_or_default()
    }

    /// Where its contents are.
    pub(crate) fn contents(&self) -> u64 {
        self.memory().start() + CONTENTS as u64
    }

    fn word(&self, number: usize) -> Option<&AtomicU64> {
        self.words.get((CONTENTS / WORD).saturating_add(number))
    }

    fn write(&self, number: usize, value: u64) {
        if let Some(word) = self.word(number) {
            word.store(value, Ordering::Release);
        }
    }

    /// Notes that the crash path has come so far.
    pub(crate) fn reached(&self, moment: Moment) {
        self.write(moment.word(), time::counter());
    }

    /// Notes that a CPU stops. For the CPU itself.
    pub(crate) fn stopped(&self, cpu: usize, circumstances: Circumstances) {
        self.write(circumstances_word(cpu), circumstances.word());
        self.write(cpu_word(cpu), time::counter());
    }

    /// Notes that a CPU has stopped, unless it has noted so itself: the kernel stopped it before.
    pub(crate) fn found_stopped(&self, cpu: usize) {
        if let Some(word) = self.word(cpu_word(cpu)) {
            let now = time::counter();
            // Whatever else is there, the CPU knows better.
            let first = word.compare_exchange(0, now, Ordering::AcqRel, Ordering::Acquire);
            if first.is_ok() {
                let by_the_kernel = Circumstances::new(Means::Kernel);
                self.write(circumstances_word(cpu), by_the_kernel.word());
            }
        }
    }

    /// Notes that a CPU did not stop.
    pub(crate) fn not_stopped(&self, cpu: usize) {
        self.write(cpu_word(cpu), NOT_STOPPED);
    }
}
