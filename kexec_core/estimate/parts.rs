// SPDX-License-Identifier: GPL-2.0

//! The parts of a capture kernel's memory, and their sum.

use core::fmt;

use super::{
    boot_options::{
        BootOptions,
        RootLimit, //
    },
    costs::{
        Costs,
        FILE_LEN,
        LOG_FACTOR,
        PAGE_STRUCTURE_LEN,
        RESERVE_LEN,
        TABLES_LEN, //
    },
};
use crate::types::{
    bytes::align_up,
    elf::Architecture,
    errno::Errno,
    size::Size, //
};

/// The number of kinds.
const PARTS: usize = 12;
/// What `crashkernel=` is rounded up to.
const ROUNDED_TO: u64 = 4 << 20;

/// A capture kernel, and what it boots with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capture {
    /// The machine that it is for.
    pub architecture: Architecture,
    /// Length of the kernel's pages.
    pub page_len: u64,
    /// The memory that its headers ask for.
    pub kernel_len: u64,
    /// Its initrd; all zeros for none.
    pub initrd: Initrd,
    /// What its command line asks for.
    pub options: BootOptions,
    /// The memory for the programs that save the dump.
    pub tool_len: u64,
}

/// An initrd that was unpacked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Initrd {
    /// Length of the file.
    pub packed_len: u64,
    /// Length of the files in it, in whole pages.
    pub files_len: u64,
    /// The number of files, directories and links.
    pub file_count: u64,
    /// What its decompressor keeps in memory.
    pub window_len: u64,
}

/// What a part of the memory is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartKind {
    /// The kernel.
    Kernel,
    /// Elfcorehdr, boot parameters or device tree, and purgatory.
    Tables,
    /// The structures that the kernel has for each page.
    PageStructures,
    /// The memory of each CPU.
    Cpus,
    /// What the kernel allocates when it sets itself up.
    SetUp,
    /// The log and the descriptors of its records, where the command line gives it a length.
    Log,
    /// The packed initrd.
    PackedInitrd,
    /// What decompresses it.
    Decompressor,
    /// The files in it.
    Files,
    /// Memory that has to be there, without being used, for the files to be as long as they are.
    RootLimit,
    /// The programs that save the dump.
    DumpTool,
    /// What the allocator keeps.
    Reserve,
}

impl PartKind {
    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel",
            Self::Tables => "tables",
            Self::PageStructures => "page structures",
            Self::Cpus => "CPUs",
            Self::SetUp => "kernel's own",
            Self::Log => "log",
            Self::PackedInitrd => "packed initrd",
            Self::Decompressor => "decompressor",
            Self::Files => "initrd's files",
            Self::RootLimit => "limit of tmpfs",
            Self::DumpTool => "dump tool",
            Self::Reserve => "reserve",
        }
    }
}

/// A part of the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub kind: PartKind,
    /// Bytes while the initrd is unpacked.
    pub unpacking: u64,
    /// Bytes while the dump is saved.
    pub saving: u64,
}

impl Part {
    /// A part that is there at both moments.
    const fn always(kind: PartKind, len: u64) -> Self {
        Self {
            kind,
            unpacking: len,
            saving: len,
        }
    }

    const fn unpacking(kind: PartKind, len: u64) -> Self {
        Self {
            kind,
            unpacking: len,
            saving: 0,
        }
    }

    const fn saving(kind: PartKind, len: u64) -> Self {
        Self {
            kind,
            unpacking: 0,
            saving: len,
        }
    }
}

/// The command line gives the initrd's files less room than they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// What they need.
    needed: u64,
    /// What they may have.
    limit: u64,
}

impl TooSmall {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::Inval
    }
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the initrd's files need {}, but initramfs_options= on the command line leaves them {}: \
             give a larger size=, or none",
            Size(self.needed),
            Size(self.limit)
        )
    }
}

/// How much memory a capture kernel needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    parts: [Part; PARTS],
}

impl Estimate {
    /// The parts that take memory.
    pub fn parts(&self) -> impl Iterator<Item = &Part> {
        let takes = |part: &&Part| part.unpacking > 0 || part.saving > 0;
        self.parts.iter().filter(takes)
    }

    /// All that is needed while the initrd is unpacked.
    pub fn unpacking(&self) -> u64 {
        sum(self.parts.iter().map(|part| part.unpacking))
    }

    /// All that is needed while the dump is saved.
    pub fn saving(&self) -> u64 {
        sum(self.parts.iter().map(|part| part.saving))
    }

    /// All that is needed at the moment that needs more.
    pub fn needed(&self) -> u64 {
        self.unpacking().max(self.saving())
    }

    /// The memory to reserve.
    pub fn crashkernel(&self) -> u64 {
        let needed = self.needed();
        align_up(needed, ROUNDED_TO).unwrap_or(needed)
    }
}

fn sum(lens: impl Iterator<Item = u64>) -> u64 {
    lens.fold(0, u64::saturating_add)
}

/// Estimates how much memory a capture kernel needs.
///
/// Refuses a limit of the root file system that the initrd's files cannot keep.
pub fn estimate(capture: &Capture) -> Result<Estimate, TooSmall> {
    let limit = root_limit(capture)?;
    let without = Estimate {
        parts: parts(capture, limit, 0),
    };
    let structures = page_structures(without.needed(), capture);
    Ok(Estimate {
        parts: parts(capture, limit, structures),
    })
}

fn parts(capture: &Capture, limit: u64, page_structures: u64) -> [Part; PARTS] {
    let Capture {
        kernel_len,
        initrd,
        options,
        ..
    } = *capture;
    let costs = Costs::of(capture.architecture, capture.page_len);
    let possible = options.possible_cpus.saturating_mul(costs.possible_cpu);
    let started = options.started_cpus.saturating_mul(costs.started_cpu);
    let files = initrd.files_len.saturating_add(nodes(&initrd));
    let packed = PartKind::PackedInitrd;
    [
        Part::always(PartKind::Kernel, kernel_len),
        Part::always(PartKind::Tables, TABLES_LEN),
        Part::always(PartKind::PageStructures, page_structures),
        Part::always(PartKind::Cpus, possible.saturating_add(started)),
        Part::always(PartKind::SetUp, costs.set_up(kernel_len)),
        Part::always(PartKind::Log, options.log_len.saturating_mul(LOG_FACTOR)),
        match options.keeps_initrd {
            true => Part::always(packed, initrd.packed_len),
            false => Part::unpacking(packed, initrd.packed_len),
        },
        Part::unpacking(PartKind::Decompressor, initrd.window_len),
        Part::always(PartKind::Files, files),
        Part::unpacking(PartKind::RootLimit, limit),
        Part::saving(PartKind::DumpTool, capture.tool_len),
        Part::always(PartKind::Reserve, RESERVE_LEN),
    ]
}

/// The nodes and names of an initrd's files.
fn nodes(initrd: &Initrd) -> u64 {
    initrd.file_count.saturating_mul(FILE_LEN)
}

/// What has to be there beside the initrd's files for them to keep the limit of their file system, less
/// what is there in any case.
fn root_limit(capture: &Capture) -> Result<u64, TooSmall> {
    let Initrd {
        files_len: needed, ..
    } = capture.initrd;
    let whole = match capture.options.root_limit {
        RootLimit::None => needed,
        RootLimit::Bytes(limit) if limit < needed => return Err(TooSmall { needed, limit }),
        RootLimit::Bytes(_) => needed,
        RootLimit::Percent(percent) => {
            let whole = needed.saturating_mul(100).checked_div(percent);
            let whole = whole.ok_or(TooSmall { needed, limit: 0 })?;
            // What is set aside for devices comes to the allocator after the tmpfs has its limit.
            whole.saturating_add(capture.options.cma_len)
        }
    };
    let others = [
        capture.initrd.window_len,
        nodes(&capture.initrd),
        RESERVE_LEN,
    ];
    let beside = whole.saturating_sub(needed);
    Ok(beside.saturating_sub(sum(others.into_iter())))
}

/// The structures for the pages of a region with room for `len` bytes besides them. They come in whole
/// sections, and a region need not begin where a section does.
fn page_structures(len: u64, capture: &Capture) -> u64 {
    let costs = Costs::of(capture.architecture, capture.page_len);
    let pages = costs.section.checked_div(capture.page_len);
    let for_section = pages.unwrap_or_default().saturating_mul(PAGE_STRUCTURE_LEN);
    // The structures are in the region, too.
    let others = costs.section.saturating_sub(for_section).max(1);
    let sections = len.div_ceil(others).saturating_add(1);
    let sections = sections.saturating_add(costs.other_sections);
    sections.saturating_mul(for_section)
}
