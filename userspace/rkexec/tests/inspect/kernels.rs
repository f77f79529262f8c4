// SPDX-License-Identifier: GPL-2.0

//! Kernels as EFI programs, and what kernels are packed in. The headers are assembled from "PE
//! Format" and the kernel's `booting.rst` and `zboot-header.S`.

use std::io::Write;

use flate2::{
    write::GzEncoder,
    Compression, //
};
use ruzstd::encoding::{
    compress_to_vec,
    CompressionLevel, //
};

use crate::{
    fixture::{
        bzimage_file,
        put, //
    },
    pe_fixture::PeFile, //
};

/// A bzImage with an EFI stub: the PE header is in the boot sector, and two sections hold the
/// setup code and the rest.
pub fn efi_bzimage() -> Vec<u8> {
    const PE: usize = 0x40;
    const OPTIONAL: usize = PE + 24;
    const SECTIONS: usize = OPTIONAL + 112 + 6 * 8;

    let mut file = bzimage_file();
    let setup_len = 17 * 512;
    let len = file.len();
    put(&mut file, 0, &[0; 0x1f1]);
    put(&mut file, 0, b"MZ");
    put(&mut file, 0x3c, &(PE as u32).to_le_bytes());
    put(&mut file, PE, b"PE\0\0\x64\x86\x02\0");
    put(&mut file, PE + 20, &160_u16.to_le_bytes());
    put(&mut file, OPTIONAL, &0x20b_u16.to_le_bytes());
    put(&mut file, OPTIONAL + 60, &0x200_u32.to_le_bytes());
    put(&mut file, OPTIONAL + 108, &6_u32.to_le_bytes());
    for (index, name, start, end) in [
        (0, b".setup", 0x200, setup_len),
        (1, b".text\0", setup_len, len),
    ] {
        let header = SECTIONS + 40 * index;
        put(&mut file, header, name);
        put(&mut file, header + 8, &((end - start) as u32).to_le_bytes());
        put(
            &mut file,
            header + 16,
            &((end - start) as u32).to_le_bytes(),
        );
        put(&mut file, header + 20, &(start as u32).to_le_bytes());
    }
    file
}

/// An Image with an EFI stub, pages of 4 KiB and a banner.
pub fn arm64_image() -> Vec<u8> {
    let mut text = vec![0x5a; 0x1c00];
    put(&mut text, 0x321, b"Linux version %s");
    put(
        &mut text,
        0x400,
        b"Linux version 6.12.0-arm (someone@somewhere) #1\n\0",
    );
    let mut file = PeFile {
        machine: 0xaa64,
        sections: vec![(b".text", text), (b".data", vec![0xd5; 0x200])],
        ..PeFile::default()
    }
    .assemble();
    put(&mut file, 2, b"\x40\xfa");
    put(&mut file, 16, &0x80_0000_u64.to_le_bytes());
    put(&mut file, 24, &0xa_u64.to_le_bytes());
    put(&mut file, 56, b"ARM\x64");
    file
}

/// What `gzip` makes of it.
pub fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

/// What `zstd` makes of it.
pub fn zstd(contents: &[u8]) -> Vec<u8> {
    compress_to_vec(contents, CompressionLevel::Fastest)
}

/// An EFI zboot image with this payload and what the kernel's build puts after it.
pub fn zboot(compression: &str, payload: &[u8], after: &[u8]) -> Vec<u8> {
    let fixture = PeFile {
        machine: 0xaa64,
        sections: vec![(b".text", [payload, after].concat())],
        ..PeFile::default()
    };
    let mut file = fixture.assemble();
    put(&mut file, 2, b"\0\0zimg");
    put(&mut file, 8, &(fixture.headers_len() as u32).to_le_bytes());
    put(&mut file, 12, &(payload.len() as u32).to_le_bytes());
    put(&mut file, 24, compression.as_bytes());
    file
}

/// A unified kernel image.
pub fn unified(machine: u16, kernel: &[u8], command_line: &[u8]) -> PeFile {
    PeFile {
        machine,
        sections: vec![
            (b".text", vec![0xcc; 0x123]),
            (b".linux", kernel.to_vec()),
            (b".initrd", vec![0x49; 0x333]),
            (b".cmdline", command_line.to_vec()),
        ],
        ..PeFile::default()
    }
}
