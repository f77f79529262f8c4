// SPDX-License-Identifier: GPL-2.0

//! The command line of `rkdump`.

use std::{
    num::{
        NonZeroU32,
        NonZeroUsize, //
    },
    path::PathBuf, //
};

use clap::{
    Args,
    Parser,
    Subcommand,
    ValueEnum, //
};

/// Saves the memory of a crashed kernel, without the pages that nobody looks at, compressed, by all CPUs.
#[derive(Debug, Parser)]
#[command(
    name = "rkdump",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 when it is done; 1 when it is refused or has failed, and leaves no dump; 2 for \
                  wrong usage; 3 when a part of the dump was saved, which can be opened and is marked as \
                  incomplete. As makedumpfile and as vmcore-dmesg it exits with their codes."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Save a dump: read VMCORE, leave out what the level says, and write the rest to TARGET
    ///
    /// TARGET is a file, which must not be there; a directory, in which a directory with the time as its name
    /// is made for the dump and the kernel's log; a block device that rkdump format has prepared; or - for
    /// standard output. What could not be saved to the end is marked as incomplete, and crash and drgn open
    /// what is there.
    Save(SaveRequest),
    /// Compare a saved dump with its manifest, and read each of its pages
    Verify(VerifyRequest),
    /// Prepare a block device for a dump
    ///
    /// All that is on it is lost. A device on which something is found is refused without --force. rkdump save
    /// writes to a device only when this was done.
    Format(FormatRequest),
    /// Show the dump on a device that rkdump format has prepared
    List(ListRequest),
    /// Copy the dump from a device that rkdump format has prepared into a file
    Extract(ExtractRequest),
    /// Write the kernel's log out of a dump, to FILE or to standard output
    Dmesg(DmesgRequest),
}

/// What is saved, how, and where.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct SaveRequest {
    /// The dump: /proc/vmcore, or a copy of it
    #[arg(value_name = "VMCORE")]
    pub vmcore: PathBuf,

    /// Where it is saved
    #[arg(value_name = "TARGET")]
    pub target: PathBuf,

    /// The pages to leave out, as the sum of 1 (zero), 2 (page cache without private data), 4 (all page cache),
    /// 8 (memory of programs) and 16 (free)
    #[arg(short = 'd', long, value_name = "LEVEL", default_value_t = 31, value_parser = clap::value_parser!(u8).range(0..=31))]
    pub dump_level: u8,

    /// Leave out page structs too, where none of a page is of a page that is kept
    ///
    /// They are most of a dump of a large machine. Tools that go through all page structs then miss some.
    #[arg(long)]
    pub exclude_unused_vmemmap: bool,

    /// How pages are compressed
    #[arg(long, value_name = "CODEC", default_value = "zstd")]
    pub compress: Codec,

    /// How hard the codec tries, from 1; more takes longer for a smaller dump. zstd has 19, zlib 12 and lzo 13
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..=19))]
    pub level: Option<i32>,

    /// The format of the dump
    #[arg(long, value_name = "FORMAT", default_value = "kdump")]
    pub format: Format,

    /// Write from front to back, with each piece's place before it, as makedumpfile -F does
    #[arg(long)]
    pub flattened: bool,

    /// Write N files, TARGET-1 to TARGET-N, with a part of the memory in each
    #[arg(long, value_name = "N", conflicts_with = "flattened")]
    pub split: Option<NonZeroU32>,

    /// How many threads work; without it as many as there are CPUs and memory for
    #[arg(long, value_name = "N")]
    pub threads: Option<NonZeroUsize>,

    /// Replace a file that is there, or the dump on a device
    #[arg(short = 'f', long)]
    pub force: bool,

    /// Write nothing, and say how large the dump would be, by the compression of a part of its pages
    #[arg(long)]
    pub dry_run: bool,

    /// Where the checksums go; without it they are in TARGET.manifest where TARGET is a file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["no_manifest", "split"])]
    pub manifest: Option<PathBuf>,

    /// Make no checksums
    #[arg(long)]
    pub no_manifest: bool,

    /// How progress is shown, on standard error
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub progress: Progress,

    /// Say as JSON on standard output what was saved
    #[arg(long)]
    pub json: bool,
}

/// A compression that readers of dumps know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Codec {
    /// Small and quick
    Zstd,
    /// Known to every reader
    Zlib,
    /// Quick
    Lzo,
    /// Quickest
    Snappy,
    /// As it is
    None,
}

/// A format of dumps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// kdump-compressed, for crash and drgn
    Kdump,
    /// An ELF core, which gdb opens as well; not compressed
    Elf,
}

/// A way to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Progress {
    /// One of the others, by what standard error is
    Auto,
    /// One line, written anew each second
    Terminal,
    /// A line for each 10 %, or after 5 seconds
    Lines,
    /// Not at all
    None,
}

/// A dump that is checked.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct VerifyRequest {
    /// The dump
    pub dump: PathBuf,

    /// Its checksums; without it they are in DUMP.manifest
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// A device that is prepared.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct FormatRequest {
    /// The block device, or a file of the length that it is to have
    pub device: PathBuf,

    /// Also where something is on it
    #[arg(short = 'f', long)]
    pub force: bool,
}

/// A device that is shown.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ListRequest {
    /// The block device
    pub device: PathBuf,

    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// A dump that is copied from a device.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct ExtractRequest {
    /// The block device
    pub device: PathBuf,

    /// The file, or - for standard output
    pub file: PathBuf,

    /// Replace a file that is there
    #[arg(short = 'f', long)]
    pub force: bool,
}

/// A log that is read.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct DmesgRequest {
    /// The dump
    #[arg(value_name = "VMCORE")]
    pub vmcore: PathBuf,

    /// The file; without it, standard output
    pub file: Option<PathBuf>,

    /// Replace a file that is there
    #[arg(short = 'f', long)]
    pub force: bool,
}
