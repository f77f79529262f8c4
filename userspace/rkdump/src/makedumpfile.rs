// SPDX-License-Identifier: GPL-2.0

//! Under the name `makedumpfile`: its options, its exit codes, and the lines that those who call it look for.
//! Everything else is said in our own words.

pub mod options;
mod rearrange;
mod reassemble;

use std::{
    ffi::OsString,
    io, //
};

use dumpfile::codec::Codec;
use kernel_memory::log::Style;

use self::options::{
    Options,
    Task,
    PRINT_ERRORS,
    PRINT_MESSAGES,
    PRINT_PROGRESS,
    PRINT_REPORT, //
};
use crate::{
    arguments::{
        Format,
        Progress, //
    },
    dmesg,
    dump::Dump,
    failure::Failure,
    save::{
        self,
        Job,
        LeftOut,
        Manifest,
        Outcome, //
    },
    signals,
    target::file,
    usage, //
};

/// The version whose options these are.
const VERSION: &str = "1.7.8";

const COMPLETED: u8 = 0;
const FAILED: u8 = 1;

const HELP: &str = include_str!("makedumpfile/help.txt");

/// Runs as makedumpfile, and returns its exit code.
pub fn run(words: Vec<OsString>) -> u8 {
    let options = match Options::parse(words) {
        Ok(options) => options,
        Err(refusal) => {
            eprintln!("Commandline parameter is invalid: {}.", refusal.sentence);
            eprintln!("Try `makedumpfile --help' for more information.");
            if !refusal.check_only {
                println!("\nmakedumpfile Failed.");
            }
            return FAILED;
        }
    };
    if options.check_only {
        return COMPLETED;
    }
    let messages = Messages {
        level: options.message_level,
        to_stderr: options.flattened,
    };
    match perform(&options, &messages) {
        Ok(false) => COMPLETED,
        Ok(true) => {
            messages.say("\nmakedumpfile Completed.");
            COMPLETED
        }
        Err(failure) => {
            messages.error(&failure);
            messages.say("\nmakedumpfile Failed.");
            FAILED
        }
    }
}

/// What is printed, and where: with `-F` standard output has the dump.
struct Messages {
    level: u8,
    to_stderr: bool,
}

impl Messages {
    fn say(&self, line: &str) {
        match (self.level & PRINT_MESSAGES != 0, self.to_stderr) {
            (false, _) => {}
            (true, false) => println!("{line}"),
            (true, true) => eprintln!("{line}"),
        }
    }

    fn error(&self, failure: &Failure) {
        if self.level & PRINT_ERRORS != 0 {
            eprintln!("{failure}");
        }
    }
}

/// Does what is asked for; whether something was written, which is said at the end.
fn perform(options: &Options, messages: &Messages) -> Result<bool, Failure> {
    match &options.task {
        Task::Help => {
            print!("{HELP}");
            Ok(false)
        }
        Task::Version => {
            println!(
                "makedumpfile: version {VERSION} (rkdump {})\nlzo\tenabled\nsnappy\tenabled\nzstd\tenabled\n",
                env!("CARGO_PKG_VERSION")
            );
            Ok(false)
        }
        Task::Create { .. } => {
            let report = match create(options)? {
                Outcome::Saved(report) => report,
                Outcome::Estimated(estimate) => {
                    messages.say(&format!("\n{estimate}"));
                    return Ok(true);
                }
            };
            let named = match report.targets.as_slice() {
                _ if options.flattened => "The dumpfile is saved to STDOUT.".into(),
                [target] => format!("The dumpfile is saved to {target}."),
                [rest @ .., last] => {
                    format!(
                        "The dumpfiles are saved to {}, and {last}.",
                        rest.join(", ")
                    )
                }
                [] => String::new(),
            };
            if options.message_level & PRINT_REPORT != 0 {
                messages.say(&format!("\n{report}"));
            }
            messages.say(&format!("\n{named}"));
            Ok(true)
        }
        Task::Dmesg {
            vmcore,
            target,
            records,
        } => {
            let dump = Dump::open(vmcore, options.without_mapping)?;
            dump.translation()?;
            let name = match target {
                Some(path) => {
                    let name = path.display().to_string();
                    let file = file::create(path, options.force)?;
                    dmesg::write(&dump, *records, Style::Makedumpfile, &file, &name)?;
                    name
                }
                None => {
                    let name = "STDOUT";
                    dmesg::write(
                        &dump,
                        *records,
                        Style::Makedumpfile,
                        io::stdout().lock(),
                        name,
                    )?;
                    name.into()
                }
            };
            messages.say(&format!("\nThe dmesg log is saved to {name}."));
            Ok(true)
        }
        Task::MemUsage { vmcore } => {
            usage::print(vmcore)?;
            Ok(false)
        }
        Task::Reassemble { parts, target } => {
            reassemble::reassemble(parts, target, options.force)?;
            messages.say(&format!("\nThe dumpfile is saved to {}.", target.display()));
            Ok(true)
        }
        Task::Rearrange { target } => {
            rearrange::rearrange(io::stdin().lock(), target, options.force)?;
            messages.say(&format!("\nThe dumpfile is saved to {}.", target.display()));
            Ok(true)
        }
    }
}

/// Saves a dump. Where there is no room for it, the next level is tried.
fn create(options: &Options) -> Result<Outcome, Failure> {
    let Task::Create { vmcore, targets } = &options.task else {
        return Err(Failure::new("no dump is asked for"));
    };
    signals::wait_for_them();
    let mut job = Job {
        vmcore: vmcore.clone(),
        targets: match options.flattened {
            true => vec!["-".into()],
            false => targets.clone(),
        },
        left_out: LeftOut {
            unused_vmemmap: options.exclude_unused_vmemmap,
            ..LeftOut::NOTHING
        },
        codec: Codec::from(options.codec),
        level: None,
        format: match options.elf {
            true => Format::Elf,
            false => Format::Kdump,
        },
        flattened: options.flattened,
        threads: options.threads,
        force: options.force,
        size_limit: options.size_limit,
        dry_run: options.dry_run,
        without_mapping: options.without_mapping,
        progress: match options.message_level & PRINT_PROGRESS {
            0 => Progress::None,
            _ => Progress::Auto,
        },
        manifest: Manifest::None,
    };
    let mut levels = options.levels.iter().peekable();
    while let Some(level) = levels.next() {
        job.left_out.dump_level = *level;
        match save::save(&job) {
            Err(failure) if failure.is_full() && levels.peek().is_some() && !job.flattened => {
                eprintln!("{failure}");
                // What is there is the part that was just written.
                job.force = true;
            }
            result => return result,
        }
    }
    Err(Failure::new("no dump level is given"))
}
