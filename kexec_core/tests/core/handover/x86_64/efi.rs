// SPDX-License-Identifier: GPL-2.0

//! The handover of firmware's tables in boot_params and after them, read back as the kernel reads
//! it.

use kexec_core::handover::x86_64::{
    boot_params::{
        BootParams,
        BOOT_PARAMS_LEN,
        EFI_INFO,
        EFI_INFO_LEN, //
    },
    efi::{
        configuration_tables,
        EfiInfo,
        SetupData,
        SETUP_DATA_LEN,
        SYSTEM_TABLE_LEN, //
    },
    setup_data::{
        tail_len,
        SetupDataType,
        Tail,
        HEADER_LEN,
        RNG_SEED_LEN, //
    }, //
};
use linux_loader::loader::bootparam::boot_params;
use vm_memory::ByteValued;

use crate::fixture::{
    bzimage_file,
    put,
    range,
    verified, //
};

/// Where the segment lies.
const SEGMENT: u64 = 0x1_3aff_e000;
const TAIL: u64 = SEGMENT + BOOT_PARAMS_LEN as u64;
const COMMAND_LINE: &[u8] = b"console=ttyS0\0";
/// Two descriptors as EDK II makes them, 48 bytes each.
const MEMORY_MAP: [u8; 96] = [0x5a; 96];

const SETUP: SetupData = SetupData {
    firmware_vendor: 0x3fbb_f018,
    configuration_tables: 0x3f9e_e018,
    smbios: 0x3f91_8000,
};

/// boot_params as the kernel's EFI stub leaves them.
fn running() -> boot_params {
    let mut params = boot_params::default();
    params.efi_info.efi_loader_signature = u32::from_le_bytes(*b"EL64");
    params.efi_info.efi_systab = 0x3f9e_e018;
    params.efi_info.efi_systab_hi = 0x7;
    params.efi_info.efi_memdesc_size = 40;
    params.efi_info.efi_memdesc_version = 1;
    params.efi_info.efi_memmap = 0x3d00_0000;
    params.efi_info.efi_memmap_size = 4800;
    params
}

fn decode(params: &boot_params) -> Option<EfiInfo> {
    EfiInfo::decode(params.as_slice())
}

#[test]
fn efi_info_is_read_where_the_stub_wrote_it() {
    let expected = EfiInfo {
        system_table: 0x7_3f9e_e018,
        descriptor_version: 1,
    };
    assert_eq!(decode(&running()), Some(expected));
    assert_eq!(
        expected.system_table_range(),
        Some(range(0x7_3f9e_e018, 0x7_3f9e_e018 + 120))
    );
}

#[test]
fn a_kernel_that_other_firmware_started_has_none() {
    assert_eq!(decode(&boot_params::default()), None);
    let mut params = running();
    params.efi_info.efi_loader_signature = u32::from_le_bytes(*b"EL32");
    assert_eq!(decode(&params), None);
    let mut params = running();
    params.efi_info.efi_memmap_size = 0;
    assert_eq!(decode(&params), None);
    let mut params = running();
    params.efi_info.efi_systab = 0;
    params.efi_info.efi_systab_hi = 0;
    assert_eq!(decode(&params), None);
    let cut = EFI_INFO + EFI_INFO_LEN - 1;
    assert_eq!(EfiInfo::decode(&running().as_slice()[..cut]), None);
}

#[test]
fn the_configuration_tables_are_as_many_as_the_system_table_says() {
    let mut system_table = [0; SYSTEM_TABLE_LEN];
    put(&mut system_table, 104, &12_u64.to_le_bytes());
    assert_eq!(
        configuration_tables(&system_table, 0x3f9e_e098),
        Some(range(0x3f9e_e098, 0x3f9e_e098 + 12 * 24))
    );
    assert_eq!(configuration_tables(&system_table, u64::MAX), None);
    assert_eq!(configuration_tables(&system_table[..111], 0x1000), None);
    put(&mut system_table, 104, &u64::MAX.to_le_bytes());
    assert_eq!(configuration_tables(&system_table, 0x1000), None);
}

/// A node of the list: its type and data, and where the next one is.
fn node(segment: &[u8], address: u64) -> (u32, &[u8], u64) {
    let start = (address - SEGMENT) as usize;
    let (header, data) = segment[start..].split_at(HEADER_LEN);
    let number = |offset: usize| u32::from_le_bytes(header[offset..][..4].try_into().unwrap());
    let next = u64::from(number(4)) << 32 | u64::from(number(0));
    (number(8), &data[..number(12) as usize], next)
}

#[test]
fn the_kernel_finds_all_of_it_behind_boot_params() {
    let tail_len = tail_len(COMMAND_LINE.len(), Some(MEMORY_MAP.len()));
    let mut segment = vec![0; BOOT_PARAMS_LEN + tail_len];
    let (page, tail) = segment.split_first_chunk_mut().unwrap();
    let file = bzimage_file();
    let mut params = BootParams::new(page, &verified(&file));
    let mut tail = Tail::new(tail, TAIL);

    let command_line = tail
        .push(&[&COMMAND_LINE[..8], &COMMAND_LINE[8..]])
        .unwrap();
    params.set_command_line(command_line);
    let memory_map = tail.push(&[&MEMORY_MAP]).unwrap();
    let memory_map = range(memory_map, memory_map + MEMORY_MAP.len() as u64);
    let info = decode(&running()).unwrap();
    params.set_efi_info(&info.encode(memory_map, 48));
    let (seed, setup) = ([7; RNG_SEED_LEN], SETUP.encode());
    for (setup_data_type, data) in [
        (SetupDataType::Efi, &setup[..]),
        (SetupDataType::RngSeed, &seed[..]),
    ] {
        tail.push_setup_data(&mut params, setup_data_type, data)
            .unwrap();
    }

    let mut params = boot_params::default();
    let page = &segment[..BOOT_PARAMS_LEN];
    params.as_mut_slice().copy_from_slice(page);
    let at = |address: u64, len| &segment[(address - SEGMENT) as usize..][..len];
    let joined = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);

    let command_line = joined(params.hdr.cmd_line_ptr, params.ext_cmd_line_ptr);
    assert_eq!(command_line, TAIL);
    assert_eq!(at(command_line, COMMAND_LINE.len()), COMMAND_LINE);

    let info = params.efi_info;
    assert_eq!({ info.efi_loader_signature }.to_le_bytes(), *b"EL64");
    assert_eq!(joined(info.efi_systab, info.efi_systab_hi), 0x7_3f9e_e018);
    assert_eq!(
        ({ info.efi_memdesc_size }, { info.efi_memdesc_version }),
        (48, 1)
    );
    assert_eq!({ info.efi_memmap_size }, 96);
    let memory_map = joined(info.efi_memmap, info.efi_memmap_hi);
    assert_eq!(at(memory_map, MEMORY_MAP.len()), MEMORY_MAP);

    let first = params.hdr.setup_data;
    let (setup_data_type, data, next) = node(&segment, first);
    assert_eq!((setup_data_type, data), (9, &seed[..]));
    let (setup_data_type, data, last) = node(&segment, next);
    assert_eq!((setup_data_type, data.len(), last), (4, SETUP_DATA_LEN, 0));
    let word = |index: usize| u64::from_le_bytes(data[index * 8..][..8].try_into().unwrap());
    assert_eq!(word(0), SETUP.firmware_vendor);
    assert_eq!(word(2), SETUP.configuration_tables);
    assert_eq!(word(3), SETUP.smbios);
    assert!([first, next, memory_map].iter().all(|a| a % 16 == 0));
}

#[test]
fn the_tail_is_as_long_as_what_goes_into_it() {
    for command_line_len in [1, 15, 16, 17, 2048] {
        for memory_map_len in [None, Some(0), Some(47), Some(4800)] {
            let len = tail_len(command_line_len, memory_map_len);
            let mut bytes = vec![0; len];
            let file = bzimage_file();
            let mut page = [0; BOOT_PARAMS_LEN];
            let mut params = BootParams::new(&mut page, &verified(&file));
            let mut tail = Tail::new(&mut bytes, TAIL);
            tail.push(&[&vec![b'x'; command_line_len]]).unwrap();
            if let Some(memory_map_len) = memory_map_len {
                tail.push(&[&vec![0; memory_map_len]]).unwrap();
                tail.push_setup_data(&mut params, SetupDataType::Efi, &SETUP.encode())
                    .unwrap();
            }
            tail.push_setup_data(&mut params, SetupDataType::RngSeed, &[0; RNG_SEED_LEN])
                .unwrap();
            let error = tail.push(&[&[0]]).unwrap_err();
            assert_eq!(error.capacity, len);
        }
    }
}
