// SPDX-License-Identifier: GPL-2.0

//! `rkexec report`: the crash report in a dump.

use std::fmt;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use kexec_core::dump::elfcorehdr::NOTES_TOTAL_MAX;
use kexec_core::dump::report::lines::{lines, Line};
use kexec_core::dump::report::reader::{self, CpuState};
use kexec_core::dump::report::Moment;
use kexec_core::types::elf::{
    Header, ProgramHeader, ET_CORE, HEADER_LEN, IDENT, PROGRAM_HEADER_LEN, PT_NOTE,
};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

/// The crash report of a dump, as text and as JSON.
#[derive(Debug, Serialize)]
struct Report {
    stages: Vec<Stage>,
    cpus: Vec<Cpu>,
    #[serde(skip)]
    text: String,
}

#[derive(Debug, Serialize)]
struct Stage {
    stage: &'static str,
    microseconds: Option<f64>,
}

/// A CPU that ran when the kernel crashed.
#[derive(Debug, Serialize)]
struct Cpu {
    cpu: usize,
    stopped: bool,
    /// Until it stopped, or how long it was waited for.
    microseconds: f64,
    by: Option<&'static str>,
    context: Vec<&'static str>,
}

/// Shows the crash report in the file `dump`.
pub fn report(dump: &Path, json: bool) -> Result<(), Failure> {
    let notes = read_notes(dump)?;
    let report = reader::Report::find(&notes)
        .map_err(|error| Failure::new(format!("{}: {error}", dump.display())))?;
    output::print(&Report::from(&report), json)
}

/// The notes of an ELF dump.
fn read_notes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |error| Failure::from_io(format!("cannot read the dump {}", path.display()), &error);
    let file = File::open(path).map_err(failed)?;
    let no_dump = || {
        Failure::new(format!(
            "{} is not an ELF dump with notes: give a copy of /proc/vmcore, or a file of \
             makedumpfile -E",
            path.display()
        ))
    };
    let mut first = [0; HEADER_LEN];
    let read = file.read_at(&mut first, 0).map_err(failed)?;
    let header = Header::decode(&first[..read]).ok_or_else(no_dump)?;
    if header.ident != IDENT || header.elf_type != ET_CORE {
        return Err(no_dump());
    }
    for index in 0..u64::from(header.program_headers) {
        let mut bytes = [0; PROGRAM_HEADER_LEN];
        let offset = header
            .program_headers_offset
            .checked_add(index * PROGRAM_HEADER_LEN as u64)
            .ok_or_else(no_dump)?;
        file.read_exact_at(&mut bytes, offset).map_err(failed)?;
        match ProgramHeader::decode(&bytes) {
            Some(notes) if notes.segment_type == PT_NOTE => {
                if notes.file_len > NOTES_TOTAL_MAX {
                    return Err(no_dump());
                }
                let mut contents = vec![0; notes.file_len as usize];
                file.read_exact_at(&mut contents, notes.offset)
                    .map_err(failed)?;
                return Ok(contents);
            }
            _ => {}
        }
    }
    Err(no_dump())
}

/// Microseconds, to a tenth.
fn microseconds(nanoseconds: u64) -> f64 {
    (nanoseconds / 100) as f64 / 10.0
}

impl From<&reader::Report<'_>> for Report {
    fn from(report: &reader::Report<'_>) -> Self {
        let stages = Moment::ALL.map(|moment| Stage {
            stage: moment.name(),
            microseconds: report.reached(moment).map(microseconds),
        });
        let cpus = report.cpus().filter_map(|cpu| match cpu.state {
            CpuState::Off => None,
            CpuState::NotStopped { waited } => Some(Cpu {
                cpu: cpu.number,
                stopped: false,
                microseconds: microseconds(waited),
                by: None,
                context: Vec::new(),
            }),
            CpuState::Stopped {
                after,
                circumstances,
            } => Some(Cpu {
                cpu: cpu.number,
                stopped: true,
                microseconds: microseconds(after),
                by: circumstances.means().map(|means| means.name()),
                context: circumstances.contexts().map(|one| one.name()).collect(),
            }),
        });
        Self {
            stages: stages.into(),
            cpus: cpus.collect(),
            text: lines(report)
                .map(|line: Line| format!("{line}\n"))
                .collect(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use kexec_core::dump::report::{
        circumstances_word, cpu_word, encode, report_len, Circumstances, Context, Means, CONTENTS,
        NOT_STOPPED,
    };

    /// The note of a crash with four CPUs, whose counter has ten ticks in a microsecond.
    fn note() -> Vec<u8> {
        let mut note = vec![0; report_len(4)];
        encode(&mut note, 4, 10_000_000).expect("it fits");
        let mut set = |word: usize, value: u64| {
            let at = CONTENTS + word * 8;
            note[at..at + 8].copy_from_slice(&value.to_le_bytes());
        };
        for (index, moment) in Moment::ALL.into_iter().enumerate() {
            set(moment.word(), 5000 + 123 * index as u64);
        }
        let crashed = Circumstances::new(Means::Crashed).with(Context::InterruptsOff, true);
        let idle = Circumstances::new(Means::Nmi)
            .with(Context::Idle, true)
            .with(Context::Hardirq, true);
        for (cpu, counter, circumstances) in [(0, 5003, crashed), (2, 5077, idle)] {
            set(cpu_word(cpu), counter);
            set(circumstances_word(cpu), circumstances.word());
        }
        set(cpu_word(3), NOT_STOPPED);
        note
    }

    #[test]
    fn a_crash_is_shown_as_a_table_and_as_json() {
        let note = note();
        let report = Report::from(&reader::Report::find(&note).expect("it is there"));
        golden::assert_output("report.txt", &report.to_string());
        let json = serde_json::to_string_pretty(&report).expect("it is text");
        golden::assert_output("report.json", &json);
    }

    #[test]
    fn a_file_that_is_no_dump_is_refused() {
        let failure = report(Path::new("/proc/self/exe"), false).expect_err("no dump");
        assert!(
            failure.sentence().contains("is not an ELF dump"),
            "{failure}"
        );
    }
}
