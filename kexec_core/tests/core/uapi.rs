// SPDX-License-Identifier: GPL-2.0

//! Structures of other versions.

use kexec_core::{
    error::Error,
    types::errno::Errno,
    uapi::{
        LoadRequest,
        Protection,
        RegionFile,
        RegionHolder,
        RegionRecord,
        RegionSource,
        Status,
        Structure,
        StructureError,
        UnloadRequest,
        STRUCTURE_LEN_MAX, //
    }, //
};

fn every_length_from_the_first_versions_on<T: Structure>() {
    let first = T::FIRST_LEN as u32;
    for len in [first, first + 1, STRUCTURE_LEN_MAX as u32] {
        assert_eq!(T::check_len(len), Ok(()));
    }
    assert!(size_of::<T>() >= T::FIRST_LEN, "a structure only grows");
    for found in [0, first - 1] {
        let error = StructureError::TooShort {
            found,
            first: T::FIRST_LEN,
        };
        assert_eq!(T::check_len(found), Err(error));
    }
    for found in [STRUCTURE_LEN_MAX as u32 + 1, u32::MAX] {
        assert_eq!(T::check_len(found), Err(StructureError::TooLong { found }));
    }
}

#[test]
fn structures_may_be_longer_but_not_shorter_than_in_the_first_version() {
    every_length_from_the_first_versions_on::<LoadRequest>();
    every_length_from_the_first_versions_on::<UnloadRequest>();
    every_length_from_the_first_versions_on::<Status>();
}

#[test]
fn the_errnos_are_those_of_the_kernels_system_calls() {
    let (found, known) = (80, 72);
    let unknown = StructureError::Unknown { found, known };
    assert_eq!(unknown.errno(), Errno::TooBig);
    assert_eq!(StructureError::TooLong { found }.errno(), Errno::TooBig);
    let short = StructureError::TooShort { found, first: 81 };
    assert_eq!(short.errno(), Errno::Inval);
    assert_eq!(
        Error::from(unknown).to_string(),
        "the request asks for something that this module is too old to know: it is 80 bytes long, \
         and what follows the first 72 is not zero: use rust_kexec.ko of rkexec's version, or \
         leave out the newest option"
    );
}

/// The file's text, for a status.
fn said(file: RegionFile, status: &Status) -> String {
    let mut text = String::new();
    file.write(status, &mut text).unwrap();
    text
}

#[test]
fn files_about_the_region_have_one_value() {
    let record = |start, len| RegionRecord { start, len };
    let mut status = Status {
        armed: 1,
        segment_count: 2,
        region: record(0x1_4000_0000, 0x1000_0000),
        source: RegionSource::Named as u32,
        holder: RegionHolder::Module as u32,
        protection: Protection::ReadOnly as u32,
        more_region_count: 2,
        ..Status::default()
    };
    status.more_regions[..3].copy_from_slice(&[
        record(0x4000_0000, 0x10_0000),
        record(0x5000_0000, 0x20_0000),
        // Not valid: it is not counted.
        record(0x6000_0000, 0x40_0000),
    ]);
    for (segment, (start, memory_len)) in status
        .segments
        .iter_mut()
        .zip([(0x1_4100_0000, 0x1000), (0x1_4080_0000, 0x2000)])
    {
        (segment.start, segment.memory_len) = (start, memory_len);
    }
    let all = |status: &Status| {
        RegionFile::ALL
            .map(|file| {
                let name = file.name().to_str().unwrap();
                format!("{name}={}", said(file, status))
            })
            .concat()
    };
    assert_eq!(
        all(&status),
        "source=region=\nrange=0x140000000-0x150000000\n\
         more=0x40000000-0x40100000 0x50000000-0x50200000\nshared=none\nsize=271581184\nused=8392704\n\
         free=260042752\nholder=rust_kexec\nwrite_protected=1\n"
    );
    assert_eq!(
        all(&Status::default()),
        "source=none\nrange=none\nmore=none\nshared=none\nsize=0\nused=0\nfree=0\nholder=none\n\
         write_protected=0\n"
    );
    // crashkernel=,high has its low region besides.
    status.low_region = record(0x3000_0000, 0x1000);
    assert!(said(RegionFile::More, &status).starts_with("0x30000000-0x30001000 "));
    status.shared_region_count = 1;
    status.shared_regions[0] = record(0x7000_0000, 0x80_0000);
    assert_eq!(said(RegionFile::Shared, &status), "0x70000000-0x70800000\n");
}

#[test]
fn addresses_are_for_root() {
    for file in RegionFile::ALL {
        let has_addresses = matches!(
            file,
            RegionFile::Range | RegionFile::More | RegionFile::Shared
        );
        assert_eq!(file.mode(), if has_addresses { 0o400 } else { 0o444 });
    }
}
