// SPDX-License-Identifier: GPL-2.0

//! What `rkexec estimate` says of initrds that the test assembles and packs.

mod archive;
#[allow(dead_code, reason = "shared with the tests of rkexec inspect")]
#[path = "../inspect/compressions.rs"]
mod compressions;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/fixture.rs"]
mod fixture;
#[path = "../golden/mod.rs"]
mod golden;

use std::{
    io::Write,
    path::{
        Path,
        PathBuf, //
    },
    process::{
        Command,
        Output, //
    }, //
};

use flate2::{
    write::GzEncoder,
    Compression, //
};
use ruzstd::encoding::{
    compress_to_vec,
    CompressionLevel, //
};
use serde_json::Value;

use archive::{
    Archive,
    LINK, //
};
use compressions::{
    lz4,
    lzop,
    xz, //
};
use fixture::bzimage_file;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A folder of one test's own, for the files that it gives to rkexec.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("estimate-{test}"));
        std::fs::create_dir_all(&path).expect("the folder can be made");
        let files = Self(path);
        files.write("vmlinuz", &bzimage_file());
        files
    }

    fn write(&self, name: &str, contents: &[u8]) {
        std::fs::write(self.0.join(name), contents).expect("the file can be written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rkexec"))
            .current_dir(&self.0)
            .args(["estimate", "vmlinuz"])
            .args(arguments)
            .output()
            .expect("rkexec runs")
    }

    fn estimate(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The parts for an initrd with these contents.
    fn with_initrd(&self, contents: &[u8]) -> Value {
        self.write("initrd", contents);
        self.estimate(&["--initrd=initrd", "--cpus=1"])
    }

    /// The sentence that an initrd with these contents is refused with.
    fn refusal(&self, contents: &[u8]) -> String {
        self.write("initrd", contents);
        let output = self.run(&["--initrd=initrd", "--cpus=1"]);
        assert_eq!(output.status.code(), Some(1));
        assert!(output.stdout.is_empty());
        String::from_utf8(output.stderr).expect("it is text")
    }
}

/// A part's bytes while the initrd is unpacked.
fn part(report: &Value, name: &str) -> u64 {
    let parts = report["parts"].as_array().expect("there are parts");
    let found = parts.iter().find(|part| part["name"] == name);
    found.map_or(0, |part| part["unpacking"].as_u64().expect("a number"))
}

fn gzip(contents: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

fn zstd(contents: &[u8]) -> Vec<u8> {
    compress_to_vec(contents, CompressionLevel::Fastest)
}

/// An archive with a file of this many bytes in a folder.
fn with_file(name: &str, len: usize) -> Vec<u8> {
    Archive::default()
        .folder("bin")
        .file(name, &vec![0x5a; len])
        .end()
}

#[test]
fn every_compression_is_unpacked() {
    let files = Files::new("compressions");
    let archive = with_file("bin/busybox", 70_000);
    for (name, initrd, window) in [
        ("none", archive.clone(), 0),
        ("gzip", gzip(&archive), 0),
        // The dictionary that the test's own header asks for.
        ("xz", xz(&archive), 8 * MIB),
        ("lz4", lz4(&archive), 8 * MIB),
    ] {
        let report = files.with_initrd(&initrd);
        // 18 pages, and two nodes.
        let expected = 18 * 4096 + 2 * KIB;
        assert_eq!(part(&report, "initrd's files"), expected, "{name}");
        assert_eq!(part(&report, "decompressor"), window, "{name}");
        assert_eq!(
            part(&report, "packed initrd"),
            initrd.len() as u64,
            "{name}"
        );
        assert!(report.to_string().contains(&format!("the file ({name})")));
    }
    let report = files.with_initrd(&zstd(&archive));
    assert_eq!(part(&report, "initrd's files"), 18 * 4096 + 2 * KIB);
    assert!(part(&report, "decompressor") >= KIB);
}

#[test]
fn archives_follow_one_another() {
    let files = Files::new("several");
    let early = with_file("kernel/x86/microcode/GenuineIntel.bin", 4097);
    for packed in [gzip, xz, lz4, zstd] {
        // With zeros between them, as tools pad archives.
        let initrd = [
            &early[..],
            &[0; 512],
            &packed(&with_file("bin/sh", 1)),
            &packed(&with_file("bin/agent", 8192)),
            &[0; 7],
        ];
        let report = files.with_initrd(&initrd.concat());
        assert_eq!(
            part(&report, "initrd's files"),
            (2 + 1 + 2) * 4096 + 4 * KIB
        );
    }
}

#[test]
fn a_file_that_comes_twice_is_there_once() {
    let files = Files::new("twice");
    let initrd = [with_file("./bin/sh", 9000), with_file("bin/sh", 100)].concat();
    let report = files.with_initrd(&initrd);
    assert_eq!(part(&report, "initrd's files"), 4096 + 2 * KIB);
}

#[test]
fn what_has_no_contents_has_a_node_alone() {
    let files = Files::new("nodes");
    let archive = Archive::default()
        .file("empty", b"")
        .entry("short", LINK, b"target")
        .entry("long", LINK, &[b'x'; 200])
        .end();
    let report = files.with_initrd(&archive);
    assert_eq!(part(&report, "initrd's files"), 4096 + 3 * KIB);
}

#[test]
fn a_damaged_initrd_is_refused_with_a_sentence() {
    let files = Files::new("damaged");
    let archive = with_file("bin/sh", 10_000);
    let packed = gzip(&archive);
    let odd = [&b"070707"[..], &[b'0'; 200]].concat();
    let after = gzip(&[&archive[..], b"junk"].concat());
    for (contents, part) in [
        (&b""[..], "is empty"),
        (b"nonsense", "begin no archive"),
        (&archive[..300], "ends within a file"),
        (&packed[..packed.len() / 2], "ends within a file"),
        (&odd, "old format"),
        (&after, "something else than archives"),
        (&[b"\0", &archive[..]].concat(), "archive at offset 0x1"),
        (b"BZh9", "compressed by bzip2"),
        (&lzop(&archive), "compressed by lzop"),
        (&xz(&archive)[..5000], "cannot be decompressed"),
        (&lz4(&archive)[..30], "cannot be decompressed"),
    ] {
        let sentence = files.refusal(contents);
        assert!(
            sentence.starts_with("rkexec: the initrd initrd ") && sentence.contains(part),
            "{part}: {sentence}"
        );
    }
}

#[test]
fn the_command_line_changes_the_estimate() {
    let files = Files::new("line");
    files.write("initrd", &with_file("bin/large", 30 << 20));
    let mut knowing = bzimage_file();
    knowing.extend(b"\0initramfs_options=\0");
    knowing.resize(knowing.len().next_multiple_of(16), 0);
    files.write("vmlinuz", &knowing);
    let estimate = |line: &str| {
        let line = format!("--append={line}");
        let report = files.estimate(&["--initrd=initrd", "--cpus=64", &line]);
        report["crashkernel"].as_u64().expect("a number")
    };
    let usual = estimate("nr_cpus=1");
    assert!(estimate("quiet") > usual);
    assert!(estimate("nr_cpus=1 initramfs_options=size=90%") < usual);
    assert!(estimate("nr_cpus=1 root=/dev/vda1") < usual);

    let output = files.run(&["--initrd=initrd", "--append=initramfs_options=size=16M"]);
    assert_eq!(output.status.code(), Some(1));
    let sentence = String::from_utf8_lossy(&output.stderr);
    assert!(sentence.contains("initramfs_options="), "{sentence}");
    assert!(sentence.ends_with("(EINVAL)\n"), "{sentence}");

    // A kernel that does not know the parameter ignores it.
    files.write("vmlinuz", &bzimage_file());
    assert_eq!(estimate("nr_cpus=1 initramfs_options=size=90%"), usual);
}

#[test]
fn a_file_that_is_no_kernel_is_refused_as_a_load_refuses_it() {
    let files = Files::new("no-kernel");
    files.write("vmlinuz", b"#!/bin/sh\n");
    let output = files.run(&["--cpus=1"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "rkexec: the kernel is text: give the kernel, which is a binary file below /boot (ENOEXEC)\n"
    );
}

#[test]
fn estimates_are_word_for_word() {
    let files = Files::new("words");
    files.write("initrd", &gzip(&with_file("bin/large", 30 << 20)));
    for (name, arguments) in [("estimate.txt", &[][..]), ("estimate.json", &["--json"])] {
        let given = ["--initrd=initrd", "--cpus=16", "--append=nr_cpus=1"];
        let output = files.run(&[&given, arguments].concat());
        assert_eq!(output.status.code(), Some(0));
        golden::assert_output(name, &String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn what_cannot_be_booted_is_not_measured() {
    let files = Files::new("measure");
    files.write("initrd", &with_file("bin/busybox", 10));
    for (given, sentence) in [
        (
            "--append=quiet",
            "rkexec: there is no initrd to boot the kernel with: give it with --initrd\n",
        ),
        (
            "--initrd=initrd",
            "rkexec: the initrd has no /init, which the kernel would start: without it the kernel looks for a \
             root file system on this machine's disks, which the guest has not\n",
        ),
    ] {
        let output = files.run(&[given, "--cpus=1", "--measure"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(String::from_utf8_lossy(&output.stderr), sentence);
    }
}
