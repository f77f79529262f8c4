// SPDX-License-Identifier: GPL-2.0

//! Where page structs are found, with and without a virtual map of them.

use std::collections::BTreeMap;

use dumpfile::memory::{
    MemoryError,
    PhysicalMemory, //
};
use kexec_core::types::elf::Architecture;

use crate::{
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};

use super::*;

/// arm64's linear map, which is translated without page tables.
const LINEAR: u64 = 0xffff_0000_0000_0000;
/// The frames of a section of 128 MiB.
const SECTION: u64 = 1 << 15;

/// Words, by their physical addresses.
struct Words(BTreeMap<u64, u64>);

impl PhysicalMemory for Words {
    type Window<'a> = Vec<u8>;

    fn window(&self, address: u64, len: usize) -> Result<Vec<u8>, MemoryError> {
        let word = self.0.get(&(address & !7));
        let bytes = word.ok_or(MemoryError::Missing(address))?.to_le_bytes();
        let offset = (address & 7) as usize;
        Ok(bytes[offset..bytes.len().min(offset + len)].to_vec())
    }
}

fn info(lines: &str) -> Vmcoreinfo {
    let text = format!(
        "PAGESIZE=4096\nSIZE(page)=64\nNUMBER(SECTION_SIZE_BITS)=27\nNUMBER(VA_BITS)=48\n\
         NUMBER(TCR_EL1_T1SZ)=0x10\nNUMBER(kimage_voffset)=0x0\nNUMBER(PHYS_OFFSET)=0x0\n\
         SYMBOL(swapper_pg_dir)=1000\nSYMBOL(mem_section)=ffff000000002000\n\
         OFFSET(mem_section.section_mem_map)=8\n{lines}"
    );
    Vmcoreinfo::parse(text.as_bytes())
}

/// The address of a frame's struct, and how many frames' structs follow in the same array.
fn find(info: &Vmcoreinfo, memory: &Words, frame: u64) -> (Option<u64>, u64) {
    let translation = Translation::new(info, Architecture::Arm64).unwrap();
    let arrays = PageArrays::new(info).unwrap();
    let array = arrays.array(memory, &translation, frame..frame + (1 << 40));
    let address = array.address.unwrap_or(None);
    (address, array.frames.end - array.frames.start)
}

/// What the kernel stores for a section whose structs begin at `structs`
/// (`sparse_encode_mem_map()`).
fn coded(structs: u64, section: u64) -> u64 {
    structs.wrapping_sub(section * SECTION * 64) | 0x1b
}

#[test]
fn one_array_has_all() {
    let info = info("SYMBOL(vmemmap)=fffffdffc0000000\n");
    let memory = Words(BTreeMap::new());
    assert_eq!(
        find(&info, &memory, 0x1000),
        (Some(0xffff_fdff_c004_0000), 1 << 40)
    );
    let arrays = PageArrays::new(&info).unwrap();
    let known = (0x1000, 0xffff_fdff_c004_0000);
    assert_eq!(arrays.frame(0xffff_fdff_c004_0040, known), Some(0x1001));
    assert_eq!(arrays.frame(0xffff_fdff_c000_0000, known), Some(0));
    assert_eq!(arrays.frame(0xffff_fdff_c004_0041, known), None);
    assert_eq!(arrays.frame(0xffff_fdff_bfff_ffc0, known), None);
}

#[test]
fn sections_are_looked_up() {
    // A table of tables: 2^25 sections, in each table 128.
    let extreme =
        info("NUMBER(MAX_PHYSMEM_BITS)=52\nLENGTH(mem_section)=262144\nSIZE(mem_section)=32\n");
    let mut words = BTreeMap::new();
    // Table 1 is at 0x8000. Its section 2 has structs, its section 3 has none.
    words.insert(0x2000, 0);
    words.insert(0x2008, LINEAR + 0x8000);
    let section = 128 + 2;
    let structs = LINEAR + 0x10_0000;
    words.insert(0x8000 + 2 * 32 + 8, coded(structs, section));
    words.insert(0x8000 + 3 * 32 + 8, 0);
    let memory = Words(words);
    let frame = section * SECTION + 5;
    let expected = (Some(structs + 5 * 64), SECTION - 5);
    assert_eq!(find(&extreme, &memory, frame), expected);
    for frame in [0, frame + SECTION, 1 << 60, frame + 2 * SECTION] {
        assert_eq!(find(&extreme, &memory, frame).0, None, "{frame:#x}");
    }

    // One table of 16 sections.
    let flat = info("NUMBER(MAX_PHYSMEM_BITS)=31\nLENGTH(mem_section)=16\nSIZE(mem_section)=16\n");
    let structs = LINEAR + 0x20_0000;
    let memory = Words(BTreeMap::from([(0x2000 + 3 * 16 + 8, coded(structs, 3))]));
    let expected = (Some(structs + 64), SECTION - 1);
    assert_eq!(find(&flat, &memory, 3 * SECTION + 1), expected);
    assert_eq!(find(&flat, &memory, 16 * SECTION).0, None);
}

#[test]
fn numbers_that_no_kernel_has_are_refused() {
    for line in [
        "NUMBER(MAX_PHYSMEM_BITS)=20\n",
        "NUMBER(MAX_PHYSMEM_BITS)=64\n",
        "NUMBER(MAX_PHYSMEM_BITS)=-1\n",
    ] {
        let info = info(&format!(
            "{line}LENGTH(mem_section)=2\nSIZE(mem_section)=16\n"
        ));
        let error = PageArrays::new(&info).unwrap_err().to_string();
        assert!(error.contains("MAX_PHYSMEM_BITS"), "{error}");
    }
}
