// SPDX-License-Identifier: GPL-2.0

//! The pages that are kept are written by workers, each of which asks for the next piece when it is done with one.

use std::{
    io,
    sync::{
        atomic::{
            AtomicBool,
            Ordering, //
        },
        mpsc,
        Mutex, //
    },
    thread,
    time::Duration, //
};

use dumpfile::{
    elf_dump,
    frames::Frames,
    kdump::{
        self,
        Description, //
    },
    order,
    target::Target, //
};

use super::{
    format::{
        FileWriter,
        PageWriter,
        Saved, //
    },
    job::Job,
    plan::Plan, //
};
use crate::{
    arguments::Format,
    dump::Dump,
    failure::Failure,
    progress::{
        Display,
        Done, //
    },
    signals, //
};

/// Progress is looked at so often.
const TICK: Duration = Duration::from_millis(250);

/// Why workers stopped before the end.
enum Stopped {
    /// The target failed.
    Target(io::Error),
    /// A signal came.
    Signal(&'static str),
}

/// A dump that is being written, to one file or to several.
pub struct Work<'a> {
    dump: &'a Dump,
    plan: &'a Plan,
    format: Format,
    threads: usize,
    done: Done,
    display: Display,
}

impl<'a> Work<'a> {
    /// Nothing is written yet.
    pub fn new(dump: &'a Dump, plan: &'a Plan, threads: usize, job: &Job) -> Self {
        Self {
            dump,
            plan,
            format: job.format,
            threads,
            done: Done::default(),
            display: Display::new(job.progress, plan.kept().count(), plan.page_len.into()),
        }
    }

    /// Takes the progress from the terminal.
    pub fn finish(self) {
        self.display.finish();
    }

    /// Writes a file with frames that are kept, pass after pass, and tells what is there where that fails.
    pub fn write(
        &mut self,
        target: &impl Target,
        name: &str,
        description: &Description,
        passes: &[Frames],
    ) -> Result<Saved, Failure> {
        let (memory, kept) = (&self.plan.memory, self.plan.kept());
        match self.format {
            Format::Kdump => {
                let writer = kdump::writer::Writer::start(target, description, memory, kept);
                self.run(writer, name, passes)
            }
            Format::Elf => {
                let description = elf_dump::Description {
                    architecture: self.dump.core.architecture(),
                    page_len: self.plan.page_len.into(),
                    notes: description.notes.clone(),
                    loads: self.dump.core.loads().to_vec(),
                };
                let writer = elf_dump::writer::Writer::start(target, description, memory, kept);
                self.run(writer, name, passes)
            }
        }
    }

    /// Has pages written to a file that was begun.
    fn run(
        &mut self,
        begun: io::Result<impl FileWriter>,
        name: &str,
        passes: &[Frames],
    ) -> Result<Saved, Failure> {
        let failed =
            |error: &io::Error| Failure::from_io(format_args!("cannot write to {name}"), error);
        let writer = begun.map_err(|error| failed(&error))?;
        if let Err(stopped) = self.pages(&writer, passes) {
            let reason = match stopped {
                Stopped::Target(error) => failed(&error),
                Stopped::Signal(signal) => Failure::new(format!("stopped by {signal}")),
            };
            return Err(self.incomplete(reason, name));
        }
        let saved = writer
            .finish()
            .map_err(|error| self.incomplete(failed(&error), name))?;
        match saved.lost {
            0 => Ok(saved),
            lost => {
                let reason = Failure::new(format!("{lost} pages of the dump could not be read"));
                Err(self.incomplete(reason, name))
            }
        }
    }

    fn incomplete(&self, reason: Failure, name: &str) -> Failure {
        let left = format!(
            "{} of {} pages were saved to {name}, which is marked as incomplete; crash and drgn open what is \
             there",
            self.done.pages(),
            self.plan.kept().count()
        );
        reason.and(left).leaves_a_part()
    }

    /// Has workers write pages, and shows progress.
    fn pages(&mut self, writer: &impl FileWriter, passes: &[Frames]) -> Result<(), Stopped> {
        let (dump, done) = (self.dump, &self.done);
        let kept = self.plan.kept();
        let runs = passes.iter().flat_map(|pass| order::runs(kept, pass));
        let pieces = Mutex::new(order::chunks(runs));
        let stop = AtomicBool::new(false);
        let work = || -> io::Result<()> {
            let mut worker = writer.worker(&dump.core);
            while !stop.load(Ordering::Relaxed) {
                let piece = pieces.lock().ok().and_then(|mut pieces| pieces.next());
                let Some(piece) = piece else {
                    break;
                };
                worker.write(&piece)?;
                let frames = piece.iter().map(|run| run.frames.end - run.frames.start);
                done.add(frames.sum());
            }
            worker.flush()
        };
        let (sender, results) = mpsc::channel();
        let mut stopped = None;
        thread::scope(|scope| {
            let mut running = 0;
            for _ in 0..self.threads {
                let sender = sender.clone();
                let work = &work;
                let spawned = thread::Builder::new().spawn_scoped(scope, move || {
                    let _ = sender.send(work());
                });
                running += usize::from(spawned.is_ok());
            }
            if running == 0 {
                // There is no memory for a thread; this one does it.
                running = 1;
                let _ = sender.send(work());
            }
            while running > 0 {
                match results.recv_timeout(TICK) {
                    Ok(Ok(())) => running -= 1,
                    Ok(Err(error)) => {
                        running -= 1;
                        stop.store(true, Ordering::Relaxed);
                        stopped.get_or_insert(Stopped::Target(error));
                    }
                    Err(_) => self.display.update(done.pages()),
                }
                if let (Some(signal), None) = (signals::came(), &stopped) {
                    stop.store(true, Ordering::Relaxed);
                    stopped = Some(Stopped::Signal(signal));
                }
            }
        });
        stopped.map_or(Ok(()), Err)
    }
}
