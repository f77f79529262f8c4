// SPDX-License-Identifier: GPL-2.0

//! The crash report: a note of the module's own in the dump. It says when the stages of the crash
//! were reached, and of each CPU whether it stopped, when, by which means and in which context.
//!
//! Its contents are 64-bit words, little-endian:
//!
//! | word | |
//! |---|---|
//! | 0 | [`VERSION`] |
//! | 1 | ticks of the counter in a second |
//! | 2 | the number of CPUs, N |
//! | 3 to 10 | the counter at each [`Moment`], 0 where it was not reached |
//! | 11 to 11+2N-1 | two words for each CPU |
//!
//! A crash that was given up, because the loaded image was damaged, has no stage after [`Moment::Stopped`].
//!
//! The first word of a CPU is the counter when it stopped, 0 if it was off, or [`NOT_STOPPED`]. The
//! second one is its [`Circumstances`]. The counter is the time stamp counter (x86_64) or
//! `CNTVCT_EL0` (arm64).

pub mod lines;
pub mod reader;

use crate::{
    dump::note::{
        desc_offset,
        note_len,
        write_head,
        NoteError, //
    },
    types::bytes::write, //
};

/// Name of the note.
pub const REPORT_NAME: &[u8] = b"RUST_KEXEC";
/// Type of the note. No other note has this type.
pub const NT_REPORT: u32 = 0x524b_0001;
/// The first word.
pub const VERSION: u64 = 2;
/// A CPU that was running and did not stop in time. Its registers are not in the dump.
pub const NOT_STOPPED: u64 = u64::MAX;

const NAME_LEN: usize = REPORT_NAME.len() + 1;
/// Offset of the contents in the note.
pub const CONTENTS: usize = desc_offset(NAME_LEN);
/// The number of words before those of the CPUs.
const HEAD_WORDS: usize = 11;
const CPU_WORDS: usize = 2;
const WORD: usize = 8;

/// The stages of a crash, with the numbers of their words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The first hook was called.
    Noticed = 3,
    /// The other CPUs had stopped, or the time limit was over.
    Stopped = 4,
    /// The purgatory and its table were found intact.
    PurgatoryChecked = 5,
    /// The interrupt controllers were silenced.
    Silenced = 6,
    /// The purgatory was jumped to.
    Left = 7,
    /// The purgatory had started to run on its own stack.
    PurgatoryEntered = 8,
    /// The digests held.
    Checked = 9,
    /// The capture kernel was entered.
    KernelEntered = 10,
}

impl Moment {
    /// All of them, in the order of time.
    pub const ALL: [Self; 8] = [
        Self::Noticed,
        Self::Stopped,
        Self::PurgatoryChecked,
        Self::Silenced,
        Self::Left,
        Self::PurgatoryEntered,
        Self::Checked,
        Self::KernelEntered,
    ];

    /// The number of its word in the contents.
    pub const fn word(self) -> usize {
        self as usize
    }
}

/// The means by which a CPU stopped.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// It is the one that crashed.
    Crashed = 1,
    /// An interrupt of the crashing CPU's, which it takes only with interrupts on.
    Interrupt = 2,
    /// An NMI, or a pseudo-NMI of arm64's.
    Nmi = 3,
    /// It was waiting to be stopped, because it had panicked as well.
    Waiting = 4,
    /// The kernel had stopped it before, as with `crash_kexec_post_notifiers`.
    Kernel = 5,
}

impl Means {
    const ALL: [Self; 5] = [
        Self::Crashed,
        Self::Interrupt,
        Self::Nmi,
        Self::Waiting,
        Self::Kernel,
    ];
}

/// The means by which a CPU stopped, and its context until then. Nothing is known of the context of a
/// CPU that the kernel stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances(u64);

/// A part of a CPU's context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// It ran a program.
    User = 0,
    /// It ran its idle task.
    Idle = 1,
    /// Interrupts were off.
    InterruptsOff = 2,
    /// It handled a softirq.
    Softirq = 3,
    /// It handled an interrupt.
    Hardirq = 4,
    /// It handled an NMI.
    Nmi = 5,
}

impl Context {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 6] = [
        Self::User,
        Self::Idle,
        Self::InterruptsOff,
        Self::Softirq,
        Self::Hardirq,
        Self::Nmi,
    ];

    const fn bit(self) -> u64 {
        1 << self as u64
    }
}

/// The means are in the second byte.
const MEANS_SHIFT: u32 = 8;

impl Circumstances {
    /// A CPU that stopped by these means.
    pub const fn new(means: Means) -> Self {
        Self((means as u64) << MEANS_SHIFT)
    }

    /// The same, in this context as well if `holds`.
    pub const fn with(self, context: Context, holds: bool) -> Self {
        match holds {
            true => Self(self.0 | context.bit()),
            false => self,
        }
    }

    /// The circumstances in a word of the report.
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// The word of the report.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// The means, if they are known.
    pub fn means(self) -> Option<Means> {
        let number = (self.0 >> MEANS_SHIFT) & 0xff;
        Means::ALL.into_iter().find(|means| *means as u64 == number)
    }

    /// The CPU's context until then.
    pub fn contexts(self) -> impl Iterator<Item = Context> {
        Context::ALL
            .into_iter()
            .filter(move |context| self.0 & context.bit() != 0)
    }
}

/// The number of the word in the contents that says when a CPU stopped.
pub const fn cpu_word(cpu: usize) -> usize {
    HEAD_WORDS.saturating_add(cpu.saturating_mul(CPU_WORDS))
}

/// The number of the word with a CPU's [`Circumstances`].
pub const fn circumstances_word(cpu: usize) -> usize {
    cpu_word(cpu).saturating_add(1)
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
    assert!(Moment::KernelEntered.word() + 1 == HEAD_WORDS);
    assert!(report_len(1) == CONTENTS + 13 * WORD);
};
