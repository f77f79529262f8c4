// SPDX-License-Identifier: GPL-2.0

//! `rkdump verify`: whether a saved dump is as it was written, and each of its pages can be read.

use std::{
    fmt,
    fs::File,
    io::BufReader,
    path::{
        Path,
        PathBuf, //
    }, //
};

use dumpfile::{
    flattened::reader::FlattenedFile,
    kdump::reader::KdumpFile,
    manifest::verify::{
        verify as compare,
        Verified, //
    },
    memory::PhysicalMemory,
    source::{
        DumpFile,
        Source, //
    }, //
};
use serde::Serialize;

use crate::{
    arguments::VerifyRequest,
    failure::Failure,
    output, //
};

/// What a kdump-compressed file begins with.
const KDUMP: &[u8] = b"KDUMP   ";

/// The most damaged places that are named.
const NAMED_MAX: usize = 8;

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    dump: String,
    /// Whether the dump was written to its end, by its own word.
    complete: bool,
    /// Chunks that were compared with the manifest; none where there is no manifest.
    chunks: Option<u64>,
    /// Where the dump is not what was written, as offsets of begin and end.
    damaged: Vec<(u64, u64)>,
    /// Pages that were read, and those that could not be.
    pages: u64,
    unreadable_pages: u64,
}

impl Report {
    fn is_good(&self) -> bool {
        self.damaged.is_empty() && self.unreadable_pages == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, value: String| writeln!(f, "{name:<10} {value}");
        line("dump", self.dump.clone())?;
        let written = match self.complete {
            true => "to its end",
            false => "not to its end",
        };
        line("written", written.into())?;
        match self.chunks {
            Some(chunks) => line("manifest", format!("{chunks} chunks compared"))?,
            None => line("manifest", "none".into())?,
        }
        for (start, end) in self.damaged.iter().take(NAMED_MAX) {
            line("damaged", format!("{start:#x} to {end:#x}"))?;
        }
        let more = self.damaged.len().saturating_sub(NAMED_MAX);
        if more > 0 {
            line("damaged", format!("{more} more places"))?;
        }
        if self.pages + self.unreadable_pages > 0 {
            line("pages", format!("{} can be read", self.pages))?;
        }
        if self.unreadable_pages > 0 {
            line("pages", format!("{} cannot", self.unreadable_pages))?;
        }
        Ok(())
    }
}

/// Verifies a dump.
pub fn verify(request: &VerifyRequest) -> Result<(), Failure> {
    let path = &request.dump;
    let name = path.display();
    let open = || {
        DumpFile::open(path)
            .map_err(|error| Failure::from_io(format_args!("cannot open {name}"), &error))
    };
    let file = open()?;
    let report = match FlattenedFile::is_flattened(&file) {
        Ok(true) => {
            let file = FlattenedFile::open(file)
                .map_err(|error| Failure::new(format!("{name}: {error}")))?;
            let complete = file.is_complete();
            let mut report = look(
                request,
                &file,
                open().and_then(|file| {
                    FlattenedFile::open(file).map_err(|error| Failure::new(error.to_string()))
                })?,
            )?;
            report.complete &= complete;
            report
        }
        _ => look(request, &file, open()?)?,
    };
    output::print(&report, request.json)?;
    match (report.is_good(), report.complete) {
        (true, true) => Ok(()),
        (true, false) => Err(Failure::new(format!("{name} is incomplete")).leaves_a_part()),
        (false, _) => Err(Failure::new(format!("{name} is damaged"))),
    }
}

/// Compares a dump with its manifest, and reads its pages.
fn look<S: Source>(request: &VerifyRequest, dump: &S, again: S) -> Result<Report, Failure> {
    let mut report = Report {
        dump: request.dump.display().to_string(),
        complete: true,
        chunks: None,
        damaged: Vec::new(),
        pages: 0,
        unreadable_pages: 0,
    };
    if let Some(verified) = with_manifest(request, dump)? {
        report.complete &= verified.is_complete;
        report.chunks = Some(verified.chunks);
        let damaged = verified.damaged.into_iter();
        report.damaged = damaged.map(|range| (range.start, range.end)).collect();
    }
    let begin = dump.read_vec(0, KDUMP.len() as u64);
    if begin.is_ok_and(|begin| begin == KDUMP) {
        read_pages(again, &mut report)?;
    }
    Ok(report)
}

fn with_manifest(request: &VerifyRequest, dump: &impl Source) -> Result<Option<Verified>, Failure> {
    let path = request
        .manifest
        .clone()
        .unwrap_or_else(|| manifest_of(&request.dump));
    // A writer that was killed may have left an empty one.
    let is_there = path.metadata().is_ok_and(|file| file.len() > 0);
    if request.manifest.is_none() && !is_there {
        return Ok(None);
    }
    let manifest = File::open(&path).map_err(|error| {
        Failure::from_io(format_args!("cannot open {}", path.display()), &error)
    })?;
    compare(dump, BufReader::new(manifest))
        .map(Some)
        .map_err(|error| Failure::new(format!("{}: {error}", path.display())))
}

fn read_pages(dump: impl Source, report: &mut Report) -> Result<(), Failure> {
    let failed = |error: &dyn fmt::Display| Failure::new(format!("{}: {error}", report.dump));
    let file = KdumpFile::open(dump).map_err(|error| failed(&error))?;
    let kept = file.kept().map_err(|error| failed(&error))?;
    let part = file.part();
    report.complete &= !file.is_incomplete();
    let mut page = vec![0; file.page_len() as usize];
    for run in kept.runs() {
        for frame in run.start.max(part.start)..run.end.min(part.end) {
            match file.read(frame * file.page_len(), &mut page) {
                Ok(()) => report.pages += 1,
                // A page that was not written yet.
                Err(_) if file.is_incomplete() => {}
                Err(_) => report.unreadable_pages += 1,
            }
        }
    }
    Ok(())
}

/// Where a dump's manifest is if nothing else is said.
pub fn manifest_of(dump: &Path) -> PathBuf {
    let mut name = dump.as_os_str().to_owned();
    name.push(".manifest");
    name.into()
}
