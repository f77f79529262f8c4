// SPDX-License-Identifier: GPL-2.0

//! The command line of `rkexec`: `kexec`'s options, or a subcommand, become one [`Action`].

use std::{
    ffi::OsString,
    path::PathBuf,
    time::Duration, //
};

use clap::{
    error::ErrorKind,
    ArgAction,
    Args,
    CommandFactory,
    Parser,
    Subcommand,
    ValueEnum, //
};
use kexec_core::{
    handover::Purpose,
    types::{
        digest::Algorithm,
        elf::Architecture, //
    }, //
};

/// A request of the user.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Load a kernel; one for a crash is armed.
    Load {
        /// What enters it.
        purpose: Purpose,
        /// The kernel image.
        kernel: PathBuf,
        /// Initrd, signatures, command line and digest.
        options: ImageOptions,
    },
    /// Drop the loaded kernel of this purpose.
    Unload {
        /// What would enter it.
        purpose: Purpose,
    },
    /// Reboot into the loaded kernel.
    Enter,
    /// Have so much memory for images, or give it back.
    Reserve {
        /// How much, in bytes.
        len: u64,
    },
    /// Show what is loaded.
    Status {
        /// What the exit status is about.
        purpose: Purpose,
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
    /// Show what crashkernel= asks for.
    Crashkernel(CrashkernelRequest),
    /// Show how much memory a capture kernel needs.
    Estimate(EstimateRequest),
    /// Show whether a crash would leave a dump.
    Doctor(DoctorRequest),
}

/// Loads a kernel that takes over when this one panics, or at a reboot without firmware, drops it, and shows
/// what is loaded.
#[derive(Debug, Parser)]
#[command(
    name = "rkexec",
    version,
    disable_version_flag = true,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 when it is done, 1 when it is refused, 2 for wrong usage. Status \
                  answers as kexec does: 1 when a capture kernel is armed (with -l, when a kernel \
                  is loaded for a reboot), 0 when none is, 255 when that is unknown. Inspect: 0 when every file can be loaded, 1 when one is \
                  refused, 255 when one cannot be read. Doctor: 0 when a crash would leave a dump, \
                  1 when something is wrong, 255 when that is unknown."
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Load KERNEL to be entered at a panic
    #[arg(short = 'p', long)]
    load_panic: bool,

    /// Drop the loaded capture kernel, or with -l the kernel for a reboot
    #[arg(short = 'u', long)]
    unload: bool,

    /// Show what is loaded; loads and drops nothing, whatever else is given
    #[arg(short = 'S', long)]
    status: bool,

    /// Show the status as JSON
    #[arg(long, requires = "status")]
    json: bool,

    /// Load KERNEL to be entered by a reboot: by -e, kexec -e or systemctl kexec
    #[arg(short = 'l', long)]
    load: bool,

    /// Reboot into the kernel that -l has loaded, at once: services are not stopped, and file systems are
    /// written back but not unmounted
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
    /// Take SIZE of the running kernel's memory for a capture kernel; 0 gives it back
    ///
    /// For a machine that was booted without crashkernel=. What is in the memory is moved elsewhere, so it
    /// can be had while enough is free, and best soon after boot: the module's parameter reserve=SIZE
    /// takes it when the module is inserted. It comes in several pieces where one cannot be had; images
    /// go into the largest. Where crashkernel= has reserved memory, SIZE of it is kept and the rest given
    /// back. Memory that the command line has kept free, by memmap= for example, is named when the module
    /// is inserted, by region=SIZE@START, and stays as it is.
    Reserve {
        /// How much, such as 192M
        #[arg(value_parser = size)]
        size: u64,
    },
    /// Show what is loaded, as -S
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show how a crash went: when it got how far, and how each CPU stopped
    ///
    /// Reads the note RUST_KEXEC in /proc/vmcore, in a copy of it, or in a file that makedumpfile has
    /// written, in ELF or compressed. Times are microseconds since the crash was noticed. A CPU is
    /// stopped by an interrupt, by an NMI, by itself because it had panicked as well (waiting), or by
    /// the kernel with crash_kexec_post_notifiers.
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
    /// Show what crashkernel= asks for, and what memory a kernel would reserve for it
    ///
    /// Reads a command line as the kernel reads it, with the sentence that says what is wrong and where.
    /// Where the machine's memory map is known, says which memory would be reserved, as far as the map
    /// tells: what holds memory only while the kernel boots is not in it. Exit status: 0 when memory
    /// would be reserved, 1 when none would, 255 when that is unknown.
    Crashkernel(CrashkernelRequest),
    /// Show how much memory a capture kernel needs, and the crashkernel= to reserve it by
    ///
    /// Needs no module and no privilege, and takes kernels of either architecture. Unpacks the kernel
    /// and the initrd, and adds up what is known of them and what was measured with other kernels.
    /// There are two moments that need most: while the kernel unpacks the initrd, and while the
    /// dump is saved. The figure holds for a region below 4 GiB.
    ///
    /// With --measure, boots the kernel with exactly this initrd in QEMU with less and less memory, without
    /// this machine's disks and network, and reports the least with which the initrd's own service had
    /// started and /proc/vmcore was read to its end. The service has started once a program has read
    /// /proc/vmcore or closed it, once the initrd asks to reboot or to end all programs, or once the guest has
    /// come to rest: for five seconds on end it computed less than a fifth of the time. Then
    /// /proc/vmcore is read with the memory of --dump-tool, beside the initrd's programs. docs/memory.md
    /// says what the figure does not tell.
    Estimate(EstimateRequest),
    /// Show whether a crash would leave a dump, and what is wrong if it would not
    ///
    /// Looks at this machine: the module and what it has armed, the reserved memory, the kernel, the initrd
    /// and the place of the dump. Or looks at a kernel's tree or its .config: whether such a kernel can
    /// crash and leave a dump, and whether it can save one. Changes nothing. Each line is good, a note, a
    /// warning (some crashes leave none, or something is not known), or wrong: then there is no dump. To
    /// know that a dump is left, crash the machine once. docs/doctor.md explains the lines. Exit
    /// status: 0 when nothing is wrong, 1 when something is, 255 when that is unknown.
    Doctor(DoctorRequest),
}

/// The machine or the kernel that is judged, and the files that it is judged with.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DoctorRequest {
    /// A kernel's tree, or its .config; without it, this machine
    #[arg(
        value_name = "KDIR",
        conflicts_with_all = ["boot", "kernel", "initrd", "command_line", "target", "dump_tool"]
    )]
    pub tree: Option<PathBuf>,

    /// Judge the files that would be loaded next, whatever is armed: those named, or the kernel and the
    /// initrd of the running release in /boot and /var/lib/kdump
    #[arg(long)]
    pub boot: bool,

    /// The capture kernel; without it, the one in the usual places that is the armed one
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,

    #[command(flatten)]
    pub files: BootOptions,

    /// Where the initrd saves the dump: a directory, or a block device; without it, /var/crash if that is
    /// there
    #[arg(long, value_name = "PATH")]
    pub target: Option<PathBuf>,

    /// The memory for the programs that save the dump, as of rkexec estimate
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16M")]
    pub dump_tool: u64,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// A capture kernel, as it would be loaded.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct EstimateRequest {
    /// The kernel image
    pub kernel: PathBuf,

    #[command(flatten)]
    pub boot: BootOptions,

    /// The machine's CPUs, of which nr_cpus= on the command line takes some; without it, those of this
    /// machine
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub cpus: Option<u64>,

    /// The memory for the programs that save the dump: as much as they allocate, without their files
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "16M")]
    pub dump_tool: u64,

    #[command(flatten)]
    pub measure: MeasureOptions,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// How an estimate is followed by a measurement.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct MeasureOptions {
    /// Boot the kernel in QEMU with less and less memory
    #[arg(long)]
    pub measure: bool,

    /// The name of a program that runs once the initrd's service has started; without it, any will do
    #[arg(long, value_name = "NAME", requires = "measure", value_parser = program_name)]
    pub service: Option<String>,

    /// QEMU's program for the kernel's architecture; without it, the one in PATH
    #[arg(long, value_name = "FILE", requires = "measure")]
    pub qemu: Option<PathBuf>,

    /// The program that watches in the guest, build/bin/ARCH/watcher; without it, the one beside rkexec, or
    /// /usr/libexec/rkexec/watcher
    #[arg(long, value_name = "FILE", requires = "measure")]
    pub watcher: Option<PathBuf>,

    /// The longest that a boot may take, in seconds; what takes longer was not enough
    #[arg(
        long,
        value_name = "SECONDS",
        requires = "measure",
        value_parser = clap::value_parser!(u64).range(1..),
        default_value = "600"
    )]
    pub bound: u64,

    /// Show what each guest printed
    #[arg(long, requires = "measure")]
    pub verbose: bool,
}

impl MeasureOptions {
    /// The longest that a boot may take.
    pub fn bound(&self) -> Duration {
        Duration::from_secs(self.bound)
    }
}

/// The name of a program, which has to be one word on a command line.
fn program_name(text: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '"' | '/');
    match !text.is_empty() && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("the name of a program is needed, as ps shows it".into()),
    }
}

/// A command line, and the machine and the kernel that it is for.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct CrashkernelRequest {
    /// The command line, in one word; without it, that of the running kernel
    #[arg(value_name = "LINE")]
    pub line: Option<OsString>,

    /// The machine's memory, such as 4G, where the memory map is not known
    #[arg(long, value_name = "SIZE", value_parser = size, conflicts_with = "iomem")]
    pub memory: Option<u64>,

    /// The machine's memory map, as /proc/iomem shows it to root
    #[arg(long, value_name = "FILE", default_value = "/proc/iomem")]
    pub iomem: PathBuf,

    /// The version of Linux, such as 6.12; without it, the running one
    #[arg(long, value_name = "VERSION")]
    pub linux: Option<String>,

    /// The machine's architecture; without it, that of this machine
    #[arg(long)]
    pub arch: Option<MachineArchitecture>,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// An architecture that kernels are loaded on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MachineArchitecture {
    /// Intel's and AMD's 64-bit CPUs
    #[value(name = "x86_64")]
    X86_64,
    /// Arm's 64-bit CPUs
    Arm64,
}

impl From<MachineArchitecture> for Architecture {
    fn from(architecture: MachineArchitecture) -> Self {
        match architecture {
            MachineArchitecture::X86_64 => Self::X86_64,
            MachineArchitecture::Arm64 => Self::Arm64,
        }
    }
}

/// A number of bytes, with a suffix as in crashkernel=.
fn size(text: &str) -> Result<u64, String> {
    kexec_core::crashkernel::size(text.as_bytes())
        .ok_or_else(|| "a number of bytes, such as 512M or 4G, is needed".into())
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

    /// The device tree that the kernel gets instead of the running one's; its memory and firmware have to be
    /// those of this machine (arm64)
    #[arg(long, visible_alias = "dtb", value_name = "FILE")]
    pub device_tree: Option<PathBuf>,

    /// Begin the command line with the running kernel's, without BOOT_IMAGE= and elfcorehdr=, and that of a
    /// capture kernel without crashkernel=, mem= and memmap=
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
            Some(Command::Load { kernel, options }) => {
                return Ok(Action::Load {
                    purpose: Purpose::Crash,
                    kernel,
                    options,
                })
            }
            Some(Command::Unload) => {
                return Ok(Action::Unload {
                    purpose: Purpose::Crash,
                })
            }
            Some(Command::Reserve { size }) => return Ok(Action::Reserve { len: size }),
            Some(Command::Status { json }) => {
                return Ok(Action::Status {
                    purpose: Purpose::Crash,
                    json,
                })
            }
            Some(Command::Report { dump, json }) => return Ok(Action::Report { dump, json }),
            Some(Command::Inspect(request)) => return Ok(Action::Inspect(request)),
            Some(Command::Crashkernel(request)) => return Ok(Action::Crashkernel(request)),
            Some(Command::Estimate(request)) => return Ok(Action::Estimate(request)),
            Some(Command::Doctor(request)) => return Ok(Action::Doctor(request)),
            None => {}
        }
        let purpose = match self.load {
            true => Purpose::Reboot,
            false => Purpose::Crash,
        };
        if self.status {
            return Ok(Action::Status {
                purpose,
                json: self.json,
            });
        }
        if self.load && self.load_panic {
            return Err("-l loads a kernel for a reboot and -p one for a panic: give one of them");
        }
        if self.exec {
            if self.load || self.load_panic || self.unload || self.kernel.is_some() {
                return Err("-e enters the kernel that is loaded: load it before, with -l");
            }
            return Ok(Action::Enter);
        }
        if self.unload {
            if self.kernel.is_some() || self.options != ImageOptions::default() {
                return Err("-u drops the loaded kernel and takes none to load");
            }
            return Ok(Action::Unload { purpose });
        }
        match (self.load_panic || self.load, self.kernel) {
            (true, Some(kernel)) => Ok(Action::Load {
                purpose,
                kernel,
                options: self.options,
            }),
            (true, None) => Err("-p and -l need the kernel image to load"),
            (false, Some(_)) => {
                Err("say what the kernel is for: -p loads it for a panic, -l for a reboot")
            }
            (false, None) => {
                Err("say what to do: -p KERNEL or -l KERNEL loads, -u unloads, -S shows")
            }
        }
    }
}

fn usage(sentence: &str) -> ! {
    Arguments::command()
        .error(ErrorKind::MissingRequiredArgument, sentence)
        .exit()
}

// By its path, because the example that makes the manual page includes this file.
#[cfg(test)]
#[path = "arguments/tests.rs"]
mod tests;
