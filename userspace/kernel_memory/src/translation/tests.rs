// SPDX-License-Identifier: GPL-2.0

//! Page tables of every shape, in memory of which most is missing.

use std::collections::BTreeMap;

use dumpfile::memory::{
    MemoryError,
    PhysicalMemory, //
};
use kexec_core::types::elf::Architecture;
use proptest::prelude::*;

use crate::vmcoreinfo::Vmcoreinfo;

use super::*;

/// Pages of memory, by their physical addresses.
struct Sparse {
    page_shift: u32,
    pages: BTreeMap<u64, Vec<u8>>,
}

impl PhysicalMemory for Sparse {
    type Window<'a> = &'a [u8];

    fn window(&self, address: u64, len: usize) -> Result<&[u8], MemoryError> {
        let offset = (address & ((1 << self.page_shift) - 1)) as usize;
        let page = self
            .pages
            .get(&(address - offset as u64))
            .ok_or(MemoryError::Missing(address))?;
        Ok(&page[offset..page.len().min(offset + len)])
    }
}

impl Sparse {
    fn put(&mut self, address: u64, value: u64) {
        let size = 1_usize << self.page_shift;
        let offset = address as usize % size;
        let page = self
            .pages
            .entry(address - offset as u64)
            .or_insert_with(|| vec![0; size]);
        page[offset..offset + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn get(&self, address: u64) -> u64 {
        let mut bytes = [0; 8];
        match self.read(address, &mut bytes) {
            Ok(()) => u64::from_le_bytes(bytes),
            Err(_) => 0,
        }
    }
}

/// A kind of kernel: VMCOREINFO, and how its entries are written.
#[derive(Clone, Copy, Debug)]
struct Kind {
    architecture: Architecture,
    page_shift: u32,
    /// The shifts of the levels and the address's first bit above them.
    shifts: &'static [u32],
    info: &'static str,
    /// Where the root table is, and the first address that is translated.
    root: u64,
    first: u64,
    /// The highest physical address, less one page.
    physical_max: u64,
    /// Puts an address into an entry.
    entry: fn(u64, Level) -> u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Level {
    Table,
    Block,
    Last,
}

fn x86_64(physical: u64, level: Level) -> u64 {
    // Large pages have a bit of their memory's type below their address.
    let kind = match level {
        Level::Table => 0x063,
        Level::Block => 0x10e3,
        Level::Last => 0x1e3,
    };
    physical | kind | 1 << 63
}

fn sme(physical: u64, level: Level) -> u64 {
    x86_64(physical, level) | 1 << 47
}

fn arm64_bits(level: Level) -> u64 {
    match level {
        Level::Table => 0x3,
        Level::Block => 0x0078_0000_0000_0401,
        Level::Last => 0x0078_0000_0000_0403,
    }
}

fn arm64(physical: u64, level: Level) -> u64 {
    physical | arm64_bits(level) | if level == Level::Table { 0 } else { 0x300 }
}

fn lpa2(physical: u64, level: Level) -> u64 {
    physical & ((1 << 50) - 1) | (physical >> 50 << 8) | arm64_bits(level)
}

fn arm64_64k(physical: u64, level: Level) -> u64 {
    physical & ((1 << 48) - 1)
        | (physical >> 48 << 12)
        | arm64_bits(level)
        | if level == Level::Table { 0 } else { 0x300 }
}

const KINDS: &[Kind] = &[
    Kind {
        architecture: Architecture::X86_64,
        page_shift: 12,
        shifts: &[39, 30, 21, 12],
        info: "SYMBOL(init_top_pgt)=ffffffff8943f000\nNUMBER(phys_base)=-16777216\n\
               NUMBER(pgtable_l5_enabled)=0\n",
        root: 0x843f000,
        first: 0xffff_8000_0000_0000,
        physical_max: 1 << 52,
        entry: x86_64,
    },
    Kind {
        architecture: Architecture::X86_64,
        page_shift: 12,
        shifts: &[48, 39, 30, 21, 12],
        info: "SYMBOL(swapper_pg_dir)=ffffffff8943f000\nNUMBER(phys_base)=1742733312\n\
               NUMBER(pgtable_l5_enabled)=1\nNUMBER(sme_mask)=140737488355328\n",
        root: 0x7123f000,
        first: 0xff00_0000_0000_0000,
        physical_max: 1 << 47,
        entry: sme,
    },
    // 4 KiB: 39, 48 and 52 bits, and built for 52 on hardware that has 48.
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 12,
        shifts: &[30, 21, 12],
        info: "PAGESIZE=4096\nNUMBER(VA_BITS)=39\nNUMBER(TCR_EL1_T1SZ)=0x19\n",
        root: 0x40970000,
        first: 0xffff_ff80_0000_0000,
        physical_max: 1 << 48,
        entry: arm64,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 12,
        shifts: &[39, 30, 21, 12],
        info: "PAGESIZE=4096\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
        root: 0x40970000,
        first: 0xffff_0000_0000_0000,
        physical_max: 1 << 48,
        entry: arm64,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 12,
        shifts: &[48, 39, 30, 21, 12],
        info: "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n",
        root: 0x40970000,
        first: 0xfff0_0000_0000_0000,
        physical_max: 1 << 52,
        entry: lpa2,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 12,
        shifts: &[39, 30, 21, 12],
        info: "PAGESIZE=4096\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
        root: 0x40970000,
        first: 0xffff_0000_0000_0000,
        physical_max: 1 << 48,
        entry: arm64,
    },
    // 16 KiB: 47 bits in 3 levels, 48 in 4, 52 in 4.
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 14,
        shifts: &[36, 25, 14],
        info: "PAGESIZE=16384\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x11\n",
        root: 0x40970000,
        first: 0xffff_8000_0000_0000,
        physical_max: 1 << 48,
        entry: arm64,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 14,
        shifts: &[47, 36, 25, 14],
        info: "PAGESIZE=16384\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
        root: 0x40970000,
        first: 0xffff_0000_0000_0000,
        physical_max: 1 << 48,
        entry: arm64,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 14,
        shifts: &[47, 36, 25, 14],
        info: "PAGESIZE=16384\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0xc\n",
        root: 0x40970000,
        first: 0xfff0_0000_0000_0000,
        physical_max: 1 << 52,
        entry: lpa2,
    },
    // 64 KiB: 42 bits in 2 levels, 48 in 3, 52 in 3 with and without the hardware.
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 16,
        shifts: &[29, 16],
        info: "PAGESIZE=65536\nNUMBER(VA_BITS)=42\nNUMBER(TCR_EL1_T1SZ)=0x16\n",
        root: 0x40970000,
        first: 0xffff_fc00_0000_0000,
        physical_max: 1 << 48,
        entry: arm64_64k,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 16,
        shifts: &[42, 29, 16],
        info: "PAGESIZE=65536\nNUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
        root: 0x40970000,
        first: 0xffff_0000_0000_0000,
        physical_max: 1 << 52,
        entry: arm64_64k,
    },
    Kind {
        architecture: Architecture::Arm64,
        page_shift: 16,
        shifts: &[42, 29, 16],
        info: "PAGESIZE=65536\nNUMBER(VA_BITS)=52\nNUMBER(TCR_EL1_T1SZ)=0x10\n",
        root: 0x40970000,
        first: 0xffff_0000_0000_0000,
        physical_max: 1 << 52,
        entry: arm64_64k,
    },
];

/// What all arm64 kernels say in these tests.
const ARM64_INFO: &str = "SYMBOL(swapper_pg_dir)=ffff998143b70000\n\
                          NUMBER(kimage_voffset)=0xffff998103200000\n\
                          NUMBER(PHYS_OFFSET)=0x40000000\n";

/// A kernel of a kind, whose tables are written one mapping at a time.
struct Kernel {
    kind: Kind,
    translation: Translation,
    memory: Sparse,
    /// Where the next table goes.
    free: u64,
}

impl Kernel {
    fn new(kind: Kind) -> Self {
        let mut info = kind.info.to_owned();
        if kind.architecture == Architecture::Arm64 {
            info += ARM64_INFO;
        }
        let info = Vmcoreinfo::parse(info.as_bytes());
        let translation = Translation::new(&info, kind.architecture).unwrap();
        assert_eq!(translation.root(), kind.root, "{}", kind.info);
        let mut memory = Sparse {
            page_shift: kind.page_shift,
            pages: BTreeMap::new(),
        };
        // The root table is there, and empty.
        memory.put(kind.root, 0);
        Self {
            kind,
            translation,
            memory,
            // High up, so that every bit of an address counts.
            free: kind.physical_max >> 1,
        }
    }

    /// The number of bits that a level looks at.
    fn bits(&self, level: usize) -> u32 {
        match level {
            // Pages of 64 KiB: the top table has what the kernel was built for, not what is used.
            0 if self.kind.info.contains("VA_BITS)=52") && self.kind.page_shift == 16 => 10,
            0 => {
                let kernel_half = (!self.kind.first).count_ones();
                let sign = u32::from(self.kind.architecture == Architecture::X86_64);
                kernel_half + sign - self.kind.shifts[0]
            }
            _ => self.kind.page_shift - 3,
        }
    }

    /// Maps an address by an entry of the level that has this shift.
    fn map(&mut self, address: u64, physical: u64, shift: u32) {
        let mut table = self.kind.root;
        for (level, part) in self.kind.shifts.iter().enumerate() {
            let index = (address >> part) & ((1 << self.bits(level)) - 1);
            let entry = table + 8 * index;
            if *part == shift {
                let kind = if shift == self.kind.page_shift {
                    Level::Last
                } else {
                    Level::Block
                };
                let raw = (self.kind.entry)(physical, kind);
                self.memory.put(entry, raw);
                return;
            }
            if self.memory.get(entry) == 0 {
                let raw = (self.kind.entry)(self.free, Level::Table);
                self.memory.put(entry, raw);
                self.memory.put(self.free, 0);
                self.free += 1 << self.kind.page_shift;
            }
            let next = self.memory.get(entry);
            // Undo what `entry` did, by looking for the table that has it.
            table = *self
                .memory
                .pages
                .keys()
                .find(|page| (self.kind.entry)(**page, Level::Table) == next)
                .expect("the table is there");
        }
        panic!("there is no such level");
    }

    fn physical(&self, address: u64) -> Result<u64, String> {
        self.translation
            .physical(&self.memory, address)
            .map_err(|error| error.to_string())
    }
}

#[test]
fn every_kind_of_table_is_walked() {
    for kind in KINDS {
        // Some of the address's bits are set at every level. It is not in arm64's linear map, which
        // is translated without these tables where they are damaged.
        let high = if kind.first < 0xffff_0000_0000_0000 {
            0xffff_c000_0000_0000
        } else {
            (!kind.first >> 1) + 1
        };
        let address = kind.first | high | (0x0005_a5a5_a5a5_a5a5 & !kind.first);
        for (from_last, shift) in kind.shifts.iter().rev().enumerate() {
            let mut kernel = Kernel::new(*kind);
            let size = 1_u64 << shift;
            let physical = (kind.physical_max - 1) & !(size - 1);
            kernel.map(address, physical, *shift);
            let found = kernel.physical(address);
            // Which levels may map memory depends on the architecture.
            let wide = kind.physical_max == 1 << 52;
            let leaf = match (kind.architecture, kind.page_shift) {
                (Architecture::X86_64, _) => from_last < 3,
                (_, 12) => from_last < if wide { 4 } else { 3 },
                (_, 14) => from_last < if wide { 3 } else { 2 },
                _ => from_last < 3,
            };
            if leaf {
                assert_eq!(found, Ok(physical + address % size), "{kind:?} {shift}");
            } else {
                let error = found.unwrap_err();
                assert!(error.contains("damaged"), "{kind:?} {shift}: {error}");
            }
            // A neighbour of the same table is not mapped.
            let other = address ^ size;
            let error = kernel.physical(other).unwrap_err();
            assert!(error.contains("nothing mapped"), "{kind:?}: {error}");
        }
    }
}

#[test]
fn all_tables_are_found() {
    for kind in KINDS {
        let mut kernel = Kernel::new(*kind);
        let last = kind.shifts.last().expect("there are levels");
        let above = kind.shifts[kind.shifts.len() - 2];
        for address in [kind.first, kind.first + (1 << above), kind.first | 1 << 38] {
            kernel.map(address, 1 << kind.page_shift, *last);
        }
        let tables = kernel.translation.tables(&kernel.memory);
        let pages = kernel.memory.pages.keys();
        let expected = pages.map(|page| {
            let frame = page >> kind.page_shift;
            frame..frame + 1
        });
        assert_eq!(tables, expected.collect(), "{kind:?}");
        // One that cannot be read is still one; those below it are not found.
        let root = kernel.memory.pages.remove(&kind.root).expect("it is there");
        let frame = kind.root >> kind.page_shift;
        assert_eq!(
            kernel.translation.tables(&kernel.memory),
            (frame..frame + 1).into()
        );
        // A loop ends.
        kernel.memory.pages.insert(kind.root, root);
        let entry = (kind.entry)(kind.root, Level::Table);
        kernel.memory.put(kind.root, entry);
        assert!(kernel.translation.tables(&kernel.memory).contains(frame));
    }
}

#[test]
fn pieces_are_as_long_as_the_mapping() {
    for kind in KINDS {
        let mut kernel = Kernel::new(*kind);
        let page = 1 << kind.page_shift;
        let block_shift = kind.shifts[kind.shifts.len() - 2];
        let block = 1_u64 << block_shift;
        let start = kind.first;
        // Two blocks that follow each other, three pages, a hole, and a page elsewhere.
        let far = kind.physical_max >> 2;
        kernel.map(start, far, block_shift);
        kernel.map(start + block, far + block, block_shift);
        for number in 0..3 {
            let offset = 2 * block + number * page;
            kernel.map(start + offset, far + offset, kind.page_shift);
        }
        kernel.map(start + 3 * block, page, kind.page_shift);
        let pieces: Vec<_> = kernel
            .translation
            .pieces(&kernel.memory, start + page..start + 3 * block + page / 2)
            .map(|piece| match piece.place {
                Place::Physical(physical) => (piece.addresses, Some(physical)),
                Place::Unmapped => (piece.addresses, None),
                Place::Unknown(error) => panic!("{error}"),
            })
            .collect();
        let three = start + 2 * block + 3 * page;
        assert_eq!(
            pieces,
            [
                (start + page..three, Some(far + page)),
                (three..start + 3 * block, None),
                (start + 3 * block..start + 3 * block + page / 2, Some(page)),
            ],
            "{kind:?}"
        );
    }
}

#[test]
fn tables_that_cannot_be_read_are_passed_over() {
    for kind in KINDS {
        let mut kernel = Kernel::new(*kind);
        let last_but_one = kind.shifts[kind.shifts.len() - 2];
        let block = 1_u64 << last_but_one;
        let page = 1 << kind.page_shift;
        // A table that is not in the dump, between two pages that are.
        kernel.map(kind.first, 0, kind.page_shift);
        let missing = kernel.free;
        kernel.map(kind.first + block, 0, kind.page_shift);
        kernel.map(kind.first + 2 * block, 0, kind.page_shift);
        kernel.memory.pages.remove(&missing);
        let places: Vec<_> = kernel
            .translation
            .pieces(&kernel.memory, kind.first..kind.first + 2 * block + page)
            .map(|piece| (piece.addresses, piece.place))
            .collect();
        let [first, hole, unknown, last] = &places[..] else {
            panic!("{kind:?}: {places:?}");
        };
        assert!(matches!(first.1, Place::Physical(0)), "{kind:?}");
        assert!(matches!(hole.1, Place::Unmapped), "{kind:?}");
        assert_eq!(unknown.0, kind.first + block..kind.first + 2 * block);
        assert!(matches!(unknown.1, Place::Unknown(_)), "{kind:?}");
        assert!(matches!(last.1, Place::Physical(0)), "{kind:?}");
    }
}

/// A table of which every entry names the table itself.
#[test]
fn a_loop_ends() {
    for kind in KINDS {
        let mut kernel = Kernel::new(*kind);
        let entries = 1_u64 << (kind.page_shift - 3);
        // arm64's root is not at a page of its size in all of these; its tables are.
        let table = kind.physical_max >> 2;
        let raw = (kind.entry)(table, Level::Table);
        for index in 0..entries {
            kernel.memory.put(table + 8 * index, raw);
        }
        for index in 0..1_u64 << kernel.bits(0) {
            kernel.memory.put(kind.root + 8 * index, raw);
        }
        let offset = 0x123;
        // At the last level a table is a page, but for x86_64, which has no such bit.
        assert_eq!(kernel.physical(kind.first + offset), Ok(table + offset));
        let count = kernel
            .translation
            .pieces(
                &kernel.memory,
                kind.first..kind.first + (100 << kind.page_shift),
            )
            .count();
        assert_eq!(count, 100);
    }
}

#[test]
fn what_is_not_the_kernels_is_refused() {
    for kind in KINDS {
        let kernel = Kernel::new(*kind);
        for address in [0, 0x7fff_ffff_f000, kind.first - 1] {
            let error = kernel.physical(address).unwrap_err();
            assert!(error.contains("not in the kernel's"), "{kind:?}: {error}");
        }
    }
}

#[test]
fn arm64s_linear_map_needs_no_tables() {
    let kind = KINDS[3];
    let mut kernel = Kernel::new(kind);
    kernel.memory.pages.clear();
    let linear = 0xffff_0000_0000_0000;
    assert_eq!(kernel.physical(linear + 0x1234), Ok(0x4000_1234));
    // The tag of a pointer that KASAN made.
    assert_eq!(
        kernel.physical((linear + 0x1234) & !(0xf << 56)),
        Ok(0x4000_1234)
    );
    let error = kernel.physical(0xffff_8000_0000_0000).unwrap_err();
    assert!(error.contains("cannot be followed"), "{error}");
}

#[test]
fn bytes_are_read_across_pages() {
    for kind in KINDS {
        let mut kernel = Kernel::new(*kind);
        let page = 1_u64 << kind.page_shift;
        kernel.map(kind.first, 4 * page, kind.page_shift);
        kernel.map(kind.first + page, 2 * page, kind.page_shift);
        kernel.memory.put(4 * page + page - 8, 1 << 56);
        kernel.memory.put(2 * page, 2);
        let mut bytes = [0; 2];
        let read = |address, bytes: &mut [u8]| {
            kernel
                .translation
                .read(&kernel.memory, address, bytes)
                .map_err(|error| error.to_string())
        };
        assert_eq!(read(kind.first + page - 1, &mut bytes), Ok(()));
        assert_eq!(bytes, [1, 2]);
        let error = read(kind.first + 2 * page - 1, &mut bytes).unwrap_err();
        assert!(error.contains("nothing mapped"), "{error}");
        // The last address of all.
        assert!(read(u64::MAX, &mut bytes).is_err());
    }
}

#[test]
fn numbers_that_no_hardware_has_are_refused() {
    for (line, expected) in [
        ("NUMBER(VA_BITS)=64\nNUMBER(TCR_EL1_T1SZ)=0x10\n", "VA_BITS"),
        ("NUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x1f\n", "T1SZ"),
        ("NUMBER(VA_BITS)=48\nNUMBER(TCR_EL1_T1SZ)=0x80\n", "T1SZ"),
        ("NUMBER(VA_BITS)=48\n", "TCR_EL1_T1SZ"),
    ] {
        let info = format!("PAGESIZE=4096\n{ARM64_INFO}{line}");
        let error = Translation::new(&Vmcoreinfo::parse(info.as_bytes()), Architecture::Arm64)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}

proptest! {
    /// Tables of random bytes end every walk, and every walk through a range covers it.
    #[test]
    fn random_tables_end(
        kind in prop::sample::select(KINDS),
        words in prop::collection::vec((0_u64..8, 0_u64..8192, any::<u64>()), 0..40),
        pages in 0_u64..300,
        offset in any::<u64>(),
    ) {
        let mut kernel = Kernel::new(kind);
        for (table, index, word) in words {
            let page = 1 << kind.page_shift;
            // Tables and entries that meet often.
            let address = kernel.kind.root / page * page + table * page;
            let raw = if word % 3 == 0 {
                (kind.entry)(address, Level::Table)
            } else {
                word
            };
            kernel.memory.put(address + index * 8 % page, raw);
        }
        let start = kind.first | offset;
        let _ = kernel.physical(start);
        let end = start.saturating_add(pages << kind.page_shift);
        let mut at = start;
        for piece in kernel.translation.pieces(&kernel.memory, start..end) {
            prop_assert_eq!(piece.addresses.start, at);
            prop_assert!(piece.addresses.end > at);
            at = piece.addresses.end;
        }
        prop_assert_eq!(at, end);
    }
}
