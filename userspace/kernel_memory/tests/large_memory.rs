// SPDX-License-Identifier: GPL-2.0

//! The filter takes as much memory as there are runs of frames to keep, and not as much as there are
//! frames: on a machine with 16 TiB it is given page structs that are made when they are read.
//!
//! The budget is 8 bytes for each run, which is in two lists, and 1 MiB for whoever judges: five
//! page tables, and windows of the dump. It is measured as this process's peak of memory, so this test
//! is alone in its file.

use std::{
    fs,
    ops::Range, //
};

use dumpfile::{
    frames::Frames,
    memory::{
        MemoryError,
        PhysicalMemory, //
    }, //
};
use kernel_memory::{
    filter::{
        Class,
        Filter,
        Level, //
    },
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};
use kexec_core::types::elf::Architecture;

const PAGE: u64 = 4096;
/// 16 TiB.
const FRAMES: u64 = 1 << 32;
/// Frames of which most are one huge page, and some have all kinds of uses.
const GIB: u64 = 1 << 18;
/// So many of these are alike.
const PERIOD: u64 = 256;

const VMEMMAP: u64 = 0xffff_ea00_0000_0000;
/// Physical addresses of the page tables.
const TOP: u64 = PAGE;
const THIRD: u64 = 2 * PAGE;
const SECOND: u64 = 1 << 30;
/// Physical address of the struct of frame 0.
const STRUCTS: u64 = 1 << 46;
const SIZE: u64 = 64;

const INFO: &str = "PAGESIZE=4096\nSYMBOL(vmemmap)=ffffea0000000000\nSIZE(page)=64\n\
    OFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page.compound_info)=8\n\
    OFFSET(page._mapcount)=48\nOFFSET(page.private)=40\nLENGTH(zone.free_area)=11\n\
    NUMBER(PG_lru)=5\nNUMBER(PG_private)=14\nNUMBER(PG_swapcache)=10\n\
    NUMBER(PG_swapbacked)=17\nNUMBER(PG_hwpoison)=21\nNUMBER(PG_head_mask)=64\n\
    NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n\
    NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n\
    NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n\
    SYMBOL(init_top_pgt)=ffffffff80001000\nNUMBER(phys_base)=0\n";

/// A machine, of which each page of page structs is one of a few.
struct Machine {
    /// The first structs of a huge page of 1 GiB, and its others.
    first: Vec<u8>,
    others: Vec<u8>,
    /// Sixteen times two pages of the kernel's and two free ones.
    mixed: Vec<u8>,
    tables: Tables,
}

struct Tables {
    top: Vec<u8>,
    third: Vec<u8>,
    /// The tables that map 2 MiB each.
    second: Vec<Vec<u8>>,
}

fn table(entries: impl Iterator<Item = (u64, u64)>) -> Vec<u8> {
    let mut table = vec![0; PAGE as usize];
    for (index, entry) in entries {
        let at = index as usize * 8;
        table[at..at + 8].copy_from_slice(&entry.to_le_bytes());
    }
    table
}

/// A page struct with these flags, compound word and type word.
fn page(flags: u64, compound: u64, word: u32, private: u64) -> [u8; SIZE as usize] {
    let mut page = [0; SIZE as usize];
    page[..8].copy_from_slice(&flags.to_le_bytes());
    page[8..16].copy_from_slice(&compound.to_le_bytes());
    page[40..48].copy_from_slice(&private.to_le_bytes());
    page[48..52].copy_from_slice(&word.to_le_bytes());
    page
}

impl Machine {
    fn new() -> Self {
        let unused = u32::MAX;
        let order = GIB.trailing_zeros();
        let mask = (u64::MAX << (order + SIZE.trailing_zeros())) | 1;
        let other = page(0, mask, unused, 0);
        let mut first = [page(1 << 6, 0, 0xf400_0000, 0); 64];
        first[1] = page(u64::from(order), mask, unused, 0);
        first[2..].fill(other);
        let mut mixed = [page(0, 0, unused, 0); 64];
        for free in (2..64).step_by(4) {
            mixed[free] = page(0, 0, 0xf000_0000, 1);
        }
        let gibs = (FRAMES * SIZE) >> 30;
        let leaf = |number: u64| (STRUCTS + (number << 21)) | 0x83;
        Self {
            first: first.concat(),
            others: [other; 64].concat(),
            mixed: mixed.concat(),
            tables: Tables {
                top: table([((VMEMMAP >> 39) & 511, THIRD | 3)].into_iter()),
                third: table((0..gibs).map(|gib| (gib, (SECOND + gib * PAGE) | 3))),
                second: (0..gibs)
                    .map(|gib| table((0..512).map(|entry| (entry, leaf(gib * 512 + entry)))))
                    .collect(),
            },
        }
    }

    /// Whether a frame is in a part of memory with all kinds of uses.
    fn is_mixed(frame: u64) -> bool {
        (frame / GIB) % PERIOD == PERIOD - 1
    }

    /// The page of page structs that has this frame's.
    fn structs(&self, frame: u64) -> &[u8] {
        match frame {
            frame if Self::is_mixed(frame) => &self.mixed,
            frame if frame % GIB < 64 => &self.first,
            _ => &self.others,
        }
    }
}

impl PhysicalMemory for Machine {
    type Window<'a> = &'a [u8];

    fn window(&self, address: u64, len: usize) -> Result<&[u8], MemoryError> {
        let page = address / PAGE * PAGE;
        let contents = match page {
            TOP => &self.tables.top,
            THIRD => &self.tables.third,
            STRUCTS.. => self.structs((page - STRUCTS) / SIZE),
            SECOND.. => self
                .tables
                .second
                .get(((page - SECOND) / PAGE) as usize)
                .ok_or(MemoryError::Missing(address))?,
            _ => return Err(MemoryError::Missing(address)),
        };
        let contents = &contents[(address - page) as usize..];
        Ok(&contents[..contents.len().min(len)])
    }
}

/// The largest amount of memory that this process has had.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the kernel describes us");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let words = line.expect("the peak is there").trim();
    let kib: u64 = words.trim_end_matches(" kB").parse().expect("a number");
    kib << 10
}

#[test]
fn memory_is_as_large_as_the_runs() {
    let machine = Machine::new();
    let info = Vmcoreinfo::parse(INFO.as_bytes());
    let translation = Translation::new(&info, Architecture::X86_64).expect("it can be translated");
    let filter = Filter::new(&info, translation, Level::MAX).expect("it can be filtered");
    // Memory with a hole below 4 GiB, as PCs have it.
    let hole: Range<u64> = 0xc_0000..0x10_0000;
    let ram: Frames = [0..hole.start, hole.end..FRAMES].into_iter().collect();

    let before = peak();
    let selection = filter.judge_all(&machine, &ram);
    let grown = peak() - before;

    let runs = selection.kept.runs().count() as u64;
    println!(
        "{runs} runs, {grown} bytes: {:.1} for each",
        grown as f64 / runs as f64
    );
    let mixed = FRAMES / PERIOD;
    assert_eq!(selection.counts.of(Class::Kernel), mixed / 2);
    assert_eq!(selection.counts.of(Class::Free), mixed / 2);
    assert_eq!(selection.counts.of(Class::Hugetlb), ram.count() - mixed);
    assert_eq!(runs, mixed / 4);
    assert!(
        grown <= 8 * runs + (1 << 20),
        "{grown} bytes for {runs} runs"
    );
}
