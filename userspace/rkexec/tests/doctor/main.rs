// SPDX-License-Identifier: GPL-2.0

//! What `rkexec doctor` says of files that the test assembles: initrds, kernels, trees.

#[path = "../estimate/archive.rs"]
mod archive;
#[allow(
    dead_code,
    reason = "shared with the tests of kexec_core, which use all of it"
)]
#[path = "../../../../kexec_core/tests/core/fixture.rs"]
mod fixture;
#[path = "../golden/mod.rs"]
mod golden;
#[allow(dead_code, reason = "shared with the tests of kexec_core")]
#[path = "../../../../kexec_core/tests/core/signature/pe_fixture.rs"]
mod pe_fixture;

use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
    process::{
        Command,
        Output, //
    }, //
};

use kexec_core::types::elf::{
    HEADER_LEN,
    PROGRAM_HEADER_LEN, //
};
use serde_json::Value;

use archive::{
    Archive,
    LINK, //
};
use fixture::bzimage_file;
use pe_fixture::PeFile;

const PROGRAM: u32 = 0o100_755;

/// A folder of one test's own.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("doctor-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("the folder can be made");
        let files = Self(path);
        files.write("vmlinuz", bzimage_file());
        files
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        let folder = path.parent().expect("it has a name");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(path, contents).expect("the file can be written");
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_rkexec"))
            .current_dir(&self.0)
            .arg("doctor")
            .args(arguments)
            .output()
            .expect("rkexec runs")
    }

    /// The grade and the sentence of a line about an initrd, whatever this machine is.
    fn with_initrd(&self, initrd: &[u8], id: &str) -> (String, String) {
        self.write("initrd", initrd);
        self.line(&["--kernel=vmlinuz", "--initrd=initrd"], id)
    }

    /// The grade and the sentence of a line about these files.
    fn line(&self, files: &[&str], id: &str) -> (String, String) {
        let output = self.run(&[&["--boot", "--json"], files].concat());
        let report: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
        let findings = report["findings"].as_array().expect("there are lines");
        let finding = findings.iter().find(|finding| finding["id"] == id);
        let finding = finding.unwrap_or_else(|| panic!("no {id} in {findings:?}"));
        let text = |field: &str| finding[field].as_str().expect("it is text").to_owned();
        (text("grade"), text("sentence"))
    }
}

/// An ELF file whose only segment names this interpreter.
fn interpreted_by(interpreter: &str) -> Vec<u8> {
    let mut file = vec![0; HEADER_LEN + PROGRAM_HEADER_LEN];
    file[..4].copy_from_slice(b"\x7fELF");
    file[32..40].copy_from_slice(&(HEADER_LEN as u64).to_le_bytes());
    file[56..58].copy_from_slice(&1_u16.to_le_bytes());
    let segment = HEADER_LEN;
    file[segment..segment + 4].copy_from_slice(&3_u32.to_le_bytes());
    let at = file.len() as u64;
    file[segment + 8..segment + 16].copy_from_slice(&at.to_le_bytes());
    file.extend(interpreter.bytes());
    file.push(0);
    file
}

#[test]
fn the_first_process_has_to_be_able_to_run() {
    let files = Files::new("init");
    let shell = |archive: Archive| archive.entry("bin/busybox", PROGRAM, b"\x7fELF, and static");
    let script = |archive: Archive| archive.entry("init", PROGRAM, b"#!/bin/sh -e\nexec agent\n");
    let cases = [
        (
            "good",
            "that can run, and a shell",
            shell(script(Archive::default())).entry("bin/sh", LINK, b"busybox"),
        ),
        (
            "wrong",
            "has no /init",
            shell(Archive::default().folder("bin")),
        ),
        (
            "wrong",
            "may not be executed",
            Archive::default().file("init", b"#!/bin/sh\n"),
        ),
        (
            "wrong",
            "needs /bin/sh, which is not in it",
            shell(script(Archive::default())),
        ),
        (
            "wrong",
            "needs /bin/sh, which",
            script(Archive::default()).entry("bin/sh", LINK, b"/bin/none"),
        ),
        (
            "note",
            "but no shell",
            Archive::default().entry("init", PROGRAM, b"\x7fELF, and static"),
        ),
        // As systemd has it.
        (
            "note",
            "but no shell",
            Archive::default()
                .entry("init", LINK, b"usr/lib/systemd/systemd")
                .entry("lib64", LINK, b"usr/lib64")
                .entry(
                    "usr/lib/systemd/systemd",
                    PROGRAM,
                    &interpreted_by("/lib64/ld.so"),
                )
                .entry("usr/lib64/ld.so", LINK, b"../lib/ld.so")
                .entry("usr/lib/ld.so", PROGRAM, b"\x7fELF"),
        ),
        (
            "wrong",
            "needs /lib64/ld.so, which",
            Archive::default().entry("init", PROGRAM, &interpreted_by("/lib64/ld.so")),
        ),
        (
            "good",
            "that can run, and a shell",
            shell(Archive::default())
                .entry("init", PROGRAM, b"#!/usr/bin/sh")
                .entry("usr/bin/sh", LINK, b"/bin/busybox"),
        ),
        // A circle.
        (
            "wrong",
            "has no /init",
            Archive::default()
                .entry("init", LINK, b"/a")
                .entry("a", LINK, b"init"),
        ),
    ];
    for (grade, part, archive) in cases {
        let (found, sentence) = files.with_initrd(&archive.end(), "initrd");
        assert_eq!(found, grade, "{sentence}");
        assert!(sentence.contains(part), "{sentence}");
    }
    let (grade, sentence) = files.with_initrd(b"no archive", "initrd");
    assert_eq!(grade, "wrong");
    assert!(sentence.contains("begin no archive"), "{sentence}");
}

#[test]
fn the_command_line_can_name_the_first_process() {
    let files = Files::new("rdinit");
    files.write(
        "initrd",
        Archive::default()
            .entry("sbin/start", PROGRAM, b"\x7fELF")
            .end(),
    );
    let output = files.run(&[
        "--boot",
        "--kernel=vmlinuz",
        "--initrd=initrd",
        "--command-line=nr_cpus=1 rdinit=/sbin/start",
    ]);
    let text = String::from_utf8(output.stdout).expect("it is text");
    assert!(text.contains("initrd has an /init that can run"), "{text}");
}

#[test]
fn a_unified_image_comes_with_its_initrd() {
    let files = Files::new("unified");
    let own = Archive::default().entry("init", PROGRAM, b"#!/bin/own\n");
    let unified = PeFile {
        sections: vec![(b".linux", bzimage_file()), (b".initrd", own.end())],
        ..PeFile::default()
    };
    files.write("uki", unified.assemble());
    let (_, sentence) = files.line(&["--kernel=uki"], "initrd");
    assert!(
        sentence.contains("in uki has an /init that needs /bin/own"),
        "{sentence}"
    );
    // As a load has it, one that is named takes its place.
    files.write("initrd", Archive::default().end());
    let (_, sentence) = files.line(&["--kernel=uki", "--initrd=initrd"], "initrd");
    assert!(sentence.starts_with("initrd has no /init"), "{sentence}");
}

/// The release that the test's kernel has in its header is no release of a module.
#[test]
fn a_module_for_another_kernel_serves_no_dump() {
    let files = Files::new("vmcore");
    let module = |name: &str, contents: &[u8]| Archive::default().file(name, contents).end();
    let vermagic = b"name=rust_kexec\0vermagic=7.3.4 SMP mod_unload \0";
    for (initrd, part) in [
        (
            module("lib/other.ko", vermagic),
            "the initrd has no rust_kexec.ko",
        ),
        (
            module("lib/rust_kexec.ko", vermagic),
            "rust_kexec.ko is for 7.3.4",
        ),
        (
            module("usr/lib/modules/7.1.0/extra/rust_kexec.ko.xz", b"packed"),
            "rust_kexec.ko is for 7.1.0",
        ),
    ] {
        let (grade, sentence) = files.with_initrd(&initrd, "vmcore");
        assert_eq!(grade, "wrong", "{sentence}");
        assert!(sentence.contains(part), "{sentence}");
    }
    let release = fixture_release(&files);
    let right = format!("vermagic={release} SMP ");
    let (grade, sentence) =
        files.with_initrd(&module("lib/rust_kexec.ko", right.as_bytes()), "vmcore");
    assert_eq!(grade, "good", "{sentence}");
}

/// The release of the test's kernel, as the doctor shows it.
fn fixture_release(files: &Files) -> String {
    let (_, sentence) = files.with_initrd(&Archive::default().end(), "capture-kernel");
    let (_, rest) = sentence.split_once('(').expect("it has a release");
    rest.split(')').next().unwrap_or_default().to_owned()
}

const CONFIGURATION: &str = include_str!("../input/config-debian.txt");

#[test]
fn a_tree_is_told_what_it_lacks() {
    let files = Files::new("tree");
    let mut text = String::new();
    let mut ask = |title: &str, path: &str, code: i32| {
        let output = files.run(&[path]);
        assert_eq!(output.status.code(), Some(code), "{title}");
        let said = [output.stdout, output.stderr].concat();
        text += &format!("# {title}\n{}\n", String::from_utf8_lossy(&said));
    };
    let without = |names: &[&str]| -> String {
        let has = |line: &&str| names.iter().any(|name| *line == format!("CONFIG_{name}=y"));
        CONFIGURATION
            .lines()
            .filter(|line| !has(line))
            .map(|line| format!("{line}\n"))
            .collect()
    };

    files.write("good/.config", CONFIGURATION);
    files.write("good/Module.symvers", "");
    files.write("good/include/config/kernel.release", "6.12.117-amd64\n");
    ask("a tree that was built", "good", 0);
    ask("its configuration alone", "good/.config", 0);

    files.write("young/.config", CONFIGURATION);
    ask("a tree that was not built", "young", 0);
    files.write("old/.config", CONFIGURATION.replace("6.12.117", "6.6.1"));
    files.write("old/Module.symvers", "");
    ask("a tree that is too old", "old", 1);
    files.write(
        "poor/.config",
        without(&["RUST", "CRASH_DUMP", "FUNCTION_TRACER", "RD_ZSTD"]),
    );
    files.write("poor/Module.symvers", "");
    ask("a tree without Rust, CRASH_DUMP and the tracer", "poor", 1);
    files.write("sole/.config", without(&["CRASH_DUMP"]));
    files.write("sole/Module.symvers", "");
    ask("a tree without CRASH_DUMP", "sole", 1);
    files.write(
        "dumb/.config",
        without(&["SERIAL_8250_CONSOLE", "VIRTIO_CONSOLE"]),
    );
    files.write("dumb/Module.symvers", "");
    ask("a tree without a serial console", "dumb", 0);
    files.write("riscv.config", "CONFIG_RISCV=y\n");
    ask("another architecture", "riscv.config", 1);
    files.write("empty/Makefile", "");
    ask("a tree that was not configured", "empty", 255);
    ask("no configuration", "vmlinuz", 255);
    ask("nothing", "none", 255);
    golden::assert_output("doctor-tree.txt", &text);
}

#[test]
fn a_file_that_is_named_has_to_be_there() {
    let files = Files::new("named");
    for option in ["--kernel=none", "--initrd=none"] {
        let output = files.run(&["--boot", option]);
        assert_eq!(output.status.code(), Some(255));
        let sentence = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            sentence.starts_with("rkexec: cannot read none"),
            "{sentence}"
        );
    }
    // A tree is judged by itself.
    assert_eq!(files.run(&["good", "--boot"]).status.code(), Some(2));
}
