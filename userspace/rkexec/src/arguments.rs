// SPDX-License-Identifier: GPL-2.0

//! The command line of `rkexec`: `kexec`'s options, or a subcommand, become one [`Action`].

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use kexec_core::types::digest::Algorithm;

/// A request of the user.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Load a capture kernel and arm it.
    Load {
        /// The kernel image.
        kernel: PathBuf,
        /// Initrd, signatures, command line and digest.
        options: ImageOptions,
    },
    /// Disarm and drop the capture kernel.
    Unload,
    /// Show what is loaded.
    Status {
        /// As JSON.
        json: bool,
    },
    /// Show the crash report of a dump.
    Report {
        /// The dump.
        dump: PathBuf,
        /// As JSON.
        json: bool,
    },
    /// Show what files are, and whether they can be loaded.
    Inspect(InspectRequest),
    /// Load a kernel that is entered by a reboot, or enter it.
    OrdinaryKexec,
}

/// Loads a kernel that takes over when this one panics, drops it, and shows what is loaded.
#[derive(Debug, Parser)]
#[command(
    name = "rkexec",
    version,
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 when it is done, 1 when it is refused, 2 for wrong usage. Status \
                  answers as kexec does: 1 when a capture kernel is armed, 0 when none is, 255 \
                  when that is unknown. Inspect: 0 when every file can be loaded, 1 when one is \
                  refused, 255 when one cannot be read."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Load KERNEL to be entered at a panic
    #[arg(short = 'p', long)]
    load_panic: bool,

    /// Drop the loaded capture kernel
    #[arg(short = 'u', long)]
    unload: bool,

    /// Show what is loaded; loads and drops nothing, whatever else is given
    #[arg(short = 'S', long)]
    status: bool,

    /// Show the status as JSON
    #[arg(long, requires = "status")]
    json: bool,

    /// Load KERNEL to be entered by a reboot (not there yet)
    #[arg(short = 'l', long)]
    load: bool,

    /// Reboot into the loaded kernel (not there yet)
    #[arg(short = 'e', long)]
    exec: bool,

    /// The kernel image
    kernel: Option<PathBuf>,

    #[command(flatten)]
    options: ImageOptions,

    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Load KERNEL to be entered at a panic, as -p
    Load {
        /// The kernel image
        kernel: PathBuf,

        #[command(flatten)]
        options: ImageOptions,
    },
    /// Drop the loaded capture kernel, as -u
    Unload,
    /// Show what is loaded, as -S
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how a crash went: when it got how far, and how each CPU stopped
    ///
    /// Reads the note RUST_KEXEC in an ELF dump, as /proc/vmcore is one and makedumpfile -E writes
    /// them. Times are microseconds since the crash was noticed. A CPU is stopped by an interrupt, by
    /// an NMI, by itself because it had panicked as well (waiting), or by the kernel with
    /// crash_kexec_post_notifiers.
    Report {
        /// The dump
        #[arg(value_name = "VMCORE")]
        dump: PathBuf,

        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show what kernels are, what they need, who signed them, and why they would be refused
    ///
    /// Needs no module and no privilege, and takes kernels of either architecture. With --initrd or
    /// --command-line, also checks that each kernel can be loaded with them. A signature's
    /// digest is compared with the file; whether its key is trusted is for the machine that loads
    /// the kernel to say. Exit status: 0 when every file can be loaded, 1 when one is refused, 255
    /// when one cannot be read.
    Inspect(InspectRequest),
}

/// The files to inspect, and the initrd and command line that they would be loaded with.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct InspectRequest {
    /// The kernel images
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub boot: BootOptions,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// The initial RAM disk and the command line that a kernel boots with.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct BootOptions {
    /// The initial RAM disk
    #[arg(long, visible_alias = "ramdisk", value_name = "FILE")]
    pub initrd: Option<PathBuf>,

    /// The capture kernel's command line
    #[arg(
        long,
        visible_alias = "append",
        value_name = "STRING",
        allow_hyphen_values = true
    )]
    pub command_line: Option<OsString>,
}

/// All that a load takes besides the kernel.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    #[command(flatten)]
    pub boot: BootOptions,

    /// A detached signature of the kernel: PKCS#7 in DER
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,

    /// A detached signature of the initial RAM disk: PKCS#7 in DER
    #[arg(long, value_name = "FILE", requires = "initrd")]
    pub initrd_signature: Option<PathBuf>,

    /// Begin the command line with the running kernel's, without crashkernel=, BOOT_IMAGE= and
    /// elfcorehdr=
    #[arg(long)]
    pub reuse_cmdline: bool,

    /// What the image is checked with before it is entered; without this option XXH64. Either finds
    /// what was overwritten by accident
    #[arg(long, value_name = "ALGORITHM")]
    pub digest: Option<Digest>,
}

/// A digest that the purgatory knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Digest {
    /// Cryptographic; takes long on a CPU without instructions for it
    Sha256,
    /// Quick on every CPU; misses one accident in 2^64
    Xxh64,
}

impl From<Digest> for Algorithm {
    fn from(digest: Digest) -> Self {
        match digest {
            Digest::Sha256 => Self::Sha256,
            Digest::Xxh64 => Self::Xxh64,
        }
    }
}

impl Arguments {
    /// The action that the command line of this process names. Wrong usage ends the process with a
    /// usage message.
    pub fn action() -> Action {
        Self::parse()
            .into_action()
            .unwrap_or_else(|sentence| usage(sentence))
    }

    fn into_action(self) -> Result<Action, &'static str> {
        match self.command {
            Some(Command::Load { kernel, options }) => return Ok(Action::Load { kernel, options }),
            Some(Command::Unload) => return Ok(Action::Unload),
            Some(Command::Status { json }) => return Ok(Action::Status { json }),
            Some(Command::Report { dump, json }) => return Ok(Action::Report { dump, json }),
            Some(Command::Inspect(request)) => return Ok(Action::Inspect(request)),
            None => {}
        }
        if self.status {
            if self.load {
                return Err(
                    "ordinary kexec (-l) is not there yet: -S alone shows what is loaded \
                            for a panic",
                );
            }
            return Ok(Action::Status { json: self.json });
        }
        if self.load || self.exec {
            return Ok(Action::OrdinaryKexec);
        }
        if self.unload {
            if self.kernel.is_some() || self.options != ImageOptions::default() {
                return Err("-u drops the loaded kernel and takes none to load");
            }
            return Ok(Action::Unload);
        }
        match (self.load_panic, self.kernel) {
            (true, Some(kernel)) => Ok(Action::Load {
                kernel,
                options: self.options,
            }),
            (true, None) => Err("-p needs the kernel image to load"),
            (false, Some(_)) => Err("say what the kernel is for: -p loads it for a panic"),
            (false, None) => Err("say what to do: -p KERNEL loads, -u unloads, -S shows"),
        }
    }
}

fn usage(sentence: &str) -> ! {
    Arguments::command()
        .error(ErrorKind::MissingRequiredArgument, sentence)
        .exit()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(words: &str) -> Result<Action, &'static str> {
        let words = ["rkexec"].into_iter().chain(words.split_whitespace());
        Arguments::try_parse_from(words)
            .expect("clap accepts it")
            .into_action()
    }

    fn boot(initrd: Option<&str>, command_line: Option<&str>) -> BootOptions {
        BootOptions {
            initrd: initrd.map(PathBuf::from),
            command_line: command_line.map(OsString::from),
        }
    }

    fn load(kernel: &str, initrd: Option<&str>, command_line: Option<&str>) -> Action {
        Action::Load {
            kernel: kernel.into(),
            options: ImageOptions {
                boot: boot(initrd, command_line),
                ..ImageOptions::default()
            },
        }
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_spelling_of_load_means_the_same() {
        let expected = load("/k", Some("/i"), Some("a=1"));
        for words in [
            "-p /k --initrd=/i --command-line=a=1",
            "-p /k --ramdisk /i --append a=1",
            "--load-panic --append=a=1 --initrd=/i /k",
            "load /k --initrd /i --append=a=1",
        ] {
            assert_eq!(action(words).as_ref(), Ok(&expected), "{words}");
        }
    }

    #[test]
    fn signatures_are_files_beside_the_kernel_and_the_initrd() {
        let Ok(Action::Load { options, .. }) =
            action("-p /k --initrd /i --signature /k.p7s --initrd-signature /i.p7s")
        else {
            panic!("it loads");
        };
        assert_eq!(options.signature, Some("/k.p7s".into()));
        assert_eq!(options.initrd_signature, Some("/i.p7s".into()));
        let words = ["rkexec", "-p", "/k", "--initrd-signature", "/i.p7s"];
        assert!(Arguments::try_parse_from(words).is_err());
    }

    #[test]
    fn digests_have_names() {
        for (name, digest) in [("sha256", Digest::Sha256), ("xxh64", Digest::Xxh64)] {
            let Ok(Action::Load { options, .. }) = action(&format!("-p /k --digest {name}")) else {
                panic!("it loads");
            };
            assert_eq!(options.digest, Some(digest));
        }
        assert!(Arguments::try_parse_from(["rkexec", "-p", "/k", "--digest=md5"]).is_err());
    }

    #[test]
    fn a_command_line_may_begin_with_a_hyphen() {
        assert_eq!(
            action("-p /k --append --quiet"),
            Ok(load("/k", None, Some("--quiet")))
        );
    }

    #[test]
    fn unload_and_status_have_their_spellings() {
        for words in ["-u", "-p -u", "-pu", "--unload", "unload"] {
            assert_eq!(action(words), Ok(Action::Unload), "{words}");
        }
        for words in ["-S", "-p -S", "--status", "status"] {
            assert_eq!(action(words), Ok(Action::Status { json: false }), "{words}");
        }
        for words in ["-S --json", "-p -S --json", "status --json"] {
            assert_eq!(action(words), Ok(Action::Status { json: true }), "{words}");
        }
    }

    #[test]
    fn inspect_takes_several_files() {
        let request = InspectRequest {
            files: vec!["/a".into(), "/b".into()],
            boot: boot(Some("/i"), Some("-x")),
            json: true,
        };
        assert_eq!(
            action("inspect /a /b --json --initrd /i --append=-x"),
            Ok(Action::Inspect(request))
        );
        assert!(Arguments::try_parse_from(["rkexec", "inspect"]).is_err());
    }

    #[test]
    fn status_supersedes_the_rest() {
        assert_eq!(
            action("-S -p -u /k --append=a"),
            Ok(Action::Status { json: false })
        );
    }

    #[test]
    fn ordinary_kexec_is_recognised() {
        for words in ["-l /k", "-e", "-l /k -e"] {
            assert_eq!(action(words), Ok(Action::OrdinaryKexec), "{words}");
        }
    }

    #[test]
    fn half_a_request_says_what_is_missing() {
        for (words, part) in [
            ("-p", "-p needs"),
            ("-l -S", "ordinary kexec"),
            ("/k", "say what the kernel is for"),
            ("", "say what to do"),
            ("-u /k", "-u drops"),
            ("-p -u --append=a", "-u drops"),
        ] {
            let sentence = action(words).expect_err(words);
            assert!(sentence.starts_with(part), "{words}: {sentence}");
        }
    }

    #[test]
    fn options_and_subcommands_do_not_mix() {
        for words in [
            vec!["rkexec", "-p", "load", "/k"],
            vec!["rkexec", "--json"],
            vec!["rkexec", "load"],
            vec!["rkexec", "-p", "/a", "/b"],
        ] {
            let parsed = Arguments::try_parse_from(&words).map(Arguments::into_action);
            assert!(!matches!(parsed, Ok(Ok(_))), "{words:?}: {parsed:?}");
        }
    }
}
