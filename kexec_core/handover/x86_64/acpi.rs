// SPDX-License-Identifier: GPL-2.0

//! ACPI tables that name the addresses of interrupt controllers and of the HPET.

use crate::types::bytes::{
    read_u32,
    read_u64,
    read_u8,
    to_usize, //
};

/// Length of the header that all tables share (ACPI 6.5, 5.2.6).
const TABLE_HEADER_LEN: usize = 36;
/// Offset of the list of interrupt controllers in the MADT (ACPI 6.5, 5.2.12).
const MADT_LIST: usize = TABLE_HEADER_LEN + 8;
/// Type of an "I/O APIC Structure" in that list (ACPI 6.5, 5.2.12.3).
const IO_APIC: u8 = 1;
const IO_APIC_ADDRESS: usize = 4;
/// Address space of the HPET's base address, 0 for memory, and the base address itself
/// (IA-PC HPET specification 1.0a, 3.2.4).
const HPET_ADDRESS_SPACE: usize = 40;
const HPET_ADDRESS: usize = 44;

/// The physical addresses of the I/O APICs that a MADT lists.
///
/// A record that does not fit into the table ends the list.
pub fn io_apics(madt: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let mut rest = madt.get(MADT_LIST..).unwrap_or_default();
    core::iter::from_fn(move || {
        let kind = read_u8(rest, 0)?;
        let len = to_usize(read_u8(rest, 1)?.into());
        if len < 2 {
            return None;
        }
        let record = rest.get(..len)?;
        rest = rest.get(len..)?;
        Some((kind, record))
    })
    .filter(|(kind, _)| *kind == IO_APIC)
    .filter_map(|(_, record)| read_u32(record, IO_APIC_ADDRESS))
    .map(u64::from)
}

/// The physical address of the HPET's registers, if they are in memory.
pub fn hpet_address(hpet: &[u8]) -> Option<u64> {
    const MEMORY: u8 = 0;
    let address = read_u64(hpet, HPET_ADDRESS)?;
    (read_u8(hpet, HPET_ADDRESS_SPACE)? == MEMORY && address != 0).then_some(address)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::{
        vec,
        vec::Vec, //
    };

    fn madt(records: &[&[u8]]) -> Vec<u8> {
        let mut table = vec![0; MADT_LIST];
        table.extend(records.concat());
        table
    }

    const LOCAL_APIC: &[u8] = &[0, 8, 0, 0, 1, 0, 0, 0];
    const FIRST_IO_APIC: &[u8] = &[1, 12, 0, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0];
    const SECOND_IO_APIC: &[u8] = &[1, 12, 1, 0, 0, 0, 0xc1, 0xfe, 24, 0, 0, 0];

    #[test]
    fn io_apics_are_found_between_other_records() {
        let table = madt(&[LOCAL_APIC, FIRST_IO_APIC, LOCAL_APIC, SECOND_IO_APIC]);
        let found: Vec<_> = io_apics(&table).collect();
        assert_eq!(found, [0xfec0_0000, 0xfec1_0000]);
    }

    #[test]
    fn a_cut_or_empty_record_ends_the_list() {
        let table = madt(&[FIRST_IO_APIC, &SECOND_IO_APIC[..11]]);
        assert_eq!(io_apics(&table).count(), 1);
        let table = madt(&[&[1, 0], SECOND_IO_APIC]);
        assert_eq!(io_apics(&table).count(), 0);
        assert_eq!(io_apics(&[]).count(), 0);
    }

    #[test]
    fn an_hpet_in_memory_is_found_and_one_in_io_space_is_not() {
        let mut table = vec![0; 56];
        table[HPET_ADDRESS..HPET_ADDRESS + 8].copy_from_slice(&0xfed0_0000_u64.to_le_bytes());
        assert_eq!(hpet_address(&table), Some(0xfed0_0000));
        table[HPET_ADDRESS_SPACE] = 1;
        assert_eq!(hpet_address(&table), None);
        assert_eq!(hpet_address(&table[..50]), None);
    }
}
