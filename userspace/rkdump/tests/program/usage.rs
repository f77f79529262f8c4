// SPDX-License-Identifier: GPL-2.0

use crate::{
    golden,
    run,
    stdout, //
};

#[test]
fn help_is_word_for_word() {
    for command in ["", "save", "verify", "format", "list", "extract", "dmesg"] {
        let output = match command {
            "" => run(&[&"--help"]),
            command => run(&[&command, &"--help"]),
        };
        assert_eq!(output.status.code(), Some(0), "{command}");
        let name = match command {
            "" => "help.txt".into(),
            command => format!("help-{command}.txt"),
        };
        golden::assert_output(&name, &stdout(&output));
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for words in [
        &[][..],
        &["frobnicate"],
        &["save"],
        &["save", "/proc/vmcore"],
        &["save", "-d", "32", "/proc/vmcore", "/d"],
        &["save", "--compress", "lz4", "/proc/vmcore", "/d"],
        &["save", "--split", "2", "--flattened", "/proc/vmcore", "/d"],
    ] {
        let words: Vec<&dyn AsRef<std::ffi::OsStr>> = words
            .iter()
            .map(|word| word as &dyn AsRef<std::ffi::OsStr>)
            .collect();
        assert_eq!(run(&words).status.code(), Some(2));
    }
}
