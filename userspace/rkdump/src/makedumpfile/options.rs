// SPDX-License-Identifier: GPL-2.0

//! makedumpfile's command line: its letters and long options, and which of them go together.
//!
//! As getopt_long(3) has it, options may follow operands, the last of several counts, and a long option may be
//! cut short as long as it means one.

use std::{
    ffi::OsString,
    path::PathBuf, //
};

use lexopt::{
    Arg,
    Parser,
    ValueExt, //
};

use crate::{
    arguments::Codec,
    dmesg::Records, //
};

/// Bits of `--message-level`.
pub const PRINT_PROGRESS: u8 = 1;
pub const PRINT_MESSAGES: u8 = 2;
pub const PRINT_ERRORS: u8 = 4;
pub const PRINT_REPORT: u8 = 16;
const PRINT_DEFAULT: u8 = PRINT_PROGRESS | PRINT_MESSAGES | PRINT_ERRORS;
const MESSAGE_LEVEL_MAX: u8 = 31;

const DUMP_LEVEL_MAX: u8 = 31;

/// All of makedumpfile's long options.
const LONG: &[&str] = &[
    "check-params",
    "config",
    "cyclic-buffer",
    "diskset",
    "dry-run",
    "dump-dmesg",
    "eppic",
    "extension",
    "help",
    "mem-usage",
    "message-level",
    "non-mmap",
    "num-threads",
    "partial-dmesg",
    "reassemble",
    "show-stats",
    "split",
    "splitblock-size",
    "vtop",
    "work-dir",
    "xen-syms",
    "xen-vmcoreinfo",
    "xen_phys_start",
];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Show the options.
    Help,
    /// Show the version, and which codecs there are.
    Version,
    /// Save a dump.
    Create {
        /// What is read.
        vmcore: PathBuf,
        /// Where it goes: one file, several with `--split`, none with `-F`.
        targets: Vec<PathBuf>,
    },
    /// Write the kernel's log.
    Dmesg {
        /// What is read.
        vmcore: PathBuf,
        /// Where it goes; none with `-F`.
        target: Option<PathBuf>,
        /// Which records.
        records: Records,
    },
    /// Show how many pages of each kind there are.
    MemUsage {
        /// What is read.
        vmcore: PathBuf,
    },
    /// Write the parts of a dump as one file.
    Reassemble {
        /// At least two, in any order.
        parts: Vec<PathBuf>,
        /// Where it goes.
        target: PathBuf,
    },
    /// Write a flattened dump from standard input as a plain one.
    Rearrange {
        /// Where it goes.
        target: PathBuf,
    },
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What is to be done.
    pub task: Task,
    /// How pages are compressed.
    pub codec: Codec,
    /// Whether it is an ELF core.
    pub elf: bool,
    /// Whether it is written from front to back.
    pub flattened: bool,
    /// The dump level, and those that are tried when there is no room.
    pub levels: Vec<u8>,
    /// Whether files that are there are replaced.
    pub force: bool,
    /// The most that is written.
    pub size_limit: Option<u64>,
    /// Whether the descriptions of absent pages are left out.
    pub exclude_unused_vmemmap: bool,
    /// The number of threads, if one is given.
    pub threads: Option<usize>,
    /// Whether the dump is read by read(2) only.
    pub without_mapping: bool,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// What is printed.
    pub message_level: u8,
    /// Whether only the command line is checked.
    pub check_only: bool,
}

/// Why a command line is refused, in a sentence, and whether that is all that is printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason.
    pub sentence: String,
    /// Whether only the command line was to be checked.
    pub check_only: bool,
}

/// The options as they come, before they are known to go together.
#[derive(Default)]
struct Given {
    codec: Option<Codec>,
    elf: bool,
    flattened: bool,
    levels: Vec<u8>,
    force: bool,
    size_limit: Option<u64>,
    exclude_unused_vmemmap: bool,
    threads: Option<usize>,
    without_mapping: bool,
    dry_run: bool,
    message_level: Option<u8>,
    debug: bool,
    show_stats: bool,
    check_only: bool,
    help: bool,
    version: bool,
    dmesg: bool,
    partial_dmesg: bool,
    mem_usage: bool,
    rearrange: bool,
    reassemble: bool,
    split: bool,
    work_dir: bool,
    operands: Vec<PathBuf>,
}

impl Options {
    /// Reads the words after the program's name.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Self, Refusal> {
        let mut given = Given::default();
        let mut parser = Parser::from_args(words);
        given
            .read(&mut parser)
            .and_then(|()| given.options())
            .map_err(|sentence| Refusal {
                sentence,
                check_only: given.check_only,
            })
    }
}

impl Given {
    fn read(&mut self, parser: &mut Parser) -> Result<(), String> {
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            match argument {
                Arg::Value(operand) => self.operands.push(operand.into()),
                Arg::Short(letter) => self.letter(letter, parser)?,
                Arg::Long(name) => {
                    let name = unabridged(name)?;
                    self.long(name, parser)?;
                }
            }
        }
        Ok(())
    }

    fn letter(&mut self, letter: char, parser: &mut Parser) -> Result<(), String> {
        match letter {
            'c' => self.codec = Some(Codec::Zlib),
            'l' => self.codec = Some(Codec::Lzo),
            'p' => self.codec = Some(Codec::Snappy),
            'z' => self.codec = Some(Codec::Zstd),
            'E' => self.elf = true,
            'F' => self.flattened = true,
            'f' => self.force = true,
            'D' => self.debug = true,
            'e' => self.exclude_unused_vmemmap = true,
            'h' => self.help = true,
            'v' => self.version = true,
            'R' => self.rearrange = true,
            'd' => self.levels = levels(&text(parser, "-d")?)?,
            'L' => {
                let limit = text(parser, "-L")?;
                let bytes = kexec_core::crashkernel::size(limit.as_bytes());
                let Some(bytes) = bytes.filter(|bytes| *bytes > 0) else {
                    return Err(format!(
                        "-L {limit}: a number of bytes is needed, such as 512M"
                    ));
                };
                self.size_limit = Some(bytes);
            }
            // How makedumpfile divides its work and its buffers; there is nothing to divide here.
            'b' => drop(number(parser, "-b")?),
            'X' => return Err(xen("-X")),
            'g' | 'i' | 'x' => {
                let file = text(parser, "it")?;
                return Err(format!(
                    "-{letter} {file}: VMCOREINFO and debug information of a file are not used: all that is \
                     needed is in the dump's own VMCOREINFO, and a dump without one is saved at level 0 or 1"
                ));
            }
            _ => return Err(format!("-{letter} is no option of makedumpfile's")),
        }
        Ok(())
    }

    fn long(&mut self, name: &str, parser: &mut Parser) -> Result<(), String> {
        match name {
            "check-params" => self.check_only = true,
            "dry-run" => self.dry_run = true,
            "dump-dmesg" => self.dmesg = true,
            "partial-dmesg" => self.partial_dmesg = true,
            "mem-usage" => self.mem_usage = true,
            "reassemble" => self.reassemble = true,
            "split" => self.split = true,
            "non-mmap" => self.without_mapping = true,
            "help" => self.help = true,
            "show-stats" => self.show_stats = true,
            "message-level" => {
                let level = number(parser, "--message-level")?;
                let level = u8::try_from(level).ok();
                let level = level.filter(|level| *level <= MESSAGE_LEVEL_MAX);
                self.message_level = Some(level.ok_or("--message-level is a number up to 31")?);
            }
            "num-threads" => {
                let threads = number(parser, "--num-threads")?;
                self.threads = usize::try_from(threads).ok().filter(|count| *count > 0);
            }
            // How makedumpfile divides its work and its buffers; there is nothing to divide here.
            "cyclic-buffer" => drop(number(parser, "--cyclic-buffer")?),
            "splitblock-size" => drop(number(parser, "--splitblock-size")?),
            "work-dir" => {
                text(parser, "--work-dir")?;
                self.work_dir = true;
            }
            "xen-syms" | "xen-vmcoreinfo" | "xen_phys_start" => {
                return Err(xen(&format!("--{name}")));
            }
            "config" | "eppic" | "extension" => {
                return Err(format!(
                    "--{name} erases or leaves out data by a program, which rkdump does not run: the dump would \
                     have in it what is to be erased"
                ));
            }
            "diskset" => return Err("--diskset: dumps of sadump are not read".into()),
            _ => {
                return Err(format!(
                    "--{name} is for looking into a dump, which crash and drgn do"
                ))
            }
        }
        Ok(())
    }

    fn options(&self) -> Result<Options, String> {
        let mut message_level = self.message_level.unwrap_or(PRINT_DEFAULT);
        if self.show_stats {
            message_level |= PRINT_REPORT;
        }
        Ok(Options {
            task: self.task()?,
            codec: self.codec.unwrap_or(Codec::None),
            elf: self.elf,
            flattened: self.flattened,
            levels: match self.levels.as_slice() {
                [] => vec![0],
                levels => levels.to_vec(),
            },
            force: self.force,
            size_limit: self.size_limit,
            exclude_unused_vmemmap: self.exclude_unused_vmemmap,
            threads: self.threads,
            without_mapping: self.without_mapping,
            dry_run: self.dry_run,
            message_level,
            check_only: self.check_only,
        })
    }

    fn task(&self) -> Result<Task, String> {
        if self.help {
            return Ok(Task::Help);
        }
        if self.version {
            return Ok(Task::Version);
        }
        self.check_combinations()?;
        if self.reassemble {
            return match self.operands.as_slice() {
                [parts @ .., target] if parts.len() > 1 => Ok(Task::Reassemble {
                    parts: parts.to_vec(),
                    target: target.clone(),
                }),
                _ => Err(
                    "--reassemble takes at least two parts of a dump, and the file that it writes"
                        .into(),
                ),
            };
        }
        let records = match self.partial_dmesg {
            true => Records::SinceCleared,
            false => Records::All,
        };
        match (self.operands.as_slice(), self.flattened) {
            ([target], false) if self.rearrange => Ok(Task::Rearrange {
                target: target.clone(),
            }),
            _ if self.rearrange => {
                Err("-R reads standard input, and takes the file that it writes".into())
            }
            ([vmcore], _) if self.mem_usage => Ok(Task::MemUsage {
                vmcore: vmcore.clone(),
            }),
            ([vmcore], true) if self.dmesg => Ok(Task::Dmesg {
                vmcore: vmcore.clone(),
                target: None,
                records,
            }),
            ([vmcore, target], false) if self.dmesg => Ok(Task::Dmesg {
                vmcore: vmcore.clone(),
                target: Some(target.clone()),
                records,
            }),
            ([vmcore], true) => Ok(Task::Create {
                vmcore: vmcore.clone(),
                targets: Vec::new(),
            }),
            ([vmcore, targets @ ..], false) if self.split && targets.len() > 1 => {
                Ok(Task::Create {
                    vmcore: vmcore.clone(),
                    targets: targets.to_vec(),
                })
            }
            ([vmcore, target], false) if !self.split => Ok(Task::Create {
                vmcore: vmcore.clone(),
                targets: vec![target.clone()],
            }),
            _ if self.split => Err("--split takes VMCORE and at least two files".into()),
            (_, true) => Err("-F takes VMCORE, and writes to standard output".into()),
            _ => Err("VMCORE and the file that is written are needed".into()),
        }
    }

    /// What does not go together, as makedumpfile has it.
    fn check_combinations(&self) -> Result<(), String> {
        let refused = [
            (
                self.codec.is_some() && self.elf,
                "-E writes an ELF core, whose pages are not compressed: -c, -l, -p and -z are not for it",
            ),
            (self.flattened && self.split, "-F writes one stream, and --split several files"),
            (
                self.threads.is_some() && self.split,
                "--num-threads and --split do not go together",
            ),
            (
                self.threads.is_some() && self.elf,
                "--num-threads and -E do not go together",
            ),
            (self.elf && self.split, "--split and -E do not go together"),
            (
                self.dry_run && self.dmesg,
                "--dry-run and --dump-dmesg do not go together",
            ),
            (
                self.partial_dmesg && !self.dmesg,
                "--partial-dmesg is for --dump-dmesg",
            ),
            (
                self.exclude_unused_vmemmap && !self.work_dir,
                "-e goes with --work-dir",
            ),
            (
                self.reassemble && (self.flattened || self.split || self.rearrange || self.dmesg),
                "--reassemble reads parts of a dump and writes a file: -F, -R, --split and --dump-dmesg are not \
                 for it",
            ),
            (
                self.rearrange && (self.codec.is_some() || self.elf || !self.levels.is_empty()),
                "-R writes a dump as it is: -c, -l, -p, -z, -E and -d are not for it",
            ),
        ];
        match refused.iter().find(|(given, _)| *given) {
            Some((_, sentence)) => Err((*sentence).into()),
            None => Ok(()),
        }
    }
}

/// The long option that a word means, which may be cut short.
fn unabridged(word: &str) -> Result<&'static str, String> {
    let known = || LONG.iter().copied();
    if let Some(name) = known().find(|name| *name == word) {
        return Ok(name);
    }
    let mut meant = known().filter(|name| name.starts_with(word));
    match (meant.next(), meant.next()) {
        (Some(name), None) => Ok(name),
        (Some(name), Some(other)) => Err(format!(
            "--{word} may mean --{name} or --{other}: say which"
        )),
        (None, _) => Err(format!("--{word} is no option of makedumpfile's")),
    }
}

fn text(parser: &mut Parser, option: &str) -> Result<String, String> {
    let value = parser.value().map_err(|error| error.to_string())?;
    value
        .string()
        .map_err(|_| format!("the value of {option} is not text"))
}

fn number(parser: &mut Parser, option: &str) -> Result<u64, String> {
    let value = text(parser, option)?;
    value
        .trim()
        .parse()
        .map_err(|_| format!("{option} {value}: a number is needed"))
}

/// Dump levels with commas between them.
fn levels(words: &str) -> Result<Vec<u8>, String> {
    let level = |word: &str| {
        let level = word.trim().parse().ok();
        level
            .filter(|level| *level <= DUMP_LEVEL_MAX)
            .ok_or_else(|| {
                format!("-d {words}: a dump level is a number from 0 to {DUMP_LEVEL_MAX}")
            })
    };
    words.split(',').map(level).collect()
}

fn xen(option: &str) -> String {
    format!("{option}: dumps of Xen's domain 0 are not filtered; makedumpfile does that")
}

#[cfg(test)]
#[path = "options/tests.rs"]
mod tests;
