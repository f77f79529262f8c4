// SPDX-License-Identifier: GPL-2.0

//! Reading a crash report.

use core::fmt;

use super::{
    circumstances_word,
    cpu_word,
    Circumstances,
    Moment,
    NOT_STOPPED,
    NT_REPORT,
    REPORT_NAME,
    VERSION,
    WORD, //
};
use crate::{
    dump::note::Notes,
    types::bytes::{
        read_u64,
        to_u64,
        to_usize, //
    }, //
};

/// Why a report cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportError {
    /// There is none among the notes.
    Missing,
    /// It is of another version.
    Version(u64),
    /// Its length is not that of a report for so many CPUs.
    Length {
        /// The number of CPUs that it names.
        cpus: u64,
        /// Its length in bytes.
        len: usize,
    },
    /// Its counter has no frequency.
    Frequency,
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "the dump has no note RUST_KEXEC: rust_kexec leaves it, the kernel's own kexec \
                 does not"
            ),
            Self::Version(version) => write!(
                f,
                "the crash report has version {version}, and this program reads version \
                 {VERSION}: use an rkexec that is as old as the module of the crashed kernel"
            ),
            Self::Length { cpus, len } => write!(
                f,
                "the crash report is for {cpus} CPUs, which does not fit its {len} bytes: the \
                 note was damaged"
            ),
            Self::Frequency => write!(
                f,
                "the crash report does not say how fast its counter runs: the note was damaged"
            ),
        }
    }
}

/// A crash report in a dump.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    contents: &'a [u8],
    frequency: u64,
    cpus: usize,
}

/// Whether a CPU stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuState {
    /// It did not run.
    Off,
    /// It stopped so many nanoseconds after the crash was noticed.
    Stopped {
        /// Nanoseconds.
        after: u64,
        /// How, and in which context.
        circumstances: Circumstances,
    },
    /// It did not stop. Its registers are not in the dump.
    NotStopped {
        /// The nanoseconds that were waited for it.
        waited: u64,
    },
}

/// A CPU of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cpu {
    /// Its number.
    pub number: usize,
    /// Whether it stopped.
    pub state: CpuState,
}

impl<'a> Report<'a> {
    /// The report among the notes of a dump.
    pub fn find(notes: &'a [u8]) -> Result<Self, ReportError> {
        let found = Notes::new(notes)
            .filter_map(Result::ok)
            .find(|note| (note.name, note.note_type) == (REPORT_NAME, NT_REPORT));
        Self::parse(found.ok_or(ReportError::Missing)?.desc)
    }

    /// Reads the contents of the note.
    pub fn parse(contents: &'a [u8]) -> Result<Self, ReportError> {
        let word = |number| word(contents, number).unwrap_or_default();
        if word(0) != VERSION {
            return Err(ReportError::Version(word(0)));
        }
        let cpus = to_usize(word(2));
        if cpu_word(cpus).saturating_mul(WORD) != contents.len() {
            return Err(ReportError::Length {
                cpus: to_u64(cpus),
                len: contents.len(),
            });
        }
        match word(1) {
            0 => Err(ReportError::Frequency),
            frequency => Ok(Self {
                contents,
                frequency,
                cpus,
            }),
        }
    }

    /// Nanoseconds from the first hook to this moment, unless it was not reached.
    pub fn reached(&self, moment: Moment) -> Option<u64> {
        match self.word(moment.word()) {
            0 => None,
            counter => Some(self.since_noticed(counter)),
        }
    }

    /// Every CPU that could be there.
    pub fn cpus(&self) -> impl Iterator<Item = Cpu> + '_ {
        (0..self.cpus).map(|number| Cpu {
            number,
            state: self.state(number),
        })
    }

    fn state(&self, cpu: usize) -> CpuState {
        match self.word(cpu_word(cpu)) {
            0 => CpuState::Off,
            NOT_STOPPED => CpuState::NotStopped {
                waited: self.reached(Moment::Stopped).unwrap_or_default(),
            },
            counter => CpuState::Stopped {
                after: self.since_noticed(counter),
                circumstances: Circumstances::from_word(self.word(circumstances_word(cpu))),
            },
        }
    }

    fn word(&self, number: usize) -> u64 {
        word(self.contents, number).unwrap_or_default()
    }

    /// Nanoseconds. A CPU can have stopped itself before the crash was noticed: that is 0.
    fn since_noticed(&self, counter: u64) -> u64 {
        const NANOSECONDS: u64 = 1_000_000_000;
        let ticks = counter.saturating_sub(self.word(Moment::Noticed.word()));
        let divide = |ticks: u64| ticks.checked_div(self.frequency).unwrap_or_default();
        let rest = ticks.checked_rem(self.frequency).unwrap_or_default();
        // A counter has less than 2^33 ticks in a second, so that nothing overflows here.
        divide(ticks)
            .saturating_mul(NANOSECONDS)
            .saturating_add(divide(rest.saturating_mul(NANOSECONDS)))
    }
}

fn word(contents: &[u8], number: usize) -> Option<u64> {
    read_u64(contents, number.checked_mul(WORD)?)
}
