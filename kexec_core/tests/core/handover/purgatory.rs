// SPDX-License-Identifier: GPL-2.0

//! The purgatory's table and head, byte by byte: the purgatory reads them as structures.

use kexec_core::{
    dump::elfcorehdr::slots::Slots,
    handover::purgatory::{
        Head,
        Table,
        CHECKED_MAX,
        CONSOLE_PL011,
        FOUR_LEVEL_PAGING,
        TABLE_LEN, //
    },
    types::digest::Checked,
    uapi::SegmentKind, //
};

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
}

fn u32_at(bytes: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
}

#[test]
fn the_table_is_encoded_at_the_offsets_of_its_structure() {
    let mut table = Table {
        entry: 0x1111_0000_0000_1111,
        argument: 0x2222_0000_0000_2222,
        report: 0x3333_0000_0000_3333,
        elfcorehdr: Slots {
            start: 0x4444_0000_0000_4444,
            slot_len: 0x5555_0000_0000_5555,
        },
        flags: FOUR_LEVEL_PAGING,
        checked_count: CHECKED_MAX as u32,
        sha256: [0xee; 32],
        ..Table::default()
    };
    for (index, checked) in table.checked.iter_mut().enumerate() {
        *checked = Checked {
            start: 0x1000 * index as u64,
            len: 0xffff_0000 + index as u64,
            kind: 1 + index as u32,
            algorithm: 100 + index as u32,
            digest: [index as u8; 32],
        };
    }
    let bytes = table.encode();
    assert_eq!(bytes.len(), TABLE_LEN);
    assert_eq!(&bytes[..8], b"RKEXTABL");
    assert_eq!(u64_at(&bytes, 8), table.entry);
    assert_eq!(u64_at(&bytes, 16), table.argument);
    assert_eq!(u64_at(&bytes, 24), table.report);
    assert_eq!(u64_at(&bytes, 32), table.elfcorehdr.start);
    assert_eq!(u64_at(&bytes, 40), table.elfcorehdr.slot_len);
    assert_eq!(u32_at(&bytes, 48), table.checked_count);
    assert_eq!(u32_at(&bytes, 52), table.flags);
    for (index, checked) in table.checked.iter().enumerate() {
        let at = 56 + 56 * index;
        assert_eq!(u64_at(&bytes, at), checked.start);
        assert_eq!(u64_at(&bytes, at + 8), checked.len);
        assert_eq!(u32_at(&bytes, at + 16), checked.kind);
        assert_eq!(u32_at(&bytes, at + 20), checked.algorithm);
        assert_eq!(bytes[at + 24..at + 56], checked.digest);
    }
    assert_eq!(bytes[TABLE_LEN - 32..], table.sha256);
    assert_eq!(Table::decode(&bytes), Some(table));
    assert_eq!(Table::decode(&bytes[..TABLE_LEN - 1]), None);
}

#[test]
fn the_console_is_written_behind_the_code_of_the_head() {
    let mut purgatory = [0xaa; 40];
    Head::set_console(&mut purgatory, CONSOLE_PL011, 0x900_0000);
    assert_eq!(purgatory[..16], [0xaa; 16]);
    assert_eq!(u64_at(&purgatory, 16), 0x900_0000);
    assert_eq!(u32_at(&purgatory, 24), CONSOLE_PL011);
    assert_eq!(purgatory[28..], [0xaa; 12]);
}

#[test]
fn kinds_of_segments_have_numbers_and_names_of_their_own() {
    for (index, kind) in SegmentKind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, index + 1);
        assert_eq!(SegmentKind::from_number(kind as u32), Some(kind));
        let same_name = SegmentKind::ALL
            .into_iter()
            .filter(|other| other.name() == kind.name());
        assert_eq!(same_name.count(), 1);
    }
    for number in [0, SegmentKind::ALL.len() as u32 + 1, u32::MAX] {
        assert_eq!(SegmentKind::from_number(number), None);
    }
}
