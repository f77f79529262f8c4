// SPDX-License-Identifier: GPL-2.0

//! Kernels that are packed into other files, and what is said of the kernel in them.

use kexec_core::types::elf::ProgramHeader;
use serde_json::{
    json,
    Value, //
};

use super::{
    compressions::{
        lz4,
        lzop,
        xz, //
    },
    elf_fixture,
    fixture::{
        bzimage_with_payload,
        put,
        GIB, //
    },
    inspect,
    kernels::{
        arm64_image,
        efi_bzimage,
        gzip,
        unified,
        zboot,
        zstd, //
    },
    sentence,
    Files, //
};

#[test]
fn a_packed_kernel_is_unpacked() {
    let files = Files::new("packed");
    let image = arm64_image();
    let bzimage = efi_bzimage();
    for (name, file, formats) in [
        ("Image", image.clone(), &["arm64 Image"][..]),
        ("Image.gz", gzip(&image), &["gzip", "arm64 Image"]),
        ("Image.zst", zstd(&image), &["zstd", "arm64 Image"]),
        (
            "vmlinuz.efi",
            zboot("gzip", &gzip(&image), &[]),
            &["EFI zboot", "arm64 Image"],
        ),
        (
            "vmlinuz-zstd.efi",
            zboot("zstd", &zstd(&image), &(image.len() as u32).to_le_bytes()),
            &["EFI zboot", "arm64 Image"],
        ),
        (
            "linux.efi",
            unified(0xaa64, &zboot("gzip", &gzip(&image), &[]), b"quiet").assemble(),
            &["unified kernel image", "EFI zboot", "arm64 Image"],
        ),
        (
            "linux-x86.efi",
            unified(0x8664, &bzimage, b"quiet").assemble(),
            &["unified kernel image", "bzImage"],
        ),
        (
            "linux-x86.efi.zst",
            zstd(&unified(0x8664, &gzip(&bzimage), b"quiet").assemble()),
            &["zstd", "unified kernel image", "gzip", "bzImage"],
        ),
    ] {
        let path = files.write(name, &file);
        let (report, status) = inspect(&[&path]);
        assert_eq!(
            (&report["refusal"], status),
            (&Value::Null, Some(0)),
            "{name}"
        );
        assert_eq!(report["formats"], json!(formats), "{name}");
        if report["architecture"] == "arm64" {
            assert_eq!(
                report["version"], "6.12.0-arm (someone@somewhere) #1",
                "{name}"
            );
            assert_eq!(report["needs"]["page_size"], 4096, "{name}");
        }
    }
}

/// What the kernel's build makes of an ELF file, by each compression.
fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let kernel = elf_fixture::vmlinux();
    let with_len = |data: Vec<u8>| [&data[..], &(kernel.len() as u32).to_le_bytes()].concat();
    vec![
        ("gzip", gzip(&kernel)),
        ("zstd", with_len(zstd(&kernel))),
        ("xz", with_len(xz(&kernel))),
        ("lz4", with_len(lz4(&kernel))),
        ("lzo", with_len(lzop(&kernel))),
    ]
}

#[test]
fn the_kernel_in_a_bzimage_is_decompressed() {
    let files = Files::new("payload");
    let check = |name: &str, file: &[u8], arguments: &[&str], when: &str, reason: &str| {
        let path = files.write(name, file);
        let (report, status) = inspect(&[&[&*path], arguments].concat());
        assert_eq!(status, Some(0), "{name}: {report}");
        assert_eq!(report["formats"], json!(["bzImage"]), "{name}");
        assert_eq!(report["decompression"]["when"], when, "{name}");
        let found = report["decompression"]["reason"].as_str();
        assert!(
            found.unwrap_or_default().contains(reason),
            "{name}: {report}"
        );
        assert_eq!(found.is_none(), reason.is_empty(), "{name}: {report}");
    };
    for (name, payload) in payloads() {
        let file = bzimage_with_payload(&payload);
        check(name, &file, &[], "at load", "");
        // 5-level paging is nothing that a file can say; encryption the bzImage has to prepare.
        check(name, &file, &["--append=no5lvl"], "at load", "");
        let option = ["--append=mem_encrypt=on"];
        check(name, &file, &option, "at the crash", "mem_encrypt=on");
    }
    for (payload, reason) in [
        (&b""[..], "does not say where its kernel is"),
        (b"BZh91AY&SY", "bzip2 or LZMA"),
        (b"\x5d\0\0\0\x04 lzma", "bzip2 or LZMA"),
        (b"what is this?", "not known here"),
        (&gzip(b"this is no kernel\n"), "no ELF kernel"),
    ] {
        check(
            "own",
            &bzimage_with_payload(payload),
            &[],
            "at the crash",
            reason,
        );
    }
    // The header of this one says less than the kernel in it needs.
    let huge = elf_fixture::load(7, 0x1000, elf_fixture::START, 0x1000, 4 * GIB);
    let huge = ProgramHeader {
        virtual_address: elf_fixture::START,
        ..huge
    };
    let huge = elf_fixture::with_segments(elf_fixture::X86_64, elf_fixture::START, &[huge]);
    let file = bzimage_with_payload(&gzip(&huge));
    check("huge", &file, &[], "at the crash", "no place");
    // An arm64 kernel has no other one in it.
    let path = files.write("Image", &arm64_image());
    let (report, _) = inspect(&[&path]);
    assert_eq!(
        report["decompression"],
        json!({"when": "none", "reason": null})
    );
}

#[test]
fn a_damaged_kernel_in_a_bzimage_is_refused() {
    let files = Files::new("damaged-payload");
    for (name, payload) in payloads() {
        let mut longer = payload.clone();
        let len = longer.len();
        longer[len - 4] ^= 1;
        let mut changed = payload.clone();
        // In the data: the header of zstd's first block, and of others what has a checksum or, with
        // lz4, says how long something is.
        let place = if name == "zstd" { 12 } else { len / 2 };
        changed[place..place + 9].fill(0xff);
        for (what, payload) in [("longer", longer), ("changed", changed)] {
            let path = files.write(name, &bzimage_with_payload(&payload));
            let (report, status) = inspect(&[&path]);
            assert_eq!(status, Some(1), "{name}, {what}: {report}");
            assert_eq!(report["refusal"]["errno"], "ENOEXEC", "{name}, {what}");
            assert_eq!(report["decompression"], Value::Null, "{name}, {what}");
        }
    }
}

#[test]
fn damaged_packing_is_refused() {
    let files = Files::new("damaged");
    let image = arm64_image();
    let mut damaged = gzip(&image);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    let mut shorter = gzip(&image);
    let len = shorter.len();
    put(
        &mut shorter,
        len - 4,
        &(image.len() as u32 - 1).to_le_bytes(),
    );
    let mut cut = zstd(&image);
    cut.truncate(cut.len() - 7);
    let other_len = zboot("zstd", &zstd(&image), &0x1000_u32.to_le_bytes());
    for (name, file, part) in [
        (
            "damaged",
            damaged,
            "its gzip data are damaged; get it again",
        ),
        ("shorter", shorter, "does not become 0x1fff bytes"),
        ("cut", cut, "its zstd data are damaged; get it again"),
        ("len", other_len, "0x1000"),
        ("text", gzip(b"this is no kernel\n"), "the kernel is text"),
        (
            "nested",
            gzip(&zstd(&image)),
            "in a gzip file there is a zstd file",
        ),
    ] {
        let path = files.write(name, &file);
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(1), "{name}");
        assert!(sentence(&report).contains(part), "{name}: {report}");
        assert_eq!(report["refusal"]["errno"], "ENOEXEC", "{name}");
    }
}
