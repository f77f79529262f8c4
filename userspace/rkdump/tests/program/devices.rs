// SPDX-License-Identifier: GPL-2.0

use std::fs::{
    self,
    File, //
};

use tempfile::tempdir;

use crate::{
    core::Core,
    run,
    stderr,
    stdout, //
};

#[test]
fn a_dump_is_saved_to_a_device_listed_and_extracted() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 500);
    let device = directory.path().join("disk");
    File::create(&device).unwrap().set_len(16 << 20).unwrap();

    let output = run(&[&"save", &core.path, &device]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "it is a file that is there, and not prepared"
    );

    let output = run(&[&"format", &device]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("a dump of 15 MiB"),
        "{}",
        stdout(&output)
    );

    let output = run(&[&"save", &core.path, &device]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = run(&[&"list", &"--json", &device]);
    let contents: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(contents["state"], "complete");
    assert_eq!(contents["release"], "7.3.4-test");

    let dump = directory.path().join("dump");
    let output = run(&[&"extract", &device, &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(core.check(&dump), (true, 500));
    assert_eq!(contents["length"], fs::metadata(&dump).unwrap().len());

    let output = run(&[&"extract", &device, &"-"]);
    assert_eq!(output.stdout, fs::read(&dump).unwrap());

    let output = run(&[&"save", &core.path, &device]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "a dump that is there is not overwritten"
    );
    let output = run(&[&"save", &"-f", &core.path, &device]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_device_that_is_too_small_has_the_first_part() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 9000);
    let device = directory.path().join("disk");
    File::create(&device).unwrap().set_len(8 << 20).unwrap();
    run(&[&"format", &device]);
    let output = run(&[&"save", &core.path, &device]);
    assert_eq!(output.status.code(), Some(3));
    let sentence = stderr(&output);
    assert!(
        sentence.contains("(ENOSPC)") && sentence.contains("marked as incomplete"),
        "{sentence}"
    );
    assert!(stdout(&run(&[&"list", &device])).contains("incomplete"));

    let dump = directory.path().join("dump");
    let output = run(&[&"extract", &device, &dump]);
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    let (complete, found) = core.check(&dump);
    assert!(!complete && found > 1000, "{found}");
}

#[test]
fn a_dump_is_compared_with_its_manifest() {
    let directory = tempdir().unwrap();
    let core = Core::new(directory.path(), 5000);
    let dump = directory.path().join("dump");
    run(&[&"save", &core.path, &dump]);
    let output = run(&[&"verify", &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("5000 can be read"),
        "{}",
        stdout(&output)
    );

    let mut bytes = fs::read(&dump).unwrap();
    let at = bytes.len() - 1000;
    bytes[at] ^= 1;
    fs::write(&dump, bytes).unwrap();
    let output = run(&[&"verify", &"--json", &dump]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let damaged = &report["damaged"][0];
    assert!(damaged[0].as_u64() <= Some(at as u64) && damaged[1].as_u64() > Some(at as u64));

    // The manifest of the dump that was replaced would say that this one is damaged.
    run(&[&"save", &"-f", &"--no-manifest", &core.path, &dump]);
    let output = run(&[&"verify", &dump]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}
