// SPDX-License-Identifier: GPL-2.0

//! What is there when a dump does not come to its end.

use std::{
    fs,
    io::Read,
    process::{
        Child,
        Command,
        Stdio, //
    },
    thread,
    time::Duration, //
};

use nix::{
    sys::signal::{
        kill,
        Signal, //
    },
    unistd::Pid, //
};
use tempfile::tempdir;

use crate::{
    core::Core,
    rkdump,
    run,
    stderr, //
};

/// A dump whose saving takes some hundred milliseconds.
fn start(core: &Core, dump: &std::path::Path) -> Child {
    rkdump()
        .args([
            "save",
            "-f",
            "--compress",
            "zlib",
            "--level",
            "9",
            "--threads",
            "2",
        ])
        .args([&core.path, dump])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("rkdump runs")
}

fn signal(child: &Child, signal: Signal) {
    // It may have ended already, which is as good.
    let _ = kill(Pid::from_raw(child.id() as i32), signal);
}

/// Waits until the file has some of its pages.
fn wait_for_pages(dump: &std::path::Path) {
    while fs::metadata(dump).map_or(0, |file| file.len()) < 2 << 20 {
        thread::yield_now();
    }
}

/// Whether the file begins as a dump does. Its header is written once the file is as long as that says.
fn has_a_header(dump: &std::path::Path) -> bool {
    let mut signature = [0; 8];
    let read = fs::File::open(dump).and_then(|mut file| file.read_exact(&mut signature));
    read.is_ok() && signature == *b"KDUMP   "
}

#[test]
fn a_dump_that_is_killed_opens_and_is_marked() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 20_000);
    let dump = directory.path().join("dump");
    let mut parts = 0;
    for moment in 0..20 {
        let mut child = start(&core, &dump);
        if moment % 2 == 0 {
            wait_for_pages(&dump);
        }
        // Not to wait for something, but to hit another moment each time.
        thread::sleep(Duration::from_micros(moment * 1_700));
        signal(&child, Signal::SIGKILL);
        let status = child.wait().unwrap();
        if !has_a_header(&dump) {
            continue;
        }
        let (complete, found) = core.check(&dump);
        assert_eq!(complete, status.success(), "{found} pages after {moment}");
        if complete {
            assert_eq!(found, core.pages());
        }
        parts += usize::from(!complete && found > 0);
        let output = run(&[&"verify", &dump]);
        let expected = if complete { 0 } else { 3 };
        assert_eq!(output.status.code(), Some(expected), "{}", stderr(&output));
        fs::remove_file(&dump).unwrap();
    }
    assert!(parts > 0, "no moment was between the begin and the end");
}

#[test]
fn a_dump_that_is_to_stop_says_what_is_there() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 20_000);
    let dump = directory.path().join("dump");
    let child = start(&core, &dump);
    wait_for_pages(&dump);
    signal(&child, Signal::SIGTERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let sentence = stderr(&output);
    assert!(sentence.contains("stopped by SIGTERM"), "{sentence}");
    assert!(sentence.contains("marked as incomplete"), "{sentence}");
    let (complete, found) = core.check(&dump);
    assert!(!complete && found > 0, "{found}");
    let output = run(&[&"verify", &dump]);
    assert_eq!(
        output.status.code(),
        Some(3),
        "what is there is as it was written: {}",
        stderr(&output)
    );
}

#[test]
fn a_limit_on_files_is_told_as_a_full_disk_is() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9_000);
    let dump = directory.path().join("dump");
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "ulimit -f 8192; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_rkdump"),
        "save",
    ]);
    let output = command.args([&core.path, &dump]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(stderr(&output).contains("(EFBIG)"), "{}", stderr(&output));
    let (complete, found) = core.check(&dump);
    assert!(!complete && found > 0, "{found}");
}

#[test]
fn a_target_that_takes_nothing_leaves_nothing() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 10);
    let output = run(&[&"save", &core.path, &"/dev/full"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("(ENOSPC)"), "{}", stderr(&output));
    let output = run(&[&"save", &core.path, &directory.path().join("none/dump")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("(ENOENT)"), "{}", stderr(&output));
}

#[test]
fn a_reader_that_goes_away_is_said_to() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 5_000);
    let mut child = rkdump()
        .args(["save", "--flattened"])
        .args([&core.path, std::path::Path::new("-")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut bytes = vec![0; 1 << 20];
    std::io::Read::read_exact(&mut pipe, &mut bytes).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("standard output: Broken pipe (EPIPE)"),
        "{}",
        stderr(&output)
    );
}
