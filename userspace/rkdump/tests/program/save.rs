// SPDX-License-Identifier: GPL-2.0

use std::{
    fs,
    os::unix::fs::{
        MetadataExt,
        PermissionsExt, //
    },
    thread, //
};

use tempfile::tempdir;

use crate::{
    core::Core,
    run,
    stderr,
    stdout, //
};

#[test]
fn every_codec_keeps_every_page() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 5000);
    for codec in ["zstd", "zlib", "lzo", "snappy", "none"] {
        for threads in ["1", "3"] {
            let dump = directory.path().join(format!("{codec}-{threads}"));
            let output = run(&[
                &"save",
                &"--compress",
                &codec,
                &"--threads",
                &threads,
                &core.path,
                &dump,
            ]);
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert_eq!(core.check(&dump), (true, 5000), "{codec}");
            assert!(fs::metadata(&dump).unwrap().len() < core.memory.len() as u64);
        }
    }
}

#[test]
fn only_the_owner_reads_a_dump() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 10);
    let dump = directory.path().join("dump");
    run(&[&"save", &core.path, &dump]);
    assert_eq!(
        fs::metadata(&dump).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_file_that_is_there_is_refused_without_force() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 10);
    let dump = directory.path().join("dump");
    fs::write(&dump, "precious").unwrap();
    let output = run(&[&"save", &core.path, &dump]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("is there already"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read(&dump).unwrap(), b"precious");
    let output = run(&[&"save", &"-f", &core.path, &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(core.check(&dump), (true, 10));
}

#[test]
fn a_directory_gets_a_directory_with_the_time_as_its_name() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 10);
    let collection = directory.path().join("crash");
    fs::create_dir(&collection).unwrap();
    for _ in 0..2 {
        let output = run(&[&"save", &core.path, &collection]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        // This core has no page tables, by which the log would be found.
        assert!(
            stderr(&output).contains("log is not saved"),
            "{}",
            stderr(&output)
        );
    }
    let made: Vec<_> = fs::read_dir(&collection)
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    assert_eq!(made.len(), 2, "of one minute or of two");
    for entry in made {
        let stamp = entry.file_name().into_string().unwrap();
        assert!(stamp.starts_with("20") && stamp.len() >= 12, "{stamp}");
        assert_eq!(
            core.check(&entry.path().join(format!("dump.{stamp}"))),
            (true, 10)
        );
    }
}

#[test]
fn parts_have_the_whole_dump_together() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9000);
    let target = directory.path().join("dump");
    let output = run(&[&"save", &"--split", &"2", &core.path, &target]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let parts = ["dump-1", "dump-2"].map(|name| core.check(&directory.path().join(name)));
    assert!(
        parts
            .iter()
            .all(|(complete, found)| *complete && *found > 0),
        "{parts:?}"
    );
    assert_eq!(parts[0].1 + parts[1].1, 9000);
}

#[test]
fn an_estimate_writes_nothing_and_is_near() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9000);
    let dump = directory.path().join("dump");
    let output = run(&[&"save", &"--dry-run", &"--json", &core.path, &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(!dump.exists());
    let estimate: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let estimate = estimate["bytes"].as_f64().unwrap();
    run(&[&"save", &core.path, &dump]);
    let ratio = estimate / fs::metadata(&dump).unwrap().len() as f64;
    assert!((0.95..1.05).contains(&ratio), "{ratio}");
}

#[test]
fn what_was_saved_is_told_as_json() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 16);
    let dump = directory.path().join("dump");
    let output = run(&[&"save", &"--json", &"-d", &"1", &core.path, &dump]);
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(report["targets"][0], dump.display().to_string());
    assert_eq!(report["release"], "7.3.4-test");
    assert_eq!(report["kept_pages"], 16);
    assert_eq!(report["shared_pages"], 4);
    assert_eq!(report["bytes"], fs::metadata(&dump).unwrap().len());
    assert_eq!(stderr(&output), "");
}

#[test]
fn what_is_no_dump_is_refused_before_a_file_is_made() {
    let directory = tempdir().unwrap();
    let vmcore = directory.path().join("vmcore");
    let dump = directory.path().join("dump");
    for contents in [&b""[..], b"\x7fELF", &[0; 5000]] {
        fs::write(&vmcore, contents).unwrap();
        let output = run(&[&"save", &vmcore, &dump]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).starts_with("rkdump: "),
            "{}",
            stderr(&output)
        );
        assert!(!dump.exists());
    }
    let output = run(&[&"save", &directory.path().join("none"), &dump]);
    assert!(stderr(&output).contains("(ENOENT)"), "{}", stderr(&output));
}

#[test]
fn a_named_pipe_and_the_null_device_get_a_stream() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 100);
    let pipe = directory.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let reader = thread::spawn({
        let pipe = pipe.clone();
        || fs::read(pipe).unwrap()
    });
    let output = run(&[&"save", &core.path, &pipe]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(reader.join().unwrap().starts_with(b"makedumpfile\0"));

    let output = run(&[&"save", &core.path, &"/dev/null"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let others = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(others, 2, "there is no manifest of a pipe");
}

#[test]
fn standard_output_is_written_as_it_can_be() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 100);
    let dump = directory.path().join("dump");
    let mut command = crate::rkdump();
    command
        .args(["save"])
        .args([&core.path, std::path::Path::new("-")]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        output.stdout.starts_with(b"makedumpfile\0"),
        "a pipe gets a stream"
    );

    let file = fs::File::create(&dump).unwrap();
    let status = command.stdout(file).status().unwrap();
    assert!(status.success());
    assert_eq!(
        core.check(&dump),
        (true, 100),
        "a file gets the dump itself"
    );

    let appended = directory.path().join("appended");
    for times in 1..3 {
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(&appended)
            .unwrap();
        let before = fs::metadata(&appended).unwrap().len() as usize;
        assert!(command.stdout(file).status().unwrap().success());
        let all = fs::read(&appended).unwrap();
        assert!(
            all[before..].starts_with(b"makedumpfile\0"),
            "{times} times"
        );
    }
}

#[test]
fn an_elf_core_has_every_page_and_holes_for_zeros() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 3000);
    let dump = directory.path().join("dump");
    let output = run(&[&"save", &"--format", &"elf", &"-d", &"1", &core.path, &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(core.check_elf(&dump), (true, 3000));
    let metadata = fs::metadata(&dump).unwrap();
    assert!(
        metadata.blocks() * 512 < metadata.len() * 7 / 8,
        "a fourth of it is zeros"
    );
}
