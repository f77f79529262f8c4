// SPDX-License-Identifier: GPL-2.0

//! Targets for what a crashed kernel's memory says of itself: VMCOREINFO, page tables, page structs.

use std::collections::BTreeMap;

use dumpfile::{
    frames::Frames,
    memory::{
        MemoryError,
        PhysicalMemory, //
    }, //
};
use kernel_memory::{
    filter::{
        Filter,
        Level, //
    },
    pages::PageArrays,
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};
use kexec_core::types::elf::Architecture;

use crate::take_u64;

/// Memory is as large as this; all addresses are taken modulo it, so that tables meet.
const MEMORY_LEN: u64 = 1 << 18;
/// Frames of which page structs are read.
const FRAMES: u64 = 1 << 12;

/// Words, by their physical addresses; the others are zero.
struct Words(BTreeMap<u64, u64>);

impl PhysicalMemory for Words {
    type Window<'a> = Vec<u8>;

    fn window(&self, address: u64, len: usize) -> Result<Vec<u8>, MemoryError> {
        // Every eighth page is not in the dump.
        if address >> 12 & 7 == 7 {
            return Err(MemoryError::Missing(address));
        }
        let len = len.min((4096 - (address & 4095)) as usize);
        let start = address % MEMORY_LEN;
        let mut window = vec![0; len];
        let first = start & !7;
        for (at, word) in self.0.range(first..start + len as u64) {
            for (byte, value) in (*at..).zip(word.to_le_bytes()) {
                if let Some(place) = byte.checked_sub(start) {
                    if let Some(place) = window.get_mut(place as usize) {
                        *place = value;
                    }
                }
            }
        }
        Ok(window)
    }
}

/// The lines of VMCOREINFO, which are read as each type that lines have.
pub fn typed_vmcoreinfo(input: &[u8]) {
    let info = Vmcoreinfo::parse(input);
    for name in ["page", "page.flags", "PG_lru", "prb"] {
        let _ = (info.symbol(name), info.size(name), info.offset(name));
        let _ = (info.length(name), info.number(name), info.bit(name));
    }
    let _ = (info.release(), info.build_id(), info.crash_time());
    if let Ok(shift) = info.page_shift() {
        assert!((12..=16).contains(&shift));
    }
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let translation = Translation::new(&info, architecture);
        let (Ok(translation), Ok(_)) = (translation, PageArrays::new(&info)) else {
            continue;
        };
        let memory = Words(BTreeMap::new());
        let _ = translation.physical(&memory, u64::MAX);
        if let Ok(filter) = Filter::new(&info, translation, Level::MAX) {
            judge(&filter, &memory);
        }
    }
}

/// A kernel of some shape, whose page tables and page structs are words of the input.
pub fn kernel_pages(mut input: &[u8]) {
    let kind = take_u64(&mut input);
    let info = Vmcoreinfo::parse(shape(kind).as_bytes());
    let architecture = match kind & 1 {
        0 => Architecture::X86_64,
        _ => Architecture::Arm64,
    };
    let Ok(translation) = Translation::new(&info, architecture) else {
        return;
    };
    let start = take_u64(&mut input);
    let mut words = BTreeMap::new();
    while !input.is_empty() {
        let at = take_u64(&mut input) % MEMORY_LEN;
        words.insert(at & !7, take_u64(&mut input));
    }
    let memory = Words(words);

    let _ = translation.physical(&memory, start);
    let end = start.saturating_add(1 << 24);
    let mut at = start;
    for piece in translation.pieces(&memory, start..end) {
        assert_eq!(piece.addresses.start, at);
        assert!(piece.addresses.end > at);
        at = piece.addresses.end;
    }
    assert_eq!(at, end);

    let level = Level::new((kind >> 8 & 31) as u8).unwrap_or_default();
    if let Ok(filter) = Filter::new(&info, translation, level) {
        judge(&filter, &memory);
    }
}

/// Every frame is judged once, and none is kept that is not there.
fn judge(filter: &Filter, memory: &Words) {
    let ram: Frames = [1..9, 64..FRAMES].into_iter().collect();
    let selection = filter.judge_all(memory, &ram);
    assert_eq!(selection.counts.total(), ram.count());
    assert_eq!(selection.kept.without(&ram), Frames::new());
    let unused = filter.unused_vmemmap(memory, &ram, &selection.kept);
    assert!(unused.runs().count() as u64 <= FRAMES);
}

/// VMCOREINFO of one of many kinds of kernels.
fn shape(kind: u64) -> String {
    let pick = |shift: u32, count: u64| (kind >> shift) % count;
    let page_size = 4096 << (2 * pick(16, 3));
    let bits = [39, 42, 47, 48, 52][pick(20, 5) as usize];
    let t1sz = 64 - [39, 42, 47, 48, 52][pick(24, 5) as usize];
    let size = [56, 64, 80, 128][pick(28, 4) as usize];
    let member = ["compound_head", "compound_info"][pick(32, 2) as usize];
    let map = match pick(36, 3) {
        0 => "SYMBOL(vmemmap)=ffffea0000000000\n".to_owned(),
        1 => "LENGTH(mem_section)=512\n".to_owned(),
        _ => "LENGTH(mem_section)=128\n".to_owned(),
    };
    let page_size = match kind & 1 {
        0 => 4096,
        _ => page_size,
    };
    format!(
        "PAGESIZE={page_size}\n{map}SIZE(page)={size}\nSYMBOL(init_top_pgt)=ffffffff80001000\n\
         SYMBOL(swapper_pg_dir)=ffff800080010000\nNUMBER(phys_base)=0\n\
         NUMBER(pgtable_l5_enabled)={}\nNUMBER(VA_BITS)={bits}\nNUMBER(TCR_EL1_T1SZ)={t1sz}\n\
         NUMBER(kimage_voffset)=0xffff800080000000\nNUMBER(PHYS_OFFSET)=0x40000000\n\
         NUMBER(SECTION_SIZE_BITS)=27\nNUMBER(MAX_PHYSMEM_BITS)=36\n\
         SYMBOL(mem_section)=ffff000040002000\nSIZE(mem_section)=16\n\
         OFFSET(mem_section.section_mem_map)=0\nOFFSET(page.flags)=0\nOFFSET(page.mapping)=24\n\
         OFFSET(page.{member})=8\nOFFSET(page._mapcount)=48\nOFFSET(page.private)=40\n\
         LENGTH(zone.free_area)=11\nNUMBER(PG_lru)=5\nNUMBER(PG_private)=14\n\
         NUMBER(PG_swapcache)=10\nNUMBER(PG_swapbacked)=17\nNUMBER(PG_hwpoison)=21\n\
         NUMBER(PG_head_mask)=64\nNUMBER(PAGE_SLAB_MAPCOUNT_VALUE)=-184549376\n\
         NUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-268435456\n\
         NUMBER(PAGE_HUGETLB_MAPCOUNT_VALUE)=-201326592\n\
         NUMBER(PAGE_OFFLINE_MAPCOUNT_VALUE)=-251658240\n",
        pick(40, 2),
    )
}
