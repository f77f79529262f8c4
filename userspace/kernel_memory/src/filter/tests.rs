// SPDX-License-Identifier: GPL-2.0

//! Memory whose pages have known uses: what the filter makes of them must be the same.

use std::ops::Range;

use dumpfile::{
    frames::Frames,
    memory::{
        MemoryError,
        PhysicalMemory, //
    }, //
};
use kexec_core::types::elf::Architecture;
use proptest::prelude::*;

use crate::{
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};

use super::*;

const PAGE: u64 = 4096;
const VMEMMAP: u64 = 0xffff_ea00_0000_0000;
/// The frames that have a page struct: more than two chunks.
const FRAMES: u64 = (2 << 15) + (3 << 12);

const LRU: u64 = 1 << 5;
const HEAD: u64 = 1 << 6;
const SWAP_CACHE: u64 = 1 << 10;
const RESERVED: u64 = 1 << 13;
const PRIVATE: u64 = 1 << 14;
const SWAP_BACKED: u64 = 1 << 17;
const HWPOISON: u64 = 1 << 21;

/// What a kernel version does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Pages other than the first have a pointer to its struct.
    Pointers,
    /// They have a mask (Linux 7.1).
    Masks,
}

/// A kernel whose page structs are written by these tests.
struct Machine {
    memory: Vec<u8>,
    version: Version,
    size: usize,
    info: Vmcoreinfo,
    /// Physical address of each page of page structs.
    pages: Vec<u64>,
}

impl PhysicalMemory for Machine {
    type Window<'a> = &'a [u8];

    fn window(&self, address: u64, len: usize) -> Result<&[u8], MemoryError> {
        let start = address as usize;
        let end = self.memory.len().min(start.saturating_add(len));
        self.memory
            .get(start..end)
            .filter(|window| !window.is_empty())
            .ok_or(MemoryError::Missing(address))
    }
}

impl Machine {
    /// All structs say that nobody has heard of the page.
    fn new(version: Version, size: usize) -> Self {
        let member = match version {
            Version::Pointers => "compound_head",
            Version::Masks => "compound_info",
        };
        let info = format!(
            "PAGESIZE=4096\nSYMBOL(vmemmap)={VMEMMAP:x}\nSIZE(page)={size}\n\
             OFFSET(page.flags)=0\nOFFSET(page.mapping)=24\nOFFSET(page.{member})=8\n\
             OFFSET(page._mapcount)=48\nOFFSET(page.private)=40\nLENGTH(zone.free_area)=11\n\
             NUMBER(PG_lru)=5\nNUMBER(PG_private)=14\nNUMBER(PG_swapcache)=10\n\
             NUMBER(PG_swapbacked)=17\nNUMBER(PG_hwpoison)=21\nNUMBER(PG_head_mask)=64\n\
             NUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n\
             NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n\
             NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n\
             NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n\
             NUMBER(PAGE_UNACCEPTED_MAPCOUNT_VALUE)=-150994944\n\
             SYMBOL(init_top_pgt)=ffffffff80001000\nNUMBER(phys_base)=0\n"
        );
        let count = (FRAMES * size as u64).div_ceil(PAGE);
        let tables = count.div_ceil(512);
        // Page 1 is the top table, 2 and 3 those below it, then the last level's, then the structs.
        let first = 4 + tables;
        let mut machine = Self {
            memory: vec![0; ((first + count) * PAGE) as usize],
            version,
            size,
            info: Vmcoreinfo::parse(info.as_bytes()),
            pages: Vec::new(),
        };
        let top = (VMEMMAP >> 39) & 511;
        machine.put(PAGE + 8 * top, (2 * PAGE) | 3);
        let third = (VMEMMAP >> 30) & 511;
        machine.put(2 * PAGE + 8 * third, (3 * PAGE) | 3);
        for table in 0..tables {
            machine.put(3 * PAGE + 8 * table, ((4 + table) * PAGE) | 3);
        }
        for number in 0..count {
            // Some follow each other, and some do not.
            let place = match number % 5 {
                2 if number + 1 < count => number + 1,
                3 => number - 1,
                _ => number,
            };
            let physical = (first + place) * PAGE;
            machine.pages.push(physical);
            machine.put(4 * PAGE + 8 * number, physical | 3);
        }
        for frame in 0..FRAMES {
            machine.write(frame, 48, u64::from(u32::MAX), 4);
        }
        machine
    }

    fn put(&mut self, address: u64, value: u64) {
        let start = address as usize;
        self.memory[start..start + 8].copy_from_slice(&value.to_le_bytes());
    }

    /// Writes to a frame's struct, which may be in two pages.
    fn write(&mut self, frame: u64, offset: u64, value: u64, len: usize) {
        for (at, byte) in value.to_le_bytes()[..len].iter().enumerate() {
            let address = frame * self.size as u64 + offset + at as u64;
            let physical = self.pages[(address / PAGE) as usize] + address % PAGE;
            self.memory[physical as usize] = *byte;
        }
    }

    fn byte(&self, frame: u64, offset: u64) -> u8 {
        let address = frame * self.size as u64 + offset;
        let physical = self.pages[(address / PAGE) as usize] + address % PAGE;
        self.memory[physical as usize]
    }

    fn flags(&mut self, frame: u64, flags: u64) {
        // The node and zone are in the highest bits.
        self.write(frame, 0, flags | 0x17 << 56, 8);
    }

    fn page_type(&mut self, frame: u64, page_type: u8, rest: u32) {
        let word = u32::from(page_type) << 24 | rest;
        self.write(frame, 48, u64::from(word), 4);
    }

    /// Makes frames a compound page, as prep_compound_page() does.
    fn compound(&mut self, first: u64, order: u32, flags: u64) {
        self.flags(first, flags | HEAD);
        let address = VMEMMAP + first * self.size as u64;
        let word = match self.version {
            Version::Pointers => address | 1,
            Version::Masks => u64::MAX << (order + self.size.trailing_zeros()) | 1,
        };
        for frame in first + 1..first + (1 << order) {
            self.flags(frame, 0);
            self.write(frame, 8, word, 8);
            // Whatever is in these words is not what it is in others' structs.
            self.write(frame, 24, 0x401, 8);
        }
        self.flags(first + 1, u64::from(order));
    }

    /// Most structs of a huge page are no memory of their own (hugetlb_free_vmemmap=).
    fn share_structs(&mut self, first: u64, order: u32) {
        let in_page = PAGE / self.size as u64;
        for frame in first + in_page..first + (1 << order) {
            let from = match self.version {
                Version::Pointers => first + frame % in_page,
                Version::Masks => first + 2,
            };
            for offset in 0..self.size as u64 {
                let byte = self.byte(from, offset);
                self.write(frame, offset, u64::from(byte), 1);
            }
        }
    }

    fn filter(&self, level: Level) -> Filter {
        let translation = Translation::new(&self.info, Architecture::X86_64).unwrap();
        Filter::new(&self.info, translation, level).unwrap()
    }
}

/// What a block of frames is used for.
#[derive(Clone, Copy, Debug)]
enum Use {
    Kernel,
    /// A flag that means another thing in the swap cache.
    Checked,
    /// A compound page of the kernel's.
    Buffer,
    Reserved,
    Slab,
    Table,
    /// A type whose owner has its own ideas of `mapping`.
    Zsmalloc,
    Cache,
    PrivateCache,
    Shmem,
    Anonymous,
    SwapCache,
    Hugetlb,
    SharedHugetlb,
    DefectiveHugetlb,
    /// One of the pages is defective.
    Defective,
    Free,
    Unaccepted,
    Offline,
    NeverWritten,
}

const USES: &[Use] = &[
    Use::Kernel,
    Use::Checked,
    Use::Buffer,
    Use::Reserved,
    Use::Slab,
    Use::Table,
    Use::Zsmalloc,
    Use::Cache,
    Use::PrivateCache,
    Use::Shmem,
    Use::Anonymous,
    Use::SwapCache,
    Use::Hugetlb,
    Use::SharedHugetlb,
    Use::DefectiveHugetlb,
    Use::Defective,
    Use::Free,
    Use::Unaccepted,
    Use::Offline,
    Use::NeverWritten,
];

impl Use {
    /// The order that blocks have for which another was drawn.
    fn order(self, order: u32) -> u32 {
        match self {
            Self::Kernel
            | Self::Checked
            | Self::Reserved
            | Self::Table
            | Self::Offline
            | Self::NeverWritten => 0,
            Self::Free => order.min(10),
            Self::Unaccepted => 10,
            Self::Hugetlb | Self::SharedHugetlb | Self::DefectiveHugetlb => order.max(7),
            Self::Buffer => order.max(1),
            _ => order,
        }
    }

    /// Writes the structs of a block, and says what each frame is.
    fn write(self, machine: &mut Machine, first: u64, order: u32, classes: &mut [Class]) {
        let end = first + (1 << order);
        let head = |machine: &mut Machine, flags| match order {
            0 => machine.flags(first, flags),
            _ => machine.compound(first, order, flags),
        };
        let class = match self {
            Self::Kernel => Class::Kernel,
            Self::Checked => {
                machine.flags(first, SWAP_CACHE);
                Class::Kernel
            }
            Self::Buffer => {
                head(machine, 0);
                Class::Kernel
            }
            Self::Reserved => {
                // makedumpfile#21 is about such a page.
                machine.flags(first, RESERVED | LRU);
                Class::Reserved
            }
            Self::Slab => {
                head(machine, 0);
                machine.page_type(first, 0xf5, 0x123);
                machine.write(first, 24, 3, 8);
                Class::Slab
            }
            Self::Table => {
                machine.page_type(first, 0xf2, 0xff_ffff);
                machine.write(first, 24, 1, 8);
                Class::Table
            }
            Self::Zsmalloc => {
                head(machine, PRIVATE);
                machine.page_type(first, 0xf6, 0x40);
                machine.write(first, 24, 3, 8);
                Class::Kernel
            }
            Self::Cache => {
                head(machine, LRU);
                machine.write(first, 24, 0xffff_8880_0000_1000, 8);
                Class::Cache
            }
            Self::PrivateCache => {
                head(machine, LRU | PRIVATE);
                Class::PrivateCache
            }
            Self::Shmem => {
                head(machine, SWAP_BACKED | SWAP_CACHE);
                Class::Cache
            }
            Self::Anonymous | Self::Defective => {
                head(machine, LRU | SWAP_BACKED);
                machine.write(first, 24, 0xffff_8880_0000_1001, 8);
                Class::Anonymous
            }
            Self::SwapCache => {
                head(machine, LRU | SWAP_BACKED | SWAP_CACHE);
                machine.write(first, 24, 3, 8);
                Class::Anonymous
            }
            Self::Hugetlb | Self::SharedHugetlb | Self::DefectiveHugetlb => {
                let (flags, class) = match self {
                    Self::DefectiveHugetlb => (HWPOISON, Class::Hwpoison),
                    _ => (0, Class::Hugetlb),
                };
                head(machine, flags);
                machine.page_type(first, 0xf4, 0);
                if matches!(self, Self::SharedHugetlb) {
                    machine.share_structs(first, order);
                }
                class
            }
            Self::Free | Self::Unaccepted => {
                let page_type = match self {
                    Self::Free => 0xf0,
                    _ => 0xf7,
                };
                machine.page_type(first, page_type, 0);
                machine.write(first, 40, u64::from(order), 8);
                match self {
                    Self::Free => Class::Free,
                    _ => Class::Unaccepted,
                }
            }
            Self::Offline => {
                machine.page_type(first, 0xf1, 0xffff);
                Class::Offline
            }
            Self::NeverWritten => {
                for offset in 0..machine.size as u64 {
                    machine.write(first, offset, 0xff, 1);
                }
                Class::Unknown
            }
        };
        for frame in first..end {
            classes[frame as usize] = class;
        }
        if matches!(self, Self::Defective) {
            let defective = end - 1;
            let order = if order == 1 { 1 } else { 0 };
            let flags = match defective == first {
                true => LRU | SWAP_BACKED,
                false => order,
            };
            machine.flags(defective, flags | HWPOISON);
            classes[defective as usize] = Class::Hwpoison;
        }
    }
}

/// Fills memory with blocks, and says what each frame is.
fn fill(machine: &mut Machine, blocks: &[(Use, u32, u64)]) -> Vec<Class> {
    let mut classes = vec![Class::Kernel; FRAMES as usize];
    let mut next = 0;
    for (used_for, order, gap) in blocks.iter().cycle().take(4000) {
        let order = used_for.order(*order);
        let first = (next + gap).next_multiple_of(1 << order);
        next = first + (1 << order);
        if next > FRAMES {
            break;
        }
        used_for.write(machine, first, order, &mut classes);
    }
    classes
}

/// What is to be kept, frame by frame.
fn expected(classes: &[Class], ram: &Frames, level: Level) -> Frames {
    ram.runs()
        .flatten()
        .filter(|frame| {
            // There are structs up to the end of the last page of structs, and no further.
            let class = classes.get(*frame as usize);
            class.is_none_or(|class| class.is_kept(level))
        })
        .map(|frame| frame..frame + 1)
        .collect()
}

/// Whether a frame's struct says what it is when nothing but the frame is in the dump.
fn holes() -> impl Strategy<Value = Vec<Range<u64>>> {
    // A block of free frames is known by its first one, so that memory begins and ends at blocks.
    prop::collection::vec((0..FRAMES >> 10, 1_u64..20), 0..4).prop_map(|holes| {
        holes
            .into_iter()
            .map(|(start, len)| start << 10..(start + len) << 10)
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_page_is_known_by_its_struct(
        masks in any::<bool>(),
        size in prop::sample::select(&[64_usize, 64, 56, 80, 128][..]),
        blocks in prop::collection::vec(
            (prop::sample::select(USES), prop::sample::select(&[0, 0, 1, 2, 3, 9, 10, 16][..]), 0_u64..3),
            1..40,
        ),
        holes in holes(),
        level in 0_u8..32,
    ) {
        // A mask takes a size that is a power of two.
        let version = match masks && size.is_power_of_two() {
            true => Version::Masks,
            false => Version::Pointers,
        };
        let mut machine = Machine::new(version, size);
        let classes = fill(&mut machine, &blocks);
        let level = Level::new(level).unwrap();
        let filter = machine.filter(level);
        let all: Frames = std::iter::once(0..FRAMES).collect();
        let ram = all.without(&holes.into_iter().collect());
        let selection = filter.judge_all(&machine, &ram);
        let expected = expected(&classes, &ram, level);
        prop_assert_eq!(&selection.kept.without(&expected), &Frames::new());
        prop_assert_eq!(&expected.without(&selection.kept), &Frames::new());
        prop_assert_eq!(selection.counts.total(), ram.count());
        for class in Class::ALL {
            let count = ram.runs().flatten();
            let count = count.filter(|frame| classes[*frame as usize] == class).count();
            // What is left out is not looked at page by page.
            if class.is_kept(level) {
                prop_assert_eq!(selection.counts.of(class), count as u64, "{:?}", class);
            }
        }
    }

    /// Whatever the structs and the tables say, every frame is judged once.
    #[test]
    fn damaged_memory_is_judged(
        writes in prop::collection::vec((0_usize..80 << 12, any::<u64>()), 0..200),
        seed in any::<u64>(),
    ) {
        let mut machine = Machine::new(Version::Pointers, 64);
        let mut word = seed;
        // Structs of words that structs often have.
        for chunk in machine.memory[40 * PAGE as usize..].chunks_exact_mut(8) {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let value = match word >> 61 {
                0 => 1 << (word >> 32 & 63),
                1 => (VMEMMAP + (word >> 32 & 0xff_ffff)) | 1,
                2 => u64::MAX << (word >> 32 & 63) | 1,
                3 => word >> 32 & 0x1f,
                4 => 0xf0ff_ffff | (word >> 32 & 0xf) << 24,
                _ => 0,
            };
            chunk.copy_from_slice(&value.to_le_bytes());
        }
        for (at, value) in writes {
            let at = at.min(machine.memory.len() - 8);
            machine.memory[at..at + 8].copy_from_slice(&value.to_le_bytes());
        }
        let ram: Frames = std::iter::once(3..FRAMES + 5000).collect();
        for level in [0, 31] {
            let filter = machine.filter(Level::new(level).unwrap());
            let selection = filter.judge_all(&machine, &ram);
            prop_assert_eq!(selection.counts.total(), ram.count());
            prop_assert_eq!(&selection.kept.without(&ram), &Frames::new());
        }
    }
}

#[test]
fn chunks_may_come_in_any_order() {
    let mut machine = Machine::new(Version::Pointers, 64);
    // A huge page that covers the border of two chunks, of which the second has the larger part.
    let blocks: Vec<_> = USES.iter().map(|used_for| (*used_for, 9, 1)).collect();
    let mut classes = fill(&mut machine, &blocks);
    Use::SharedHugetlb.write(&mut machine, 0, 16, &mut classes);
    let ram: Frames = [5..700, 1 << 14..FRAMES].into_iter().collect();
    let filter = machine.filter(Level::MAX);
    let mut chunks: Vec<_> = filter
        .chunks(&ram)
        .map(|chunk| (chunk.clone(), filter.judge(&machine, &ram, chunk)))
        .collect();
    assert_eq!(chunks.len(), 3);
    chunks.sort_by_key(|(chunk, _)| chunk.start);
    let mut all = Selection::default();
    for (_, selection) in &chunks {
        all.append(selection);
    }
    assert_eq!(all, filter.judge_all(&machine, &ram));
    assert_eq!(all.kept, expected(&classes, &ram, Level::MAX));
    assert_eq!(all.counts.total(), ram.count());
}

/// The kernel has compound pages and free blocks at multiples of their size only.
#[test]
fn a_block_at_an_odd_place_is_one_page() {
    let mut machine = Machine::new(Version::Pointers, 64);
    machine.compound(3, 4, LRU);
    machine.page_type(40, 0xf0, 0);
    machine.write(40, 40, 4, 8);
    // There is no such order.
    machine.page_type(4096, 0xf0, 0);
    machine.write(4096, 40, 11, 8);
    let ram: Frames = std::iter::once(0..9000).collect();
    let selection = machine.filter(Level::MAX).judge_all(&machine, &ram);
    assert!(selection.kept.runs().eq([0..3, 4..9000]));
}

#[test]
fn what_cannot_be_read_is_kept() {
    let mut machine = Machine::new(Version::Pointers, 64);
    let classes = fill(&mut machine, &[(Use::Free, 10, 0)]);
    let ram: Frames = std::iter::once(0..FRAMES).collect();
    // The tables map the structs of 64 frames to nothing, and those of 64 others to nowhere.
    machine.put(4 * PAGE + 8 * 16, 0);
    machine.put(4 * PAGE + 8 * 48, 1 << 40 | 3);
    let selection = machine.filter(Level::MAX).judge_all(&machine, &ram);
    // They are the first of their blocks, so that the others are taken for the kernel's.
    let lost: Frames = [1024..2048, 3072..4096].into_iter().collect();
    assert_eq!(selection.kept, lost);
    assert_eq!(selection.counts.of(Class::Unknown), 128);
    assert!(classes.iter().all(|class| *class == Class::Free));
}

#[test]
fn vmemmap_of_what_is_left_out_is_unused() {
    for size in [64, 80] {
        let mut machine = Machine::new(Version::Pointers, size);
        let mut classes = fill(&mut machine, &[(Use::Free, 10, 0)]);
        // One page among the free ones, which the kernel uses.
        machine.page_type(0x5000, 0xff, 0xff_ffff);
        classes[0x5000] = Class::Kernel;
        for frame in 0x5000..0x5400 {
            machine.page_type(frame, 0xff, 0xff_ffff);
        }
        // A hole of a whole chunk has structs as well.
        let ram: Frames = [0..0x8000, 0x1_0000..FRAMES].into_iter().collect();
        let filter = machine.filter(Level::MAX);
        let kept: Frames = std::iter::once(0x5000..0x5001).collect();
        let unused = filter.unused_vmemmap(&machine, &ram, &kept);
        let mut expected: Vec<_> = machine.pages.iter().map(|page| page / PAGE).collect();
        let address = 0x5000 * size as u64;
        let used = expected[(address / PAGE) as usize];
        // With 80 bytes the struct begins and ends in one page as well.
        assert_eq!(address / PAGE, (address + size as u64 - 1) / PAGE);
        expected.retain(|page| *page != used);
        let expected: Frames = expected.into_iter().map(|page| page..page + 1).collect();
        assert_eq!(unused, expected, "{size}");
    }
}

/// A frame that is mapped where its structs are used stays, though elsewhere they are not.
#[test]
fn vmemmap_that_is_shared_is_used() {
    let mut machine = Machine::new(Version::Pointers, 64);
    let shared = machine.pages[8];
    for number in 8..16 {
        machine.put(4 * PAGE + 8 * number, shared | 3);
    }
    let ram: Frames = std::iter::once(0..FRAMES).collect();
    let kept: Frames = std::iter::once(9 * 64..9 * 64 + 1).collect();
    let unused = machine
        .filter(Level::MAX)
        .unused_vmemmap(&machine, &ram, &kept);
    assert!(!unused.contains(shared / PAGE));
    assert!(unused.contains(machine.pages[16] / PAGE));
}

#[test]
fn what_is_missing_is_said() {
    let machine = Machine::new(Version::Pointers, 64);
    let translation = Translation::new(&machine.info, Architecture::X86_64).unwrap();
    for (line, expected) in [
        ("SIZE(page)=0\n", "SIZE(page)=0"),
        ("SIZE(page)=64\n", "SYMBOL(vmemmap)"),
        (
            "SIZE(page)=64\nSYMBOL(vmemmap)=ffffea0000000000\n",
            "Linux 6.10",
        ),
        ("SIZE(page)=60\n", "SIZE(page)=60"),
    ] {
        let info = Vmcoreinfo::parse(format!("PAGESIZE=4096\n{line}").as_bytes());
        let error = Filter::new(&info, translation.clone(), Level::MAX);
        let error = error.unwrap_err().to_string();
        let sections = error.contains("SECTION_SIZE_BITS") && expected == "SYMBOL(vmemmap)";
        assert!(sections || error.contains(expected), "{error}");
    }
    assert!(Level::new(32).is_err());
    assert!("a".parse::<Level>().is_err());
    assert_eq!("31".parse(), Ok(Level::MAX));
}
