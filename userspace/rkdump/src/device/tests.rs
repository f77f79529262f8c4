// SPDX-License-Identifier: GPL-2.0

use std::{
    fs,
    io::Write, //
};

use super::{
    header::State,
    *, //
};
use dumpfile::target::Target;

/// A file of 16 MiB in place of a device.
struct Disk(PathBuf);

impl Disk {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rkdump-{name}-{}", std::process::id()));
        File::create(&path).unwrap().set_len(16 << 20).unwrap();
        Self(path)
    }

    fn open(&self) -> Device {
        Device::open(&self.0, true).unwrap()
    }

    fn write(&self, at: u64, bytes: &[u8]) {
        self.open().file.write_all_at(bytes, at).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_dump_is_found_again() {
    let disk = Disk::new("found");
    assert!(!is_device(&disk.0));
    assert_eq!(prepare(&disk.open(), false), Ok(15 << 20));
    assert!(is_device(&disk.0));
    assert_eq!(disk.open().header().unwrap().state, State::Empty);

    let target = DeviceTarget::begin(disk.open(), false, "7.3.4", None).unwrap();
    target.write_at(4096, b"later").unwrap();
    target.write_at(0, b"first").unwrap();
    let header = disk.open().header().unwrap();
    assert_eq!(header.state, State::Incomplete);
    assert!(
        header.dump_len >= 4101,
        "the part can be copied: {header:?}"
    );

    target.complete().unwrap();
    let header = disk.open().header().unwrap();
    assert_eq!((header.state, header.dump_len), (State::Complete, 4101));
    assert_eq!(header.release, "7.3.4");
    let mut bytes = [0; 16];
    assert_eq!(disk.open().read_at(&header, &mut bytes, 4096).unwrap(), 5);
    assert_eq!(&bytes[..5], b"later");
}

#[test]
fn a_device_with_a_dump_is_refused() {
    let disk = Disk::new("refused");
    prepare(&disk.open(), false).unwrap();
    DeviceTarget::begin(disk.open(), false, "7.3.4", None).unwrap();
    let failure = DeviceTarget::begin(disk.open(), false, "7.3.4", None).unwrap_err();
    assert!(
        failure.to_string().contains("has a dump of 20"),
        "{failure}"
    );
    DeviceTarget::begin(disk.open(), true, "7.3.4", None).unwrap();
    prepare(&disk.open(), false).unwrap();
    DeviceTarget::begin(disk.open(), false, "7.3.4", None).unwrap();
}

#[test]
fn a_device_that_was_not_prepared_is_refused() {
    let disk = Disk::new("unprepared");
    let failure = DeviceTarget::begin(disk.open(), true, "", None).unwrap_err();
    assert!(
        failure.to_string().contains("was not prepared"),
        "{failure}"
    );
}

#[test]
fn what_is_on_a_device_is_not_lost_unasked() {
    for at in [0x438, (16 << 20) - 4096] {
        let disk = Disk::new("used");
        disk.write(at, b"\x53");
        let failure = prepare(&disk.open(), false).unwrap_err();
        assert!(
            failure
                .to_string()
                .contains(&format!("something at {at:#x}")),
            "{failure}"
        );
        assert!(disk.open().header().is_err());
        prepare(&disk.open(), true).unwrap();
    }
}

#[test]
fn a_torn_header_leaves_the_one_before() {
    let disk = Disk::new("torn");
    prepare(&disk.open(), false).unwrap();
    let before = disk.open().header().unwrap();
    DeviceTarget::begin(disk.open(), false, "7.3.4", None).unwrap();
    let after = disk.open().header().unwrap();
    assert_eq!(after.generation, before.generation + 1);
    disk.write(SLOTS[(after.generation % 2) as usize] + 100, b"torn");
    assert_eq!(disk.open().header().unwrap(), before);
}

#[test]
fn a_full_device_says_so_and_keeps_what_is_there() {
    let disk = Disk::new("full");
    prepare(&disk.open(), false).unwrap();
    let target = DeviceTarget::begin(disk.open(), false, "", None).unwrap();
    target.clear(0, 15 << 20).unwrap();
    let error = target.write_at(15 << 20, b"x").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(target.write_at(u64::MAX, b"xx").is_err());
    assert_eq!(target.size(), 15 << 20);
}

#[test]
fn a_device_that_became_shorter_is_refused() {
    let disk = Disk::new("shorter");
    prepare(&disk.open(), false).unwrap();
    File::options()
        .write(true)
        .open(&disk.0)
        .unwrap()
        .set_len(8 << 20)
        .unwrap();
    assert!(disk
        .open()
        .header()
        .unwrap_err()
        .to_string()
        .contains("has 8388608 now"));
}

#[test]
fn a_small_device_is_refused() {
    let disk = Disk::new("small");
    File::create(&disk.0)
        .unwrap()
        .write_all(&[0; 4096])
        .unwrap();
    assert!(prepare(&disk.open(), true)
        .unwrap_err()
        .to_string()
        .contains("has 4096 bytes"));
}
