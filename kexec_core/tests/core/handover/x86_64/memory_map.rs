// SPDX-License-Identifier: GPL-2.0

//! The capture kernel's memory map.

use kexec_core::{
    handover::{
        x86_64::{
            boot_params::{
                BootParams,
                MemoryType,
                BOOT_PARAMS_LEN,
                E820_ENTRIES,
                E820_ENTRIES_MAX,
                E820_ENTRY_LEN,
                E820_TABLE, //
            },
            memory_map::MemoryMap, //
        },
        UsableMemory, //
    },
    types::ranges::{
        CapacityError,
        Range, //
    }, //
};
use proptest::prelude::*;

use crate::fixture::{
    bzimage_file,
    range,
    verified,
    GIB,
    MIB, //
};

const RAM: u32 = MemoryType::Ram as u32;

/// The input of a map.
#[derive(Clone, Debug, Default)]
struct Sources {
    system_ram: Vec<Range>,
    crash_regions: Vec<Range>,
    elfcorehdr: Range,
    others: Vec<(MemoryType, Vec<Range>)>,
}

/// Builds a map and reads it back from boot_params, sorted by address.
fn entries(sources: &Sources) -> Result<Vec<(Range, u32)>, CapacityError> {
    let file = bzimage_file();
    let mut page = [0; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    let mut map = MemoryMap::new(
        &mut params,
        &sources.system_ram,
        UsableMemory::set_aside(&sources.crash_regions),
        sources.elfcorehdr,
    )?;
    for (memory_type, ranges) in &sources.others {
        map.add(ranges, *memory_type)?;
    }
    map.finish()?;

    let count = usize::from(page[E820_ENTRIES]);
    let (table, rest) = page[E820_TABLE..].split_at(count * E820_ENTRY_LEN);
    assert!(rest.iter().all(|byte| *byte == 0));
    let mut entries: Vec<_> = table
        .chunks_exact(E820_ENTRY_LEN)
        .map(|entry| {
            let start = u64::from_le_bytes(entry[..8].try_into().unwrap());
            let len = u64::from_le_bytes(entry[8..16].try_into().unwrap());
            let memory_type = u32::from_le_bytes(entry[16..].try_into().unwrap());
            (range(start, start + len), memory_type)
        })
        .collect();
    entries.sort_by_key(|(range, _)| range.start());
    Ok(entries)
}

#[test]
fn of_system_ram_only_the_first_mebibyte_is_usable() {
    let sources = Sources {
        system_ram: vec![
            range(0x1000, 0x9_fc00),
            range(MIB / 2, 3 * GIB),
            range(4 * GIB, 5 * GIB),
        ],
        ..Sources::default()
    };
    assert_eq!(entries(&sources).unwrap(), [(range(0x1000, MIB), RAM)]);
}

#[test]
fn the_elfcorehdr_is_missing_from_the_crash_region() {
    let cases = [
        (
            "at its end",
            range(0x3f_f000, 0x40_0000),
            vec![(range(0x20_0000, 0x3f_f000), RAM)],
        ),
        (
            "at its start",
            range(0x20_0000, 0x20_1000),
            vec![(range(0x20_1000, 0x40_0000), RAM)],
        ),
        (
            "in its middle",
            range(0x30_0000, 0x30_2000),
            vec![
                (range(0x20_0000, 0x30_0000), RAM),
                (range(0x30_2000, 0x40_0000), RAM),
            ],
        ),
    ];
    for (name, elfcorehdr, expected) in cases {
        let sources = Sources {
            crash_regions: vec![range(0x20_0000, 0x40_0000)],
            elfcorehdr,
            ..Sources::default()
        };
        assert_eq!(entries(&sources).unwrap(), expected, "{name}");
    }
}

#[test]
fn a_low_and_a_high_crash_region_are_both_usable() {
    let sources = Sources {
        crash_regions: vec![range(5 * GIB, 6 * GIB), range(GIB, 2 * GIB)],
        ..Sources::default()
    };
    assert_eq!(
        entries(&sources).unwrap(),
        [(range(GIB, 2 * GIB), RAM), (range(5 * GIB, 6 * GIB), RAM)]
    );
}

#[test]
fn firmware_keeps_what_is_its_own() {
    let reserved = range(0x9_f000, 0xa_0000);
    let sources = Sources {
        system_ram: vec![range(0, 0xa_0000)],
        others: vec![(MemoryType::Reserved, vec![reserved])],
        ..Sources::default()
    };
    assert_eq!(
        entries(&sources).unwrap(),
        [
            (range(0, 0x9_f000), RAM),
            (reserved, MemoryType::Reserved as u32)
        ]
    );
}

#[test]
fn more_than_boot_params_has_room_for_is_refused() {
    let ranges: Vec<Range> = (0..200)
        .map(|n| range(n * 0x2000, n * 0x2000 + 0x1000))
        .collect();
    let with = |count, regions| Sources {
        crash_regions: regions,
        others: vec![(MemoryType::Reserved, ranges[..count].to_vec())],
        ..Sources::default()
    };
    let full = CapacityError {
        capacity: E820_ENTRIES_MAX,
    };
    let region = vec![range(GIB, 2 * GIB)];
    let entries = |count, regions: &[Range]| entries(&with(count, regions.to_vec()));
    assert_eq!(
        entries(E820_ENTRIES_MAX, &[]).unwrap().len(),
        E820_ENTRIES_MAX
    );
    assert_eq!(entries(E820_ENTRIES_MAX + 1, &[]), Err(full));
    assert!(entries(E820_ENTRIES_MAX - 1, &region).is_ok());
    assert_eq!(entries(E820_ENTRIES_MAX, &region), Err(full));
}

fn some_ranges() -> impl Strategy<Value = Vec<Range>> {
    let one = (0..0x200_u64, 0..0x40_u64)
        .prop_map(|(start, len)| range(start * 0x1000, (start + len) * 0x1000));
    prop::collection::vec(one, 0..5)
}

proptest! {
    /// A page is usable exactly when it is meant to be: a page too many is one that the capture
    /// kernel overwrites and that is missing from the dump.
    #[test]
    fn a_page_is_usable_when_nothing_speaks_against_it(
        system_ram in some_ranges(),
        acpi_tables in some_ranges(),
        acpi_nvs in some_ranges(),
        reserved in some_ranges(),
        crash_regions in some_ranges(),
        elfcorehdr in 0..0x200_u64,
    ) {
        let sources = Sources {
            system_ram,
            crash_regions,
            elfcorehdr: range(elfcorehdr * 0x1000, (elfcorehdr + 1) * 0x1000),
            others: vec![
                (MemoryType::Acpi, acpi_tables),
                (MemoryType::Nvs, acpi_nvs),
                (MemoryType::Reserved, reserved),
            ],
        };
        let entries = entries(&sources).unwrap();
        for page in 0..0x240 {
            let address = page * 0x1000;
            let within = |ranges: &[Range]| ranges.iter().any(|range| range.contains(address));
            let taken = sources.others.iter().any(|(_, ranges)| within(ranges));
            let wanted = within(&sources.system_ram) && address < MIB
                || within(&sources.crash_regions);
            let found: Vec<u32> = entries
                .iter()
                .filter(|(range, _)| range.contains(address))
                .map(|(_, memory_type)| *memory_type)
                .collect();
            let usable = wanted && !taken && page != elfcorehdr;
            prop_assert_eq!(found == [RAM], usable, "{:#x}: {:?}", address, found);
            for (memory_type, ranges) in &sources.others {
                prop_assert_eq!(found.contains(&(*memory_type as u32)), within(ranges));
            }
        }
    }
}
