// SPDX-License-Identifier: GPL-2.0

//! What becomes of command lines.

use std::{
    fmt::Write,
    path::Path, //
};

use super::{
    request::{
        Parsed,
        Request,
        ARCHITECTURE, //
    },
    *,
};
use crate::golden;

/// Command lines of services, and the peculiarities of getopt_long(3).
const LINES: &str = include_str!("../../tests/input/kexec.txt");

/// The words of a command line; those between quotes are one.
fn words_of(line: &str) -> Vec<OsString> {
    let mut quoted = false;
    line.split(|character| {
        quoted ^= character == '\'';
        character == ' ' && !quoted
    })
    .filter(|word| !word.is_empty())
    .map(|word| word.replace('\'', "").into())
    .collect()
}

fn said(request: &Request) -> String {
    let steps = request.steps;
    let mut text = String::new();
    let all = [
        (steps.print_region, "print the region's size"),
        (steps.status, "say whether one is loaded"),
        (steps.unload, "unload"),
        (steps.load, "load"),
        (steps.shut_down, "shut down"),
        (steps.sync, "sync"),
        (steps.enter, "enter"),
    ];
    let done = all.iter().filter(|(is, _)| *is).map(|(_, words)| *words);
    let kind = match request.for_crash {
        true => "for a panic",
        false => "for a reboot",
    };
    let done: Vec<_> = done.collect();
    let _ = writeln!(text, "  {}: {}", kind, done.join(", "));
    let path =
        |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    for (name, value) in [
        ("kernel", path(&request.kernel)),
        ("initrd", path(&request.initrd)),
        ("type", request.kernel_type.clone()),
        (
            "command line",
            request.command_line.as_ref().map(|line| {
                let line = line.to_string_lossy();
                let reused = if request.reuse_cmdline {
                    "the running one's, then "
                } else {
                    ""
                };
                format!("{reused}{line}")
            }),
        ),
    ] {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name}: {value}");
        }
    }
    for note in &request.notes {
        let _ = writeln!(text, "  note: {note}");
    }
    text
}

#[test]
fn command_lines_are_read_as_kexec_reads_them() {
    // The options are those of one architecture.
    if ARCHITECTURE != kexec_core::types::elf::Architecture::X86_64 {
        return;
    }
    let mut text = String::new();
    for line in LINES.lines() {
        let _ = writeln!(text, "kexec {line}");
        text += &match Request::parse(words_of(line)) {
            Ok(Parsed::Help) => "  help\n".into(),
            Ok(Parsed::Version) => "  version\n".into(),
            Ok(Parsed::Request(request)) => said(&request),
            Err(wrong) => format!("  exit {}: {}\n", wrong.status, wrong.sentence),
        };
    }
    golden::assert_output("kexec.txt", &text);
    golden::assert_output("kexec-help.txt", &options::help(ARCHITECTURE));
}

#[test]
fn names_and_letters_are_given_once() {
    for architecture in [
        kexec_core::types::elf::Architecture::X86_64,
        kexec_core::types::elf::Architecture::Arm64,
    ] {
        let known: Vec<_> = options::on(architecture).collect();
        for (index, one) in known.iter().enumerate() {
            for other in &known[index + 1..] {
                assert_ne!(one.name, other.name);
                assert!(
                    one.letter.is_none() || one.letter != other.letter,
                    "{one:?}"
                );
            }
        }
    }
}

#[test]
fn the_name_decides_who_is_called() {
    let called = |all: &[&str]| words(all.iter().map(OsString::from));
    assert_eq!(called(&["/sbin/kexec", "-S"]), Some(vec!["-S".into()]));
    assert_eq!(
        called(&["rkexec", "--compat", "-S"]),
        Some(vec!["-S".into()])
    );
    assert_eq!(called(&["rkexec", "-S"]), None);
    assert_eq!(called(&["/usr/bin/rkexec", "-p", "--compat"]), None);
    assert!(Path::new(NAME).is_relative());
}
