// SPDX-License-Identifier: GPL-2.0

//! A command line of `kexec`, read as getopt_long(3) reads it: options before and after the kernel, the last
//! of several, names cut short. Each option sets anew what is to be done, so their order counts.

use std::{
    ffi::OsString,
    path::PathBuf, //
};

use kexec_core::types::elf::Architecture;
use lexopt::{
    Arg,
    Parser,
    ValueExt, //
};

use super::options::{
    self,
    Answer,
    Known, //
};

/// The architecture of this machine.
pub const ARCHITECTURE: Architecture = if cfg!(target_arch = "aarch64") {
    Architecture::Arm64
} else {
    Architecture::X86_64
};

/// What is to be done with the loaded kernel, or with the one that is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whether it is about the kernel for a panic.
    pub for_crash: bool,
    /// What is done, one after the other.
    pub steps: Steps,
    /// The kernel.
    pub kernel: Option<PathBuf>,
    /// The initial RAM disk.
    pub initrd: Option<PathBuf>,
    /// The device tree, in the place of the running kernel's.
    pub device_tree: Option<PathBuf>,
    /// The command line.
    pub command_line: Option<OsString>,
    /// Whether it begins with the running kernel's.
    pub reuse_cmdline: bool,
    /// The type that the kernel has to be of.
    pub kernel_type: Option<String>,
    /// Whether to say what is done.
    pub debug: bool,
    /// What the caller should know.
    pub notes: Vec<String>,
}

/// What is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    /// Only say by the exit status whether something is loaded.
    pub status: bool,
    /// Only print the size of the region for crashes.
    pub print_region: bool,
    /// Drop what is loaded.
    pub unload: bool,
    /// Load the kernel.
    pub load: bool,
    /// Have init shut the machine down, into the loaded kernel.
    pub shut_down: bool,
    /// Write files back.
    pub sync: bool,
    /// Enter the loaded kernel.
    pub enter: bool,
}

/// Exit status of what failed: -1.
pub const FAILED: u8 = 255;

/// Why a command line is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The reason.
    pub sentence: String,
    /// The exit status.
    pub status: u8,
}

impl From<String> for Wrong {
    /// Wrong usage.
    fn from(sentence: String) -> Self {
        Self {
            sentence,
            status: 1,
        }
    }
}

/// A command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// It asks for the options.
    Help,
    /// It asks for the version.
    Version,
    /// It asks for something to be done.
    Request(Box<Request>),
}

/// A command line, as far as it was read.
struct Reader {
    request: Request,
    loads_for_reboot: bool,
    skips_sync: bool,
    noefi: bool,
    /// Options that are wrong where nothing is loaded.
    for_loading: Option<&'static str>,
    refusal: Option<String>,
}

impl Request {
    /// Reads the words after the program's name.
    pub fn parse(words: Vec<OsString>) -> Result<Parsed, Wrong> {
        let mut reader = Reader::new();
        let mut parser = Parser::from_args(words);
        while let Some(argument) = parser.next().map_err(|error| error.to_string())? {
            let known = match argument {
                Arg::Value(kernel) => {
                    // More than one are ignored.
                    reader.request.kernel.get_or_insert(kernel.into());
                    continue;
                }
                Arg::Short('?') => {
                    return Err(String::from("kexec --help lists the options").into())
                }
                Arg::Short(letter) => {
                    options::by_letter(letter, ARCHITECTURE).ok_or_else(|| {
                        format!("there is no option -{letter}: kexec --help lists them")
                    })?
                }
                Arg::Long(name) => options::by_name(name, ARCHITECTURE)?,
            };
            let value = match known.value {
                None => None,
                Some(_) => Some(
                    parser
                        .value()
                        .map_err(|_| format!("--{} needs a value", known.name))?,
                ),
            };
            match known.name {
                "help" => return Ok(Parsed::Help),
                "version" => return Ok(Parsed::Version),
                _ => reader.option(known, value)?,
            }
        }
        reader
            .finish()
            .map(|request| Parsed::Request(Box::new(request)))
    }
}

impl Reader {
    fn new() -> Self {
        Self {
            request: Request {
                for_crash: false,
                // A kernel alone is loaded, and the machine shut down into it.
                steps: Steps {
                    status: false,
                    print_region: false,
                    unload: false,
                    load: true,
                    shut_down: true,
                    sync: true,
                    enter: false,
                },
                kernel: None,
                initrd: None,
                device_tree: None,
                command_line: None,
                reuse_cmdline: false,
                kernel_type: None,
                debug: false,
                notes: Vec::new(),
            },
            loads_for_reboot: false,
            skips_sync: false,
            noefi: false,
            for_loading: None,
            refusal: None,
        }
    }

    fn option(&mut self, known: &'static Known, value: Option<OsString>) -> Result<(), String> {
        if known.for_loading {
            self.for_loading = Some(known.name);
        }
        match known.answer {
            Answer::Do(_) => self.step(known.name, value),
            Answer::Take(note) => {
                if known.name.starts_with("mem-") {
                    number(known.name, value)?;
                }
                if !note.is_empty() {
                    let note = format!("--{} changes nothing: {note}", known.name);
                    if !self.request.notes.contains(&note) {
                        self.request.notes.push(note);
                    }
                }
                Ok(())
            }
            Answer::Refuse(reason) => {
                self.refusal = Some(format!("--{} is not supported: {reason}", known.name));
                Ok(())
            }
        }
    }

    fn step(&mut self, name: &str, value: Option<OsString>) -> Result<(), String> {
        let request = &mut self.request;
        let steps = &mut request.steps;
        let is = |load, shut_down, sync, enter| Steps {
            load,
            shut_down,
            sync,
            enter,
            ..*steps
        };
        match name {
            "load" => {
                *steps = is(true, false, steps.sync, false);
                self.loads_for_reboot = true;
            }
            "load-panic" => {
                *steps = is(true, false, false, false);
                request.for_crash = true;
            }
            "unload" => {
                *steps = is(false, false, false, steps.enter);
                steps.unload = true;
            }
            "exec" => *steps = is(false, false, true, true),
            "force" => *steps = is(true, false, true, true),
            "status" => steps.status = true,
            "print-ckr-size" => steps.print_region = true,
            "no-sync" => self.skips_sync = true,
            "debug" => request.debug = true,
            "noefi" => self.noefi = true,
            "reuse-cmdline" => request.reuse_cmdline = true,
            "append" | "command-line" => request.command_line = value,
            "initrd" | "ramdisk" => request.initrd = value.map(PathBuf::from),
            "dtb" => request.device_tree = value.map(PathBuf::from),
            "type" => {
                let value = value.unwrap_or_default();
                request.kernel_type = Some(value.to_string_lossy().into_owned());
            }
            other => return Err(format!("--{other} has no meaning")),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Request, Wrong> {
        let request = &mut self.request;
        let steps = &mut request.steps;
        steps.sync &= !self.skips_sync;
        if steps.print_region || steps.status {
            // Nothing else is done then.
            request.for_crash |= !self.loads_for_reboot;
            *steps = Steps {
                print_region: steps.print_region,
                status: steps.status,
                ..Steps::default()
            };
        } else if let Some(sentence) = self.refusal {
            return Err(sentence.into());
        }
        if let (false, Some(name)) = (steps.load, self.for_loading) {
            let sentence = format!("--{name} is for a kernel that is loaded, and none is");
            return Err(sentence.into());
        }
        if steps.load && request.kernel.is_none() {
            return Err(Wrong {
                sentence: "no kernel is named that could be loaded: kexec --help lists the options"
                    .into(),
                status: FAILED,
            });
        }
        if self.noefi {
            // Without them the kernel does not look at what it is told of the firmware.
            let mut line = request.command_line.take().unwrap_or_default();
            if !line.is_empty() {
                line.push(" ");
            }
            line.push("noefi");
            request.command_line = Some(line);
        }
        Ok(self.request)
    }
}

/// A number, as strtoul(3) takes it.
fn number(name: &str, value: Option<OsString>) -> Result<u64, String> {
    let text = value
        .unwrap_or_default()
        .string()
        .map_err(|_| format!("--{name} needs a number"))?;
    let digits = text.strip_prefix("0x").or(text.strip_prefix("0X"));
    let number = match (digits, text.strip_prefix('0')) {
        (Some(digits), _) => u64::from_str_radix(digits, 16),
        (None, Some("")) => Ok(0),
        (None, Some(digits)) => u64::from_str_radix(digits, 8),
        (None, None) => text.parse(),
    };
    number.map_err(|_| format!("--{name}={text}: a number is needed, such as 0x1000000"))
}
