// SPDX-License-Identifier: GPL-2.0

//! The zero page, read back through linux-loader's `struct boot_params`.

use kexec_core::{
    handover::{
        x86_64::{
            boot_params::{
                firmware_ram,
                secure_boot,
                BootParams,
                MemoryType,
                BOOT_PARAMS_LEN, //
            },
            memory_map::MemoryMap, //
        },
        UsableMemory, //
    },
    image::x86_64::setup_header::XLF_CAN_BE_LOADED_ABOVE_4G,
    types::errno::Errno, //
};
use linux_loader::loader::bootparam::{
    boot_e820_entry,
    boot_params, //
};
use vm_memory::ByteValued;

use crate::fixture::{
    bzimage_file,
    put,
    range,
    verified,
    without_xloadflags,
    GIB,
    MIB, //
};

/// The page as the structure that it is.
fn read_back(page: &[u8; BOOT_PARAMS_LEN]) -> boot_params {
    let mut params = boot_params::default();
    params.as_mut_slice().copy_from_slice(page);
    params
}

#[test]
fn every_field_is_where_the_kernel_reads_it() {
    let file = bzimage_file();
    let mut page = [0xaa; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    params.set_command_line(0x1_2345_6000);
    params
        .set_initrd(range(0x9_8765_4000, 0xa_9876_5432))
        .unwrap();
    params.set_acpi_rsdp_if_unknown(0xf_59e0);
    let low_ram = [range(0x1000, 0x9_fc00)];
    let regions = [range(256 * MIB, 512 * MIB)];
    let elfcorehdr = range(511 * MIB, 512 * MIB);
    let mut map = MemoryMap::new(
        &mut params,
        &low_ram,
        UsableMemory::set_aside(&regions),
        elfcorehdr,
    )
    .unwrap();
    map.add(&[range(0x7ff0_0000, 0x7ff1_0000)], MemoryType::Acpi)
        .unwrap();
    map.add(&[range(0x7ff1_0000, 0x7ff2_0000)], MemoryType::Nvs)
        .unwrap();
    map.add(&[range(0xf_0000, 0x10_0000)], MemoryType::Reserved)
        .unwrap();
    map.finish().unwrap();

    let params = read_back(&page);
    let hdr = params.hdr;
    assert_eq!({ hdr.header }, 0x5372_6448);
    assert_eq!({ hdr.version }, 0x020f);
    assert_eq!({ hdr.kernel_alignment }, 0x20_0000);
    assert_eq!({ hdr.init_size }, 0x80_0000);
    assert_eq!({ hdr.pref_address }, 0x100_0000);
    assert_eq!(hdr.type_of_loader, 0xd0);
    assert_eq!(hdr.loadflags, 0x01);
    assert_eq!({ hdr.cmd_line_ptr }, 0x2345_6000);
    assert_eq!({ params.ext_cmd_line_ptr }, 0x1);
    assert_eq!({ hdr.ramdisk_image }, 0x8765_4000);
    assert_eq!({ params.ext_ramdisk_image }, 0x9);
    assert_eq!({ hdr.ramdisk_size }, 0x1111_1432);
    assert_eq!({ params.ext_ramdisk_size }, 0x1);
    assert_eq!({ params.acpi_rsdp_addr }, 0xf_59e0);
    assert_eq!(params.sentinel, 0);

    assert_eq!(params.e820_entries, 5);
    let table = params.e820_table;
    let found: Vec<_> = table[..5]
        .iter()
        .map(|entry| ({ entry.addr }, { entry.size }, { entry.r#type }))
        .collect();
    assert_eq!(
        found,
        [
            (0x7ff0_0000, 0x1_0000, 3),
            (0x7ff1_0000, 0x1_0000, 4),
            (0xf_0000, 0x1_0000, 2),
            (0x1000, 0x9_ec00, 1),
            (256 * MIB, 255 * MIB, 1),
        ]
    );
}

#[test]
fn a_kernel_for_a_reboot_has_the_memory_that_the_running_one_was_told_of() {
    let mut running = boot_params {
        e820_entries: 2,
        ..boot_params::default()
    };
    for (entry, addr) in running.e820_table.iter_mut().zip([0x1000, 4 * GIB]) {
        *entry = boot_e820_entry {
            addr,
            size: MIB,
            r#type: 1,
        };
    }
    let file = bzimage_file();
    let mut page = [0xaa; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    params.take_over_memory(running.as_slice().first_chunk().unwrap());
    let taken = firmware_ram(&page);
    assert!(taken.eq([range(0x1000, 0x1000 + MIB), range(4 * GIB, 4 * GIB + MIB)]));
    // Nothing else of that kernel's is in it.
    let params = read_back(&page);
    assert_eq!({ params.acpi_rsdp_addr }, 0);
    assert_eq!({ params.hdr.header }, 0x5372_6448);
}

#[test]
fn what_the_running_kernel_was_told_of_the_machine_is_taken_over() {
    let mut running = boot_params {
        acpi_rsdp_addr: 0xf_59e0,
        eddbuf_entries: 1,
        edd_mbr_sig_buf_entries: 2,
        secure_boot: 3,
        ..boot_params::default()
    };
    running.screen_info.lfb_base = 0x8000_0000;
    running.screen_info.ext_lfb_base = 0x9;
    running.screen_info.ext_mem_k = 0xfc00;
    running.hdr.hardware_subarch = 3;
    running.edd_mbr_sig_buffer = [0x5a5a_5a5a; 16];
    running.eddbuf[5].device = 0x85;
    // These fields are about the start of that kernel, and not about the machine.
    running.hdr.setup_data = 0x7fff_0000;
    running.ext_cmd_line_ptr = 1;
    running.e820_entries = 9;
    running.efi_info.efi_systab = 0x7fee_0018;
    running.sentinel = 0xff;

    let file = bzimage_file();
    let mut page = [0xaa; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    params.take_over(running.as_slice().first_chunk().unwrap());
    params.set_acpi_rsdp_if_unknown(0x7ffe_0014);

    let params = read_back(&page);
    assert_eq!({ params.acpi_rsdp_addr }, 0xf_59e0);
    assert_eq!({ params.screen_info.lfb_base }, 0x8000_0000);
    assert_eq!({ params.screen_info.ext_lfb_base }, 0x9);
    assert_eq!({ params.screen_info.ext_mem_k }, 0);
    assert_eq!({ params.hdr.hardware_subarch }, 3);
    assert_eq!(params.secure_boot, 3);
    assert_eq!(params.eddbuf_entries, 1);
    assert_eq!(params.edd_mbr_sig_buf_entries, 2);
    assert_eq!({ params.edd_mbr_sig_buffer }, [0x5a5a_5a5a; 16]);
    assert_eq!({ params.eddbuf[5].device }, 0x85);

    assert_eq!({ params.hdr.header }, 0x5372_6448);
    assert_eq!({ params.hdr.setup_data }, 0);
    assert_eq!({ params.ext_cmd_line_ptr }, 0);
    assert_eq!({ params.e820_entries }, 0);
    assert_eq!({ params.efi_info.efi_systab }, 0);
    assert_eq!(params.sentinel, 0);
}

#[test]
fn nothing_of_the_page_s_past_is_left() {
    let file = bzimage_file();
    let mut page = [0xaa; BOOT_PARAMS_LEN];
    BootParams::new(&mut page, &verified(&file));
    let header_end = 0x202 + usize::from(file[0x201]);
    assert!(page[..0x1f1].iter().all(|byte| *byte == 0));
    assert!(page[header_end..].iter().all(|byte| *byte == 0));
}

#[test]
fn what_the_loader_fills_in_does_not_come_from_the_file() {
    let mut file = bzimage_file();
    put(&mut file, 0x210, &[0x77]);
    put(&mut file, 0x211, &[0xff]);
    put(&mut file, 0x218, &[0x77; 8]);
    put(&mut file, 0x228, &[0x77; 4]);
    put(&mut file, 0x23c, &[0x77; 4]);
    put(&mut file, 0x250, &[0x77; 8]);
    let mut page = [0; BOOT_PARAMS_LEN];
    BootParams::new(&mut page, &verified(&file));

    let hdr = read_back(&page).hdr;
    assert_eq!((hdr.type_of_loader, hdr.loadflags), (0xd0, 0x01));
    assert_eq!(({ hdr.ramdisk_image }, { hdr.ramdisk_size }), (0, 0));
    assert_eq!({ hdr.cmd_line_ptr }, 0);
    assert_eq!({ hdr.hardware_subarch }, 0);
    assert_eq!({ hdr.setup_data }, 0);
}

#[test]
fn an_initrd_is_refused_where_the_kernel_would_not_find_it() {
    let file = without_xloadflags(bzimage_file(), XLF_CAN_BE_LOADED_ABOVE_4G);
    let mut page = [0; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    assert!(params.set_initrd(range(GIB, 2 * GIB)).is_ok());

    let error = params.set_initrd(range(GIB, 2 * GIB + 1)).unwrap_err();
    assert_eq!(error.errno(), Errno::AddrNotAvail);
    assert_eq!(
        error.to_string(),
        "the initrd would lie at 0x40000000-0x80000001, but the kernel reads it up to \
         0x7fffffff only (XLF_CAN_BE_LOADED_ABOVE_4G is not set)"
    );

    let file = bzimage_file();
    let mut page = [0; BOOT_PARAMS_LEN];
    let mut params = BootParams::new(&mut page, &verified(&file));
    assert!(params.set_initrd(range(8 * GIB, 9 * GIB)).is_ok());
}

#[test]
fn firmwares_ram_is_read_back() {
    let entries = [
        (0, 0x9_fc00, 1),
        (0xf_0000, 0x1_0000, 2),
        (0x10_0000, 0x1000, 1),
    ];
    let mut params = boot_params {
        e820_entries: 3,
        ..Default::default()
    };
    for (entry, (addr, size, kind)) in params.e820_table.iter_mut().zip(entries) {
        (entry.addr, entry.size, entry.r#type) = (addr, size, kind);
    }
    let found = |params: &boot_params| firmware_ram(params.as_slice()).collect::<Vec<_>>();
    assert_eq!(
        found(&params),
        [range(0, 0x9_fc00), range(0x10_0000, 0x10_1000)]
    );
    // An entry that leaves the address space is none, and the table ends where it has to.
    params.e820_table[0].addr = u64::MAX;
    params.e820_entries = 255;
    assert_eq!(found(&params), [range(0x10_0000, 0x10_1000)]);
    assert_eq!(firmware_ram(&[]).count(), 0);
}

#[test]
fn secure_boot_is_what_the_stub_has_found_out() {
    // efi_secureboot_mode_unset, _unknown, _disabled and _enabled.
    for (mode, told) in [
        (0, None),
        (1, Some(false)),
        (2, Some(false)),
        (3, Some(true)),
    ] {
        let params = boot_params {
            secure_boot: mode,
            ..Default::default()
        };
        assert_eq!(secure_boot(params.as_slice()), told);
    }
    assert_eq!(secure_boot(&[3; 0x1ec]), None);
}
