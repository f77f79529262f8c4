// SPDX-License-Identifier: GPL-2.0

//! What `rkexec inspect` says of kernels that the test assembles, packs and signs.

mod compressions;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/image/elf_fixture.rs"]
mod elf_fixture;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/fixture.rs"]
mod fixture;
#[path = "../golden/mod.rs"]
mod golden;
mod kernels;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/signature/pe_fixture.rs"]
mod pe_fixture;
mod signing;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{json, Value};

use compressions::{lz4, lzop, xz};
use kexec_core::types::elf::ProgramHeader;

use fixture::{bzimage_file, bzimage_with_payload, put, GIB, KERNEL_VERSION};
use kernels::{arm64_image, efi_bzimage, gzip, unified, zboot, zstd};
use signing::Signer;

/// A folder of one test's own, for the files that it gives to rkexec.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        std::fs::create_dir_all(&path).expect("the folder can be made");
        Self(path)
    }

    fn write(&self, name: &str, contents: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, contents).expect("the file can be written");
        path.to_str().expect("the path is UTF-8").to_owned()
    }
}

fn rkexec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rkexec"))
        .arg("inspect")
        .args(arguments)
        .output()
        .expect("rkexec runs")
}

/// The report of one file, and the exit status.
fn inspect(arguments: &[&str]) -> (Value, Option<i32>) {
    let output = rkexec(&[arguments, &["--json"]].concat());
    let reports: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (reports[0].clone(), output.status.code())
}

fn sentence(report: &Value) -> &str {
    report["refusal"]["sentence"].as_str().unwrap_or_default()
}

#[test]
fn a_bzimage_says_what_it_is_and_needs() {
    let files = Files::new("bzimage");
    let path = files.write("vmlinuz", &bzimage_file());
    let (report, status) = inspect(&[&path]);
    assert_eq!(status, Some(0));
    assert_eq!(
        report,
        json!({
            "file": path,
            "formats": ["bzImage"],
            "architecture": "x86_64",
            "version": KERNEL_VERSION,
            "needs": {
                "memory_len": 0x80_0000,
                "alignment": "0x200000",
                "alignment_offset": "0x0",
                "from": "0x1000000",
                "command_line_max": 2047,
                "initrd_max": null,
                "boot_protocol": "2.15",
                "above_4g": true,
                "five_level_paging": true,
                "page_size": null,
                "anywhere": null,
            },
            "decompression": {
                "when": "at the crash",
                "reason": "the bzImage's kernel is compressed in a way that is not known here",
            },
            "signature": null,
            "refusal": null,
        })
    );
    let text = rkexec(&[&path]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains(
            "memory        0x800000 bytes (8 MiB) at a multiple of 0x200000 from 0x1000000 on"
        ),
        "{text}"
    );
    assert!(
        text.ends_with("signed        no\nrefused       no\n"),
        "{text}"
    );
}

#[test]
fn reports_are_word_for_word() {
    let files = Files::new("words");
    let signer = Signer::new("CN=a test's own key,O=rust_kexec");
    let signed = signer.sign(&efi_bzimage());
    let mut changed = signed.clone();
    changed[efi_bzimage().len() - 1] ^= 1;
    files.write(
        "vmlinuz",
        &bzimage_with_payload(&gzip(&elf_fixture::vmlinux())),
    );
    files.write("vmlinuz.signed", &signed);
    files.write("vmlinuz.changed", &changed);
    let image = zboot("gzip", &gzip(&arm64_image()), &[]);
    files.write("linux.efi", &unified(0xaa64, &image, b"quiet").assemble());
    files.write("notes", b"this is no kernel\n");
    let all = [
        "vmlinuz",
        "vmlinuz.signed",
        "vmlinuz.changed",
        "linux.efi",
        "notes",
        "missing",
    ];
    for (name, arguments) in [("inspect.txt", &[][..]), ("inspect.json", &["--json"])] {
        let output = Command::new(env!("CARGO_BIN_EXE_rkexec"))
            .current_dir(&files.0)
            .arg("inspect")
            .args(all)
            .args(arguments)
            .output()
            .expect("rkexec runs");
        assert_eq!(output.status.code(), Some(255));
        golden::assert_output(name, &String::from_utf8_lossy(&output.stdout));
    }
}

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

#[test]
fn a_signature_says_who_signed_and_is_compared_with_the_file() {
    let files = Files::new("signed");
    let signer = Signer::new("CN=a test's own key,O=rust_kexec");
    let uki = unified(0x8664, &efi_bzimage(), b"quiet").assemble();
    for (name, unsigned) in [
        ("vmlinuz", efi_bzimage()),
        ("Image", arm64_image()),
        ("uki", uki),
    ] {
        let path = files.write(name, &signer.sign(&unsigned));
        let (report, status) = inspect(&[&path]);
        assert_eq!(
            (status, &report["refusal"]),
            (Some(0), &Value::Null),
            "{name}"
        );
        let signature = &report["signature"];
        assert_eq!(signature["digest_matches"], true);
        assert_eq!(
            signature["signers"],
            json!([{
                "subject": "CN=a test's own key,O=rust_kexec",
                "issuer": "CN=a test's own key,O=rust_kexec",
                "serial": "2a",
                "digest_algorithm": "sha256",
                "not_before": "2024-01-01T00:00:00Z",
                "not_after": "2034-01-01T00:00:00Z",
            }])
        );
        let text = String::from_utf8(rkexec(&[&path]).stdout).unwrap();
        assert!(text.contains("signed by     CN=a test's own key"), "{text}");
        assert!(
            text.contains("contents      is the file that was signed"),
            "{text}"
        );

        // What was signed and then compressed.
        let path = files.write("gz", &gzip(&signer.sign(&unsigned)));
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(0), "{name}");
        assert_eq!(report["signature"]["digest_matches"], true);

        // In the last section, so that nothing else notices.
        let mut changed = signer.sign(&unsigned);
        changed[unsigned.len() - 1] ^= 1;
        let path = files.write(name, &changed);
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(1));
        assert_eq!(report["signature"]["digest_matches"], false);
        assert_eq!(report["refusal"]["errno"], "EKEYREJECTED");
        assert!(sentence(&report).starts_with("the kernel is not the file that was signed"));
    }
}

#[test]
fn a_signature_of_something_else_is_refused() {
    let files = Files::new("other-signature");
    let signer = Signer::new("CN=key");
    let unsigned = efi_bzimage();
    for (name, message, part) in [
        (
            "not-der",
            pe_fixture::der(0x30, b"abc"),
            "the signature cannot be read",
        ),
        (
            "contents",
            signer.message(&pe_fixture::der(0x30, b"")),
            "not an Authenticode digest",
        ),
    ] {
        let path = files.write(name, &signing::attach(&unsigned, &message));
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(1), "{name}");
        assert_eq!(report["refusal"]["errno"], "EBADMSG", "{name}");
        assert!(sentence(&report).contains(part), "{name}: {report}");
    }
}

#[test]
fn initrd_and_command_line_are_tried_along() {
    let files = Files::new("along");
    let kernel = files.write("vmlinuz", &bzimage_file());
    let initrd = files.write("initrd", b"070701 an archive");
    let empty = files.write("empty", b"");
    let long = "x".repeat(2048);
    for (arguments, part) in [
        (vec![&*kernel, "--initrd", &initrd, "--append=quiet"], None),
        (
            vec![&kernel, "--initrd", &empty],
            Some("the initrd is empty"),
        ),
        (vec![&kernel, "--command-line", &long], Some("command line")),
        (vec![&kernel, "--append=elfcorehdr=1"], Some("elfcorehdr=")),
    ] {
        let (report, status) = inspect(&arguments);
        assert_eq!(status, Some(part.is_some().into()), "{report}");
        assert!(
            sentence(&report).contains(part.unwrap_or_default()),
            "{report}"
        );
    }
    let own = unified(0x8664, &efi_bzimage(), long.as_bytes()).assemble();
    let own = files.write("uki", &own);
    assert!(sentence(&inspect(&[&own]).0).contains("command line"));
    assert_eq!(inspect(&[&own, "--append=quiet"]).1, Some(0));
}

#[test]
fn the_exit_status_says_the_worst() {
    let files = Files::new("status");
    let good = files.write("vmlinuz", &bzimage_file());
    let bad = files.write("text", b"#!/bin/sh\n");
    let missing = files.0.join("missing");
    let missing = missing.to_str().unwrap();
    for (arguments, status) in [
        (&[&*good][..], 0),
        (&[&good, &bad], 1),
        (&[&bad, &good], 1),
        (&[&bad, missing], 255),
    ] {
        assert_eq!(
            rkexec(arguments).status.code(),
            Some(status),
            "{arguments:?}"
        );
    }
    // One file that cannot be read keeps nobody from what is known of the others.
    let output = rkexec(&[missing, &good, "--json"]);
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        reports[0]["refusal"],
        json!({
            "sentence": format!("cannot read the kernel {missing}: No such file or directory"),
            "errno": "ENOENT",
        })
    );
    assert_eq!(reports[1]["formats"], json!(["bzImage"]));
    let help = String::from_utf8(rkexec(&["--help"]).stdout).unwrap();
    assert!(help.contains("Exit status: 0"), "{help}");
}
