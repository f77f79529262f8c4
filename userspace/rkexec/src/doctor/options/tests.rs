// SPDX-License-Identifier: GPL-2.0

//! Configurations that lack one option, and those that do with another one.

use super::*;

fn every_rule() -> impl Iterator<Item = &'static Rule> {
    [Architecture::X86_64, Architecture::Arm64]
        .into_iter()
        .flat_map(|architecture| {
            [Role::Production, Role::Capture].map(|role| rules(role, architecture))
        })
        .flatten()
}

/// What docs/kernels.md explains, and what is explained here, is the same.
#[test]
fn every_option_is_in_the_document() {
    let document = include_str!("../../../../../docs/kernels.md");
    for rule in every_rule() {
        assert!(
            document.contains(&format!("`{}", rule.name))
                || document.contains(&format!(" {}`", rule.name)),
            "{} is not in docs/kernels.md",
            rule.name
        );
        assert!(rule.enable.contains(rule.name.trim_end_matches("_INFO")));
    }
}

#[test]
fn a_configuration_is_read() {
    let options = Options::parse(
        "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 6.12.117 Kernel Configuration\n\
         CONFIG_X86_64=y\nCONFIG_VIRTIO_BLK=m\n# CONFIG_RUST is not set\nCONFIG_LOCALVERSION=\"-a\"\n",
    );
    assert_eq!(options.version.as_deref(), Some("6.12.117"));
    assert_eq!(options.architecture(), Some(Architecture::X86_64));
    assert!(!options.has("VIRTIO_BLK") && !options.has("RUST"));
}

/// Each option alone, on a kernel that has all others.
#[test]
fn each_option_that_is_missing_has_its_line() {
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        for role in [Role::Production, Role::Capture] {
            let all: Vec<&Rule> = rules(role, architecture).collect();
            for missing in &all {
                let mut text = String::from(
                    "CONFIG_PROC_VMCORE=y\nCONFIG_SERIAL_8250_CONSOLE=y\nCONFIG_CONTIG_ALLOC=y\n",
                );
                for rule in all.iter().filter(|rule| rule.name != missing.name) {
                    text += &format!("CONFIG_{}=y\n", rule.name);
                }
                let judged = judge(role, architecture, "f", &Options::parse(&text));
                let bad: Vec<&Finding> = judged
                    .findings
                    .iter()
                    .filter(|finding| finding.remedy.is_some())
                    .collect();
                assert_eq!(bad.len(), 1, "{}: {bad:?}", missing.name);
                assert!(bad[0].sentence.contains(missing.name));
                assert_eq!(bad[0].is_wrong(), missing.loss == Loss::Dump);
            }
        }
    }
}

#[test]
fn one_of_two_will_do() {
    let all: String = every_rule()
        .filter(|rule| !matches!(rule.name, "RUST" | "MODULES" | "CRASH_DUMP"))
        .map(|rule| format!("CONFIG_{}=y\n", rule.name))
        .collect();
    let wrong = |role, more: &str| {
        let options = Options::parse(&format!("{all}{more}"));
        let judged = judge(role, Architecture::X86_64, "f", &options);
        judged.findings.iter().filter(|one| one.is_wrong()).count()
    };
    let modular = "CONFIG_RUST=y\nCONFIG_MODULES=y\n";
    assert_eq!(wrong(Role::Production, modular), 1);
    assert_eq!(
        wrong(
            Role::Production,
            &format!("{modular}CONFIG_CONTIG_ALLOC=y\n")
        ),
        0
    );
    assert_eq!(wrong(Role::Capture, "CONFIG_CRASH_DUMP=y\n"), 1);
    assert_eq!(
        wrong(Role::Capture, "CONFIG_CRASH_DUMP=y\nCONFIG_PROC_VMCORE=y\n"),
        0
    );
    assert_eq!(
        wrong(Role::Capture, &format!("CONFIG_CRASH_DUMP=y\n{modular}")),
        0
    );
}

#[test]
fn decompressors_are_options() {
    let options = Options::parse("CONFIG_RD_GZIP=y\n");
    assert_eq!(lacks_decompressor(&options, &["none", "gzip"]), None);
    assert_eq!(
        lacks_decompressor(&options, &["none", "zstd"]),
        Some("RD_ZSTD")
    );
}

#[test]
fn the_line_to_paste_has_each_option_once() {
    let of = |role| judge(role, Architecture::X86_64, "f", &Options::parse(""));
    let line = of(Role::Production)
        .enable(&of(Role::Capture))
        .expect("much is missing");
    assert_eq!(line.matches("-e CRASH_DUMP").count(), 1, "{line}");
    assert!(
        line.starts_with("-e MODULES -e RUST -d MODVERSIONS "),
        "{line}"
    );
}
