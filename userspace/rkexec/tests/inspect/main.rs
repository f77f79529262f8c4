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
mod packing;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/signature/pe_fixture.rs"]
mod pe_fixture;
mod signatures;
mod signing;

use std::{
    path::{
        Path,
        PathBuf, //
    },
    process::{
        Command,
        Output, //
    }, //
};

use serde_json::{
    json,
    Value, //
};

use fixture::{
    bzimage_file,
    bzimage_with_payload,
    KERNEL_VERSION, //
};
use kernels::{
    arm64_image,
    efi_bzimage,
    gzip,
    unified,
    zboot, //
};
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
