// SPDX-License-Identifier: GPL-2.0

//! Ranges, images and helpers that several tests need.

use kexec_core::{
    image::{
        x86_64::{
            bzimage::BzImage,
            setup_header,
            verify::EntryConditions, //
        },
        Verified, //
    },
    types::ranges::Range, //
};

/// A range that is known to be one.
pub fn range(start: u64, end: u64) -> Range {
    Range::new(start, end).expect("the test's range ends before it starts")
}

/// One MiB.
pub const MIB: u64 = 1 << 20;
/// One GiB.
pub const GIB: u64 = 1 << 30;

/// Number of setup sectors in [`bzimage_file`].
pub const SETUP_SECTS: usize = 16;
/// Length of the protected-mode code in [`bzimage_file`].
pub const PROTECTED_MODE_LEN: usize = 0x8000;
/// Memory that the image of [`bzimage_file`] needs.
pub const INIT_SIZE: u64 = 8 * MIB;
/// Version string of [`bzimage_file`].
pub const KERNEL_VERSION: &str = "6.12.0-test (someone@somewhere) #1 SMP";

/// Writes a field.
pub fn put(bytes: &mut [u8], offset: usize, field: &[u8]) {
    bytes[offset..offset + field.len()].copy_from_slice(field);
}

/// A bzImage, assembled from the boot protocol's description: real-mode code, setup header, and
/// protected-mode code whose bytes tell where they are.
pub fn bzimage_file() -> Vec<u8> {
    let setup_len = (SETUP_SECTS + 1) * 512;
    let mut file = vec![0x90; setup_len];
    // The bytes before and after the header must not be taken for a part of it.
    file[..0x1f1].fill(0xff);

    put(&mut file, 0x1f1, &[0; 0x26c - 0x1f1]);
    put(&mut file, 0x1f1, &[SETUP_SECTS as u8]);
    put(
        &mut file,
        0x1f4,
        &(PROTECTED_MODE_LEN as u32 / 16).to_le_bytes(),
    );
    put(&mut file, 0x1fe, &[0x55, 0xaa]);
    put(&mut file, 0x200, &[0xeb, 0x6a]);
    put(&mut file, 0x202, b"HdrS");
    put(&mut file, 0x206, &0x020f_u16.to_le_bytes());
    put(&mut file, 0x20e, &0x1c00_u16.to_le_bytes());
    put(&mut file, 0x211, &[0x01]);
    put(&mut file, 0x214, &0x10_0000_u32.to_le_bytes());
    put(&mut file, 0x22c, &0x7fff_ffff_u32.to_le_bytes());
    put(&mut file, 0x230, &(2 * MIB as u32).to_le_bytes());
    put(&mut file, 0x234, &[1, 21]);
    put(&mut file, 0x236, &0x007f_u16.to_le_bytes());
    put(&mut file, 0x238, &2047_u32.to_le_bytes());
    put(&mut file, 0x248, &0x400_u32.to_le_bytes());
    put(&mut file, 0x24c, &0x7000_u32.to_le_bytes());
    put(&mut file, 0x258, &(16 * MIB).to_le_bytes());
    put(&mut file, 0x260, &(INIT_SIZE as u32).to_le_bytes());
    put(&mut file, 0x1c00 + 0x200, KERNEL_VERSION.as_bytes());
    put(&mut file, 0x1c00 + 0x200 + KERNEL_VERSION.len(), &[0]);

    file.extend((0..PROTECTED_MODE_LEN).map(|offset| (offset / 3) as u8));
    file
}

/// [`bzimage_file`] with this compressed kernel in it; without one where it is empty.
pub fn bzimage_with_payload(payload: &[u8]) -> Vec<u8> {
    const OFFSET: usize = 0x400;
    let mut file = bzimage_file();
    let start = (SETUP_SECTS + 1) * 512;
    let len = (OFFSET + payload.len()).next_multiple_of(16);
    file.resize(start + len.max(PROTECTED_MODE_LEN), 0x90);
    let paragraphs = (file.len() - start) as u32 / 16;
    put(&mut file, 0x1f4, &paragraphs.to_le_bytes());
    let offset = if payload.is_empty() { 0 } else { OFFSET as u32 };
    put(&mut file, 0x248, &offset.to_le_bytes());
    put(&mut file, 0x24c, &(payload.len() as u32).to_le_bytes());
    put(&mut file, start + OFFSET, payload);
    file
}

/// A machine with 4-level paging and this region.
pub fn entry_conditions(region: Range) -> EntryConditions {
    EntryConditions {
        five_level_paging: false,
        region,
    }
}

/// [`bzimage_file`] with some fields changed, verified for a region that it fits into.
pub fn verified(file: &[u8]) -> Verified<BzImage<'_>> {
    BzImage::parse(file)
        .expect("the image is good")
        .verify(&entry_conditions(range(256 * MIB, 512 * MIB)))
        .expect("the image suits the machine")
}

/// Clears flags in `xloadflags`.
pub fn without_xloadflags(mut file: Vec<u8>, flags: u16) -> Vec<u8> {
    let offset = setup_header::XLOADFLAGS;
    let kept = u16::from_le_bytes([file[offset], file[offset + 1]]) & !flags;
    put(&mut file, offset, &kept.to_le_bytes());
    file
}
