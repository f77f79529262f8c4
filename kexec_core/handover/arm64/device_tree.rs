// SPDX-License-Identifier: GPL-2.0

//! The device tree that the capture kernel is entered with.
//!
//! It is the running kernel's, without what was true for that kernel only and with what the
//! capture kernel has to know. Nodes and properties outside of `/chosen` stay as they are, so
//! what firmware has reserved in `/reserved-memory` stays reserved. The result has no gaps,
//! however much room firmware has left in the running one.
//!
//! On a machine that ACPI describes, the running tree is the one that the kernel's EFI stub has made:
//! a /chosen that tells where UEFI's tables and its memory map are. Those are kept, because nothing
//! else leads the capture kernel to ACPI.

use core::fmt;

use super::fdt::writer::FdtWriter;
use super::fdt::{is_meant, take_number, Cells, Fdt, FdtError, Node, Token, CELL_LEN};
use crate::types::bytes::{align_up, to_u64};
use crate::types::errno::Errno;
use crate::types::ranges::Range;
use crate::types::size::Size;

/// Longest device tree that an arm64 kernel reads
/// (`Documentation/arch/arm64/booting.rst` in the kernel's tree).
pub const TREE_LEN_MAX: usize = 2 << 20;
/// What its address has to be a multiple of (likewise).
pub const TREE_ALIGNMENT: u64 = 8;

/// Most usable ranges that every kernel reads.
const USABLE_MAX: usize = 2;
/// The largest page size: a reservation can be rounded up to that.
const LARGEST_PAGE_LEN: u64 = 64 << 10;

const CHOSEN: &str = "chosen";

// Properties of /chosen (`drivers/of/fdt.c`, `drivers/of/kexec.c` and `arch/arm64` in the kernel's
// tree read and write them).
const ELFCOREHDR: &str = "linux,elfcorehdr";
const USABLE_MEMORY_RANGE: &str = "linux,usable-memory-range";
const INITRD_START: &str = "linux,initrd-start";
const INITRD_END: &str = "linux,initrd-end";
const BOOTARGS: &str = "bootargs";
const KASLR_SEED: &str = "kaslr-seed";
const RNG_SEED: &str = "rng-seed";
const BOOTED_FROM_KEXEC: &str = "linux,booted-from-kexec";
const IMA_KEXEC_BUFFER: &str = "linux,ima-kexec-buffer";

/// What is written into /chosen, and so is dropped from it before.
const CHANGED: [&str; 8] = [
    ELFCOREHDR,
    USABLE_MEMORY_RANGE,
    INITRD_START,
    INITRD_END,
    BOOTARGS,
    KASLR_SEED,
    RNG_SEED,
    BOOTED_FROM_KEXEC,
];
/// What else is dropped: memory in which an earlier kernel has left something for the running one.
const DROPPED: [&str; 4] = [
    IMA_KEXEC_BUFFER,
    "linux,kho-fdt",
    "linux,kho-scratch",
    "linux,dmcryptkeys",
];

/// How a tree can write addresses that takes the most room.
const LONGEST_CELLS: Cells = Cells {
    address: 2,
    size: 2,
};

/// What the capture kernel has to know.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    /// Where the ELF core header is; it lies in a usable range and is kept from use.
    pub elfcorehdr: Range,
    /// The memory that the capture kernel has: the crash region, then the low one if there is one.
    pub usable: &'a [Range],
    /// The command line, without a NUL.
    pub bootargs: &'a [u8],
    /// Where the initrd is; it ends where the file does.
    pub initrd: Option<Range>,
    /// Where the kernel places itself and its mappings; without one it asks the CPU.
    pub kaslr_seed: Option<u64>,
    /// Random bytes for the capture kernel; can be empty.
    pub rng_seed: &'a [u8],
    /// Memory that was reserved for the running kernel only, such as its device tree. That of its
    /// initrd is found in the tree.
    pub stale_reservations: &'a [Range],
}

/// Why the capture kernel's device tree cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceTreeError {
    /// The running kernel's cannot be read.
    Fdt(FdtError),
    /// Addresses or sizes have neither one cell nor two.
    Cells(Cells),
    /// An address or a length does not fit into the cells that the tree has for it.
    TooHigh {
        /// The property that it is for.
        property: &'static str,
        /// The range.
        range: Range,
    },
    /// There are no usable ranges, or too many.
    UsableCount {
        /// How many there are.
        count: usize,
    },
    /// The ELF core header or the initrd is not in usable memory.
    Unusable {
        /// The property that would tell where it is.
        property: &'static str,
        /// Where it is.
        range: Range,
    },
    /// The command line has a NUL.
    BootArgs {
        /// Where it is.
        offset: usize,
    },
    /// The result is longer than a kernel reads.
    TooLong {
        /// Its length.
        len: usize,
    },
    /// The buffer has no room.
    Buffer {
        /// Room that is needed.
        needed: usize,
        /// Length of the buffer.
        len: usize,
    },
}

impl DeviceTreeError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Fdt(error) => error.errno(),
            Self::Buffer { .. } => Errno::NoMem,
            _ => Errno::Inval,
        }
    }
}

impl From<FdtError> for DeviceTreeError {
    fn from(error: FdtError) -> Self {
        Self::Fdt(error)
    }
}

impl fmt::Display for DeviceTreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Fdt(error) => error.fmt(f),
            Self::Cells(Cells { address, size }) => write!(
                f,
                "the device tree's root has {address} #address-cells and {size} #size-cells, but \
                 one or two of each are needed: the tree is damaged"
            ),
            Self::TooHigh { property, range } => write!(
                f,
                "{property} has to tell of {range}, but the cells of the device tree's root hold \
                 32 bits: reserve below 4 GiB with crashkernel=size@offset"
            ),
            Self::UsableCount { count } => write!(
                f,
                "{USABLE_MEMORY_RANGE} is to tell of {count} ranges, but from 1 to {USABLE_MAX} \
                 can be told"
            ),
            Self::Unusable { property, range } => write!(
                f,
                "{property} is to tell of {range}, which is not in the crash region"
            ),
            Self::BootArgs { offset } => write!(
                f,
                "the command line has a NUL at offset {offset}, where the kernel would end it"
            ),
            Self::TooLong { len } => write!(
                f,
                "the capture kernel's device tree would have {}, but a kernel reads {} at most",
                Size(to_u64(len)),
                Size(to_u64(TREE_LEN_MAX))
            ),
            Self::Buffer { needed, len } => write!(
                f,
                "the capture kernel's device tree needs {needed} bytes, but there is room for {len}"
            ),
        }
    }
}

impl Changes<'_> {
    fn check(&self, cells: Cells) -> Result<(), DeviceTreeError> {
        if !(1..=2).contains(&cells.address) || !(1..=2).contains(&cells.size) {
            return Err(DeviceTreeError::Cells(cells));
        }
        let count = self.usable.len();
        if !(1..=USABLE_MAX).contains(&count) {
            return Err(DeviceTreeError::UsableCount { count });
        }
        let fits = |number: u64, cells| cells == 2 || u32::try_from(number).is_ok();
        let elfcorehdr = core::iter::once((ELFCOREHDR, &self.elfcorehdr));
        let usable = self.usable.iter().map(|r| (USABLE_MEMORY_RANGE, r));
        for (property, range) in elfcorehdr.chain(usable) {
            if !fits(range.start(), cells.address) || !fits(range.len(), cells.size) {
                return Err(DeviceTreeError::TooHigh {
                    property,
                    range: *range,
                });
            }
        }
        let elfcorehdr = (ELFCOREHDR, self.elfcorehdr);
        let initrd = self.initrd.map(|initrd| (INITRD_START, initrd));
        for (property, range) in core::iter::once(elfcorehdr).chain(initrd) {
            if !self.usable.iter().any(|usable| usable.encloses(&range)) {
                return Err(DeviceTreeError::Unusable { property, range });
            }
        }
        match self.bootargs.iter().position(|byte| *byte == 0) {
            Some(offset) => Err(DeviceTreeError::BootArgs { offset }),
            None => Ok(()),
        }
    }

    /// Writes them as properties of /chosen.
    fn write(&self, writer: &mut FdtWriter<'_>, cells: Cells) {
        let [address, size] = range_cells(&self.elfcorehdr, cells);
        writer.property(ELFCOREHDR, &[address.get(), size.get()]);
        let usable = [0, 1].map(|index| {
            let range = self.usable.get(index);
            range.map_or([CellBytes::EMPTY; 2], |range| range_cells(range, cells))
        });
        let [[first, first_size], [second, second_size]] = &usable;
        writer.property(
            USABLE_MEMORY_RANGE,
            &[
                first.get(),
                first_size.get(),
                second.get(),
                second_size.get(),
            ],
        );
        if let Some(initrd) = self.initrd {
            writer.property(INITRD_START, &[&initrd.start().to_be_bytes()]);
            writer.property(INITRD_END, &[&initrd.end().to_be_bytes()]);
        }
        writer.property(BOOTARGS, &[self.bootargs, &[0]]);
        if let Some(seed) = self.kaslr_seed {
            writer.property(KASLR_SEED, &[&seed.to_be_bytes()]);
        }
        if !self.rng_seed.is_empty() {
            writer.property(RNG_SEED, &[self.rng_seed]);
        }
        writer.property(BOOTED_FROM_KEXEC, &[]);
    }
}

/// A number in the cells that a tree has for it.
#[derive(Clone, Copy)]
struct CellBytes {
    bytes: [u8; 8],
    len: usize,
}

impl CellBytes {
    const EMPTY: Self = Self {
        bytes: [0; 8],
        len: 0,
    };

    /// The number in one cell or two; [`Changes::check`] has seen that it fits.
    fn new(number: u64, cells: u32) -> Self {
        let len = match cells {
            1 => CELL_LEN,
            _ => 2 * CELL_LEN,
        };
        Self {
            bytes: number.to_be_bytes(),
            len,
        }
    }

    fn get(&self) -> &[u8] {
        // The lower cells are the last ones.
        let first = self.bytes.len().saturating_sub(self.len);
        self.bytes.get(first..).unwrap_or_default()
    }
}

fn range_cells(range: &Range, cells: Cells) -> [CellBytes; 2] {
    [
        CellBytes::new(range.start(), cells.address),
        CellBytes::new(range.len(), cells.size),
    ]
}

/// Writes the capture kernel's device tree to `out`, made from the running kernel's, and returns
/// its length. [`tree_len_bound`] is enough room.
pub fn capture_tree(
    out: &mut [u8],
    running: &[u8],
    changes: &Changes<'_>,
) -> Result<usize, DeviceTreeError> {
    let tree = Fdt::parse(running)?;
    let root = tree.root();
    let cells = root.cells();
    changes.check(cells)?;

    let chosen = root.child(CHOSEN.as_bytes());
    let old_initrd = chosen.and_then(|chosen| running_initrd(&chosen));
    let old_ima = chosen.and_then(|chosen| ima_buffer(&chosen, cells));
    let is_stale = |entry: &Range| {
        let listed = changes.stale_reservations.iter();
        let mut buffers = listed.chain(&old_initrd).chain(&old_ima);
        buffers.any(|buffer| is_reserved_for(entry, buffer))
    };

    let out_len = out.len();
    let mut writer = FdtWriter::new(out, tree.strings(), &CHANGED);
    for entry in tree.reservations().filter(|entry| !is_stale(entry)) {
        writer.reservation(entry);
    }
    writer.start_structure();

    let mut depth = 0_usize;
    // Whether the properties being read are those of /chosen, and whether it was written.
    let mut within_chosen = false;
    let mut has_changes = false;
    for token in tree.tokens() {
        if !matches!(token, Token::Property(_)) {
            if within_chosen {
                changes.write(&mut writer, cells);
                has_changes = true;
            } else if depth == 1 && !has_changes && chosen.is_none() {
                // Behind the root's properties is the first place for a node.
                writer.begin_node(CHOSEN.as_bytes());
                changes.write(&mut writer, cells);
                writer.end_node();
                has_changes = true;
            }
            within_chosen = false;
        }
        match token {
            Token::BeginNode(name) => {
                within_chosen = depth == 1 && !has_changes && is_meant(name, CHOSEN.as_bytes());
                depth = depth.saturating_add(1);
                writer.begin_node(name);
            }
            Token::Property(property) if within_chosen && is_dropped(property.name) => {}
            Token::Property(property) => writer.kept_property(&property),
            Token::EndNode => {
                depth = depth.saturating_sub(1);
                writer.end_node();
            }
        }
    }
    checked_len(writer.finish(tree.header().boot_cpuid_phys), out_len)
}

/// Room that is enough for the tree that is made from a running one whose contents have
/// `running_len` bytes ([`Fdt::contents_len`]).
pub fn tree_len_bound(running_len: usize, changes: &Changes<'_>) -> usize {
    // All that is ever added, as a tree of its own.
    let mut added = FdtWriter::new(&mut [], &[], &CHANGED);
    added.start_structure();
    added.begin_node(b"");
    added.begin_node(CHOSEN.as_bytes());
    changes.write(&mut added, LONGEST_CELLS);
    added.end_node();
    added.end_node();
    added.finish(0).saturating_add(running_len)
}

fn checked_len(needed: usize, len: usize) -> Result<usize, DeviceTreeError> {
    if needed > TREE_LEN_MAX {
        return Err(DeviceTreeError::TooLong { len: needed });
    }
    if needed > len {
        return Err(DeviceTreeError::Buffer { needed, len });
    }
    Ok(needed)
}

/// Whether a reservation was made for this buffer: firmware reserves whole pages, whatever size
/// it takes them to have.
fn is_reserved_for(entry: &Range, buffer: &Range) -> bool {
    let longest = align_up(buffer.len(), LARGEST_PAGE_LEN).unwrap_or(buffer.len());
    entry.start() == buffer.start() && (buffer.len()..=longest).contains(&entry.len())
}

/// The initrd that the running kernel was given.
fn running_initrd(chosen: &Node<'_>) -> Option<Range> {
    let address = |name| {
        let value = chosen.property(name)?;
        let cells = u32::try_from(value.len() / CELL_LEN).ok()?;
        Some(take_number(value, cells)?.0)
    };
    Range::new(address(INITRD_START)?, address(INITRD_END)?)
}

/// The measurements that an earlier kernel has left for the running one.
fn ima_buffer(chosen: &Node<'_>, cells: Cells) -> Option<Range> {
    let value = chosen.property(IMA_KEXEC_BUFFER)?;
    let (start, rest) = take_number(value, cells.address)?;
    let (len, _) = take_number(rest, cells.size)?;
    Range::from_start_len(start, len)
}

fn is_dropped(name: &[u8]) -> bool {
    let mut all = CHANGED.iter().chain(&DROPPED);
    all.any(|dropped| dropped.as_bytes() == name)
}
