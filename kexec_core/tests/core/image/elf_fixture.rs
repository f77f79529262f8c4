// SPDX-License-Identifier: GPL-2.0

//! Kernels as ELF files.

use kexec_core::{
    image::arm64::verify::{
        EntryConditions,
        PageSizes, //
    },
    types::elf::ProgramHeader, //
};

use crate::fixture::{
    put,
    range,
    GIB,
    MIB, //
};

/// Where the fixtures' kernels are linked to.
pub const START: u64 = 16 * MIB;

pub const VIRTUAL: u64 = 0xffff_ffff_8000_0000;

pub const X86_64: u16 = 62;

pub const ARM64: u16 = 183;

/// A segment as vmlinux has them; the numbers are those of the ELF specification.
pub fn load(
    flags: u32,
    offset: u64,
    address: u64,
    file_len: u64,
    memory_len: u64,
) -> ProgramHeader {
    ProgramHeader {
        segment_type: 1,
        flags,
        offset,
        virtual_address: VIRTUAL + address,
        physical_address: address,
        file_len,
        memory_len,
        alignment: 0x1000,
    }
}

/// The segments of an x86_64 kernel: text, data, and data with bss; a note is not loaded.
pub fn segments() -> Vec<ProgramHeader> {
    let note = ProgramHeader {
        segment_type: 4,
        ..load(4, 0x1800, START + 0x800, 0x24, 0x24)
    };
    vec![
        load(5, 0x1000, START, 0x1234, 0x1234),
        load(6, 0x3000, START + 0x2000, 0x1000, 0x1000),
        note,
        load(7, 0x4010, START + 0x3010, 0x321, 0x9_0000),
    ]
}

/// A kernel with these segments, assembled from the ELF specification.
pub fn with_segments(machine: u16, entry: u64, segments: &[ProgramHeader]) -> Vec<u8> {
    let mut file: Vec<u8> = (0..0x4331_u32).map(|at| (at / 5) as u8).collect();
    put(&mut file, 0, b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    put(&mut file, 16, &2_u16.to_le_bytes());
    put(&mut file, 18, &machine.to_le_bytes());
    put(&mut file, 20, &1_u32.to_le_bytes());
    put(&mut file, 24, &entry.to_le_bytes());
    put(&mut file, 32, &64_u64.to_le_bytes());
    put(&mut file, 40, &[0; 12]);
    put(&mut file, 52, &[64, 0, 56, 0]);
    put(&mut file, 56, &(segments.len() as u16).to_le_bytes());
    put(&mut file, 58, &[64, 0, 0, 0, 0, 0]);
    for (index, segment) in segments.iter().enumerate() {
        put(&mut file, 64 + 56 * index, &segment.encode());
    }
    file
}

pub fn vmlinux() -> Vec<u8> {
    with_segments(X86_64, START + 0x40, &segments())
}

/// An arm64 kernel, whose addresses are all virtual and whose text starts with an Image header.
pub fn arm64_vmlinux() -> Vec<u8> {
    let start = 0xffff_8000_8000_0000;
    let segments: Vec<_> = segments()
        .into_iter()
        .map(|segment| ProgramHeader {
            virtual_address: segment.physical_address - START + start,
            physical_address: segment.physical_address - START + start,
            ..segment
        })
        .collect();
    let mut file = with_segments(ARM64, start, &segments);
    put(&mut file, 0x1000, &[0; 64]);
    put(&mut file, 0x1000 + 16, &MIB.to_le_bytes());
    put(&mut file, 0x1000 + 24, &[0xa]);
    put(&mut file, 0x1000 + 56, b"ARM\x64");
    file
}

pub fn arm64_conditions() -> EntryConditions {
    EntryConditions {
        page_sizes: PageSizes {
            kib4: true,
            kib16: false,
            kib64: true,
        },
        region: range(GIB, GIB + 256 * MIB),
    }
}
