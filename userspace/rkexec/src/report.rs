// SPDX-License-Identifier: GPL-2.0

//! `rkexec report`: the crash report in a dump.

use std::{
    fmt,
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path, //
};

use kexec_core::{
    dump::{
        elfcorehdr::NOTES_TOTAL_MAX,
        kdump_compressed::{
            self,
            Extent,
            KdumpCompressedError, //
        },
        report::{
            lines::{
                lines,
                Line, //
            },
            reader::{
                self,
                CpuState, //
            },
            Moment, //
        }, //
    },
    types::elf::{
        self,
        ProgramHeader,
        ET_CORE,
        IDENT,
        PROGRAM_HEADER_LEN,
        PT_NOTE, //
    }, //
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output, //
};

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

/// The notes of a dump, in ELF or kdump-compressed.
fn read_notes(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |error| Failure::from_io(format!("cannot read the dump {}", path.display()), &error);
    let refused =
        |error: KdumpCompressedError| Failure::new(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let mut first = [0; kdump_compressed::HEADER_LEN];
    let read = file.read_at(&mut first, 0).map_err(failed)?;
    let first = &first[..read];
    let found = match kdump_compressed::Header::parse(first).map_err(refused)? {
        Some(header) => {
            let mut bytes = [0; kdump_compressed::SUB_HEADER_LEN];
            file.read_exact_at(&mut bytes, header.sub_header_offset())
                .map_err(failed)?;
            Some(kdump_compressed::notes(&bytes).map_err(refused)?)
        }
        None => find_in_elf(&file, first).map_err(failed)?,
    };
    let notes = found.filter(|notes| notes.len <= NOTES_TOTAL_MAX);
    let notes = notes.ok_or_else(|| {
        Failure::new(format!(
            "{} is not a dump with notes: give a copy of /proc/vmcore, or a file of makedumpfile",
            path.display()
        ))
    })?;
    let mut contents = vec![0; notes.len as usize];
    file.read_exact_at(&mut contents, notes.offset)
        .map_err(failed)?;
    Ok(contents)
}

/// Where the notes of an ELF dump are, whose file starts with `first`; `None` if it is none.
fn find_in_elf(file: &File, first: &[u8]) -> io::Result<Option<Extent>> {
    let header = match elf::Header::decode(first) {
        Some(header) if header.ident == IDENT && header.elf_type == ET_CORE => header,
        _ => return Ok(None),
    };
    for index in 0..u64::from(header.program_headers) {
        let mut bytes = [0; PROGRAM_HEADER_LEN];
        let place = index * PROGRAM_HEADER_LEN as u64;
        let Some(offset) = header.program_headers_offset.checked_add(place) else {
            return Ok(None);
        };
        file.read_exact_at(&mut bytes, offset)?;
        match ProgramHeader::decode(&bytes) {
            Some(notes) if notes.segment_type == PT_NOTE => {
                return Ok(Some(Extent {
                    offset: notes.offset,
                    len: notes.file_len,
                }));
            }
            _ => {}
        }
    }
    Ok(None)
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
        circumstances_word,
        cpu_word,
        encode,
        report_len,
        Circumstances,
        Context,
        Means,
        CONTENTS,
        NOT_STOPPED, //
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
            failure.sentence().contains("is not a dump with notes"),
            "{failure}"
        );
    }

    /// The start of a file as makedumpfile -c writes it, with these notes.
    fn compressed(version: u32, notes: &[u8]) -> Vec<u8> {
        const BLOCK_LEN: usize = 4096;
        let mut file = vec![0; 3 * BLOCK_LEN];
        let mut write = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        write(0, b"KDUMP   ");
        write(8, &version.to_le_bytes());
        write(428, &(BLOCK_LEN as u32).to_le_bytes());
        write(BLOCK_LEN + 48, &(2 * BLOCK_LEN as u64).to_le_bytes());
        write(BLOCK_LEN + 56, &(notes.len() as u64).to_le_bytes());
        write(2 * BLOCK_LEN, notes);
        file
    }

    #[test]
    fn a_compressed_dump_has_its_report() {
        let path = std::env::temp_dir().join(format!("rkexec-vmcore-{}", std::process::id()));
        let note = note();
        std::fs::write(&path, compressed(6, &note)).expect("it can be written");
        assert_eq!(read_notes(&path).expect("they are there"), note);
        std::fs::write(&path, compressed(3, &note)).expect("it can be written");
        let failure = read_notes(&path).expect_err("it is too old");
        assert!(failure.sentence().contains("in version 3"), "{failure}");
        // Longer than any notes are.
        let mut file = compressed(6, &note);
        file[4096 + 60] = 1;
        std::fs::write(&path, file).expect("it can be written");
        let failure = read_notes(&path).expect_err("it is damaged");
        assert!(
            failure.sentence().contains("is not a dump with notes"),
            "{failure}"
        );
        std::fs::remove_file(&path).expect("it is there");
    }
}
