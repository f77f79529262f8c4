// SPDX-License-Identifier: GPL-2.0

//! A note of the module's own in the dump. It says when the stages of the crash were reached, and
//! which CPUs stopped.
//!
//! Its contents are 64-bit words: the version, the ticks of the counter in a second, the number of
//! CPUs, the counter at each [`Moment`], and one word for each CPU. A stage that was not reached is
//! 0; so are those from [`Moment::Left`] on where the crash was given up, because the purgatory was
//! damaged. The word of a CPU is the counter when the CPU stopped, 0 if it was off, or
//! [`NOT_STOPPED`]. With `crash_kexec_post_notifiers` the kernel stops the CPUs by itself; then it is
//! the counter when that was found.

use crate::dump::note::{desc_offset, note_len, write_head, NoteError};
use crate::types::bytes::write;

/// Name of the note.
pub const REPORT_NAME: &[u8] = b"RUST_KEXEC";
/// Type of the note. No other note has this type.
pub const NT_REPORT: u32 = 0x524b_0001;
/// The first word.
pub const VERSION: u64 = 1;
/// A CPU that was running and did not stop in time. Its registers are not in the dump.
pub const NOT_STOPPED: u64 = u64::MAX;

const NAME_LEN: usize = REPORT_NAME.len() + 1;
/// Offset of the contents in the note.
pub const CONTENTS: usize = desc_offset(NAME_LEN);
/// The number of words before those of the CPUs.
const HEAD_WORDS: usize = 8;
const WORD: usize = 8;

/// The stages of a crash, with the numbers of their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The first hook was called.
    Noticed = 3,
    /// The other CPUs had stopped, or the time limit was over.
    Stopped = 4,
    /// The purgatory was intact, interrupts were silenced, and the purgatory was jumped to.
    Left = 5,
    /// The purgatory had started to run on its own stack.
    PurgatoryEntered = 6,
    /// The digests held, and the capture kernel was entered.
    Checked = 7,
}

impl Moment {
    /// The number of its word in the contents.
    pub const fn word(self) -> usize {
        self as usize
    }
}

/// The number of a CPU's word in the contents.
pub const fn cpu_word(cpu: usize) -> usize {
    HEAD_WORDS.saturating_add(cpu)
}

/// Length of the note for `cpus` CPUs, in whole words.
pub const fn report_len(cpus: usize) -> usize {
    note_len(NAME_LEN, cpu_word(cpus).saturating_mul(WORD))
}

/// Writes a note without any stage, and returns its length.
pub fn encode(out: &mut [u8], cpus: usize, frequency: u64) -> Result<usize, NoteError> {
    let needed = report_len(cpus);
    if u32::try_from(needed).is_err() || needed > out.len() {
        return Err(NoteError::Buffer {
            needed,
            len: out.len(),
        });
    }
    let desc_len = needed.saturating_sub(CONTENTS);
    write_head(out, REPORT_NAME, NT_REPORT, desc_len);
    for (number, word) in [VERSION, frequency, cpus as u64].into_iter().enumerate() {
        let offset = number.saturating_mul(WORD).saturating_add(CONTENTS);
        write(out, offset, &word.to_le_bytes());
    }
    Ok(needed)
}

const _: () = {
    assert!(CONTENTS == 24);
    assert!(Moment::Checked.word() + 1 == HEAD_WORDS);
    assert!(report_len(1) == CONTENTS + 9 * WORD);
};

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use crate::dump::note::Notes;
    use std::vec;

    #[test]
    fn a_new_report_is_a_note_of_which_nothing_but_the_head_is_filled_in() {
        let mut out = vec![0xaa; report_len(3) + 4];
        assert_eq!(encode(&mut out, 3, 62_500_000), Ok(report_len(3)));
        assert_eq!(out[report_len(3)..], [0xaa; 4]);
        let note = Notes::new(&out[..report_len(3)]).next().unwrap().unwrap();
        assert_eq!((note.name, note.note_type), (REPORT_NAME, NT_REPORT));
        let words = note.desc.chunks_exact(WORD);
        let words = words.map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        assert!(words.eq([1, 62_500_000, 3, 0, 0, 0, 0, 0, 0, 0, 0]));
        assert_eq!(
            encode(&mut [0; 24], 0, 0),
            Err(NoteError::Buffer {
                needed: report_len(0),
                len: 24
            })
        );
    }
}
