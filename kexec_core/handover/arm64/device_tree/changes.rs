// SPDX-License-Identifier: GPL-2.0

//! The properties of /chosen that are written for the next kernel.

use super::{
    chosen::{
        BOOTARGS,
        BOOTED_FROM_KEXEC,
        ELFCOREHDR,
        INITRD_END,
        INITRD_START,
        KASLR_SEED,
        REGIONS_MAX,
        RNG_SEED,
        USABLE_MAX,
        USABLE_MEMORY_RANGE, //
    },
    error::DeviceTreeError, //
};
use crate::{
    handover::{
        arm64::{
            fdt::{
                writer::FdtWriter,
                Cells,
                Node,
                CELL_LEN, //
            },
            memory::{
                is_free,
                ranges, //
            }, //
        },
        CaptureMemory, //
    },
    types::ranges::Range, //
};

/// The facts that the next kernel has to know.
#[derive(Clone, Copy, Debug)]
pub struct Changes<'a> {
    /// The memory of a capture kernel. Of the regions the crash region is the first, and then comes the low
    /// one if there is one. None for a kernel that a reboot enters.
    pub capture: Option<CaptureMemory<'a>>,
    /// The command line, without a NUL.
    pub bootargs: &'a [u8],
    /// The memory of the initrd, with the length of the file.
    pub initrd: Option<Range>,
    /// The seed for the places of the kernel and of its mappings. Without one the kernel asks the
    /// CPU.
    pub kaslr_seed: Option<u64>,
    /// Random bytes for the next kernel. Can be empty.
    pub rng_seed: &'a [u8],
    /// Memory that was reserved for the running kernel only, such as its device tree. The
    /// reservation for its initrd is found in the tree.
    pub stale_reservations: &'a [Range],
}

impl Changes<'_> {
    /// Checks that a tree whose root has these cells can hold the changes.
    pub(super) fn check(&self, cells: Cells) -> Result<(), DeviceTreeError> {
        if !(1..=2).contains(&cells.address) || !(1..=2).contains(&cells.size) {
            return Err(DeviceTreeError::Cells(cells));
        }
        if let Some(memory) = &self.capture {
            self.check_memory(memory, cells)?;
        }
        match self.bootargs.iter().position(|byte| *byte == 0) {
            Some(offset) => Err(DeviceTreeError::BootArgs { offset }),
            None => Ok(()),
        }
    }

    fn check_memory(
        &self,
        memory: &CaptureMemory<'_>,
        cells: Cells,
    ) -> Result<(), DeviceTreeError> {
        let CaptureMemory { usable, elfcorehdr } = memory;
        let count = usable.regions.len();
        if !(1..=REGIONS_MAX).contains(&count) {
            return Err(DeviceTreeError::UsableCount { count });
        }
        let fits = |number: u64, cells| cells == 2 || u32::try_from(number).is_ok();
        let named = core::iter::once((ELFCOREHDR, elfcorehdr));
        let ranges = usable.iter().map(|r| (USABLE_MEMORY_RANGE, r));
        for (property, range) in named.chain(ranges) {
            if !fits(range.start(), cells.address) || !fits(range.len(), cells.size) {
                return Err(DeviceTreeError::TooHigh {
                    property,
                    range: *range,
                });
            }
        }
        let elfcorehdr = (ELFCOREHDR, *elfcorehdr);
        let initrd = self.initrd.map(|initrd| (INITRD_START, initrd));
        for (property, range) in core::iter::once(elfcorehdr).chain(initrd) {
            if !usable.regions.iter().any(|usable| usable.encloses(&range)) {
                return Err(DeviceTreeError::Unusable { property, range });
            }
        }
        Ok(())
    }

    /// Whether this node reserves memory for whoever names it, and that is the capture kernel.
    pub(super) fn makes_usable(&self, node: Node<'_>, cells: Cells) -> bool {
        let mut reserved = ranges(node, cells);
        let Some(CaptureMemory { usable, .. }) = self.capture else {
            return false;
        };
        is_free(&node) && reserved.any(|range| usable.iter().any(|usable| usable.overlaps(&range)))
    }

    /// Writes the changes as properties of /chosen.
    pub(super) fn write(&self, writer: &mut FdtWriter<'_>, cells: Cells) {
        if let Some(CaptureMemory { usable, elfcorehdr }) = self.capture {
            let [address, size] = range_cells(&elfcorehdr, cells);
            writer.property(ELFCOREHDR, &[address.get(), size.get()]);
            let mut numbers = [CellBytes::EMPTY; 2 * USABLE_MAX];
            let ranges = usable.iter().flat_map(|range| range_cells(range, cells));
            for (to, from) in numbers.iter_mut().zip(ranges) {
                *to = from;
            }
            let numbers = numbers.each_ref().map(CellBytes::get);
            writer.property(USABLE_MEMORY_RANGE, &numbers);
        }
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
