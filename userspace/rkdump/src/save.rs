// SPDX-License-Identifier: GPL-2.0

//! A dump is saved: what is kept is found out first, then workers write it in pieces, each piece wherever the
//! file has room.

mod estimate;
mod format;
mod job;
mod machine;
mod outcome;
mod passes;
mod place;
mod plan;
mod report;
mod work;
pub mod workers;

use std::{
    fs,
    io::BufWriter,
    path::Path,
    time::Instant, //
};

use dumpfile::{
    frames::Frames,
    kdump::{
        parts::parts,
        Description, //
    },
    manifest::writer::Noted,
    target::Target, //
};
use kernel_memory::log::Style;

use self::{
    estimate::Estimate,
    format::Saved,
    place::Place,
    report::Report,
    work::Work, //
};
pub use self::{
    job::{
        Job,
        Manifest, //
    },
    outcome::Outcome,
    plan::{
        LeftOut,
        Plan, //
    },
};
use crate::{
    dmesg::{
        self,
        Records, //
    },
    dump::Dump,
    failure::Failure,
    target::file, //
};

/// Saves a dump, or says how large it would be.
pub fn save(job: &Job) -> Result<Outcome, Failure> {
    let begin = Instant::now();
    let dump = Dump::open(&job.vmcore, job.without_mapping)?;
    let threads = workers::count(job.threads);
    let plan = Plan::make(&dump, job.left_out, threads)?;
    let planned = begin.elapsed();
    if let Some(reason) = plan
        .unfiltered
        .as_ref()
        .filter(|_| job.left_out.dump_level > 1)
    {
        eprintln!(
            "rkdump: all pages are kept, because it is not known what they are for: {reason}"
        );
    }
    if job.dry_run {
        return Ok(Outcome::Estimated(Estimate::make(&dump, &plan, job)));
    }
    let mut report = Report::new(&dump, &plan, job, threads);
    let mut work = Work::new(&dump, &plan, threads, job);
    let description = machine::description(&dump, job, plan.page_len);
    let saved = write(job, &dump, &plan, &description, &mut work, &mut report);
    work.finish();
    saved?;
    Ok(Outcome::Saved(report.timed(planned, begin.elapsed())))
}

/// Writes each file, with its part of the memory.
fn write(
    job: &Job,
    dump: &Dump,
    plan: &Plan,
    description: &Description,
    work: &mut Work<'_>,
    report: &mut Report,
) -> Result<(), Failure> {
    // All are opened before the first is written: what one of them is refused for is found out at once.
    let open = |path| Place::open(path, job, &report.release);
    let places: Vec<_> = job
        .targets
        .iter()
        .map(|path| open(path))
        .collect::<Result<_, _>>()?;
    let parts = parts(&plan.memory, plan.kept(), places.len());
    let is_one = places.len() == 1;
    for (place, part) in places.into_iter().zip(parts) {
        if let Some(directory) = place.directory() {
            save_log(dump, &directory.dmesg());
        }
        let part_frames = Frames::from(part.clone());
        let passes: Vec<_> = match place.is_stream() {
            // A reader sorts what a stream has by place, and takes long where all of it is elsewhere.
            true => vec![plan.kept().and(&part_frames)],
            false => plan
                .passes
                .iter()
                .map(|pass| pass.and(&part_frames))
                .collect(),
        };
        let description = Description {
            part: Some(part).filter(|_| !is_one),
            ..description.clone()
        };
        match write_noted(job, &place, &description, &passes, work) {
            Ok(saved) => report.add(place.complete()?, &saved),
            Err(failure) => {
                place.give_up();
                return Err(failure);
            }
        }
    }
    Ok(())
}

/// Writes a file, and its checksums.
fn write_noted(
    job: &Job,
    place: &Place,
    description: &Description,
    passes: &[Frames],
    work: &mut Work<'_>,
) -> Result<Saved, Failure> {
    let name = place.name();
    let path = match &job.manifest {
        Manifest::None => None,
        Manifest::Beside => place.manifest(),
        Manifest::File(path) => Some(path.clone()),
    };
    let Some(path) = path else {
        if let Some(stale) = place.manifest().filter(|_| job.force) {
            // That of the dump which was replaced would say that this one is damaged.
            let _ = fs::remove_file(stale);
        }
        return work.write(place, &name, description, passes);
    };
    let failed = |error| {
        let what = format!(
            "cannot write {}, in which the checksums are",
            path.display()
        );
        Failure::from_io(what, &error)
    };
    let out = BufWriter::new(file::create(&path, job.force)?);
    let noted = Noted::new(place, out).map_err(failed)?;
    match work.write(&noted, &name, description, passes) {
        Ok(saved) => {
            let out = noted.finish().map_err(failed)?;
            let file = out
                .into_inner()
                .map_err(|error| failed(error.into_error()))?;
            file.sync_all().map_err(failed)?;
            Ok(saved)
        }
        Err(failure) => {
            // The lines that there are hold for what is there. On a full disk there may be no room for them.
            if noted.sync().is_err() {
                let _ = fs::remove_file(&path);
            }
            Err(failure)
        }
    }
}

/// Writes the log beside a dump, which is worth saving without it.
fn save_log(dump: &Dump, path: &Path) {
    let name = path.display().to_string();
    let written = file::create(path, false).and_then(|file| {
        dmesg::write(dump, Records::All, Style::Makedumpfile, &file, &name)?;
        file.sync_all()
            .map_err(|error| Failure::from_io(format_args!("cannot write {name}"), &error))
    });
    if let Err(failure) = written {
        eprintln!("rkdump: the kernel's log is not saved: {failure}");
    }
}
