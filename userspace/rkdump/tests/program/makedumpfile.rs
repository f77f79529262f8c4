// SPDX-License-Identifier: GPL-2.0

//! What those who call makedumpfile see of it.

use std::{
    fs,
    path::Path,
    process::{
        Command,
        Output, //
    }, //
};

use tempfile::tempdir;

use crate::{
    core::Core,
    named,
    stderr,
    stdout, //
};

fn makedumpfile(program: &Path, words: &[&str]) -> Output {
    Command::new(program).args(words).output().expect("it runs")
}

#[test]
fn a_dump_is_saved_and_said_to_be() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 100);
    let program = named(directory.path(), "makedumpfile");
    let (vmcore, dump) = (core.path.to_str().unwrap(), directory.path().join("dump"));
    let target = dump.to_str().unwrap();
    let words = [
        "-c",
        "--message-level",
        "7",
        "-d",
        "1",
        "--num-threads=2",
        vmcore,
        target,
    ];
    let output = makedumpfile(&program, &words);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        format!("\nThe dumpfile is saved to {target}.\n\nmakedumpfile Completed.\n")
    );
    assert_eq!(core.check(&dump), (true, 100));

    let output = makedumpfile(&program, &words);
    assert_eq!(
        output.status.code(),
        Some(1),
        "a file that is there is refused"
    );
    assert_eq!(stdout(&output), "\nmakedumpfile Failed.\n");
    assert!(
        stderr(&output).contains("is there already"),
        "{}",
        stderr(&output)
    );

    let output = makedumpfile(
        &program,
        &["--message-level", "0", "-f", "-z", vmcore, target],
    );
    assert_eq!(
        (stdout(&output), stderr(&output)),
        (String::new(), String::new())
    );
}

#[test]
fn parts_become_one_dump_again() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9000);
    let program = named(directory.path(), "makedumpfile");
    let vmcore = core.path.to_str().unwrap();
    let names = ["1", "2", "3", "whole"].map(|name| {
        let path = directory.path().join(name);
        path.to_str().expect("it is text").to_owned()
    });
    let [first, second, third, whole] = names.each_ref().map(String::as_str);
    let split = ["--split", "-c", vmcore, first, second, third];
    assert_eq!(makedumpfile(&program, &split).status.code(), Some(0));

    let output = makedumpfile(&program, &["--reassemble", third, first, second, whole]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(
        stdout(&output),
        format!("\nThe dumpfile is saved to {whole}.\n\nmakedumpfile Completed.\n")
    );
    assert_eq!(core.check(Path::new(whole)), (true, 9000));

    for (words, sentence) in [
        (
            [first, third],
            "a part is missing: no file has the page frames from",
        ),
        ([first, first], "a part was given twice"),
        ([first, vmcore], "vmcore: the file is not kdump-compressed"),
        ([first, whole], "is a part of the dump, which is read while"),
    ] {
        let [one, other] = words;
        let output = makedumpfile(&program, &["--reassemble", "-f", one, other, whole]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(sentence), "{}", stderr(&output));
        assert_eq!(core.check(Path::new(whole)), (true, 9000));
    }
}

#[test]
fn parameters_are_checked_without_a_dump() {
    let directory = tempdir().unwrap();
    let program = named(directory.path(), "makedumpfile");
    let good = [
        "--check-params",
        "-l",
        "-d",
        "31",
        "/none/vmcore",
        "/none/dump",
    ];
    let output = makedumpfile(&program, &good);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
    let bad = ["--check-params", "-l", "-E", "/none/vmcore", "/none/dump"];
    let output = makedumpfile(&program, &bad);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("Commandline parameter is invalid"));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_size_limit_leaves_a_part() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9000);
    let program = named(directory.path(), "makedumpfile");
    let dump = directory.path().join("dump");
    let (vmcore, target) = (core.path.to_str().unwrap(), dump.to_str().unwrap());
    let output = makedumpfile(&program, &["-z", "-L", "6M", vmcore, target]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("marked as incomplete"),
        "{}",
        stderr(&output)
    );
    let (complete, found) = core.check(&dump);
    assert!(!complete && found > 1000, "{found}");
    assert!(fs::metadata(&dump).unwrap().len() <= 6 << 20);
}

#[test]
fn the_version_names_the_codecs() {
    let directory = tempdir().unwrap();
    let program = named(directory.path(), "makedumpfile");
    let output = makedumpfile(&program, &["-v"]);
    assert_eq!(output.status.code(), Some(0));
    for codec in ["lzo", "snappy", "zstd"] {
        assert!(stdout(&output).contains(&format!("{codec}\tenabled\n")));
    }
    assert_eq!(makedumpfile(&program, &["-h"]).status.code(), Some(0));
}

#[test]
fn vmcore_dmesg_says_why_there_is_no_log() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 10);
    let program = named(directory.path(), "vmcore-dmesg");
    let output = makedumpfile(&program, &[core.path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).starts_with("vmcore-dmesg: "),
        "{}",
        stderr(&output)
    );
    assert_eq!(makedumpfile(&program, &[]).status.code(), Some(1));
}

#[test]
fn a_stream_becomes_a_dump() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 5000);
    let program = named(directory.path(), "makedumpfile");
    let (stream, dump) = (
        directory.path().join("stream"),
        directory.path().join("dump"),
    );
    let vmcore = core.path.to_str().unwrap();
    let output = makedumpfile(&program, &["-F", "-c", "-d", "31", vmcore]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(output.stdout.starts_with(b"makedumpfile\0"));
    assert!(
        stderr(&output)
            .ends_with("\nThe dumpfile is saved to STDOUT.\n\nmakedumpfile Completed.\n"),
        "{}",
        stderr(&output)
    );
    fs::write(&stream, &output.stdout).unwrap();
    let output = Command::new(&program)
        .args(["-R", dump.to_str().unwrap()])
        .stdin(fs::File::open(&stream).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(core.check(&dump), (true, 5000));
    // The half of it makes a part.
    let whole = fs::read(&stream).unwrap();
    fs::write(&stream, &whole[..whole.len() / 2]).unwrap();
    let output = Command::new(&program)
        .args(["-R", "-f", dump.to_str().unwrap()])
        .stdin(fs::File::open(&stream).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("ended before"),
        "{}",
        stderr(&output)
    );
    let (complete, _) = core.check(&dump);
    assert!(!complete);
}
