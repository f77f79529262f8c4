// SPDX-License-Identifier: GPL-2.0

//! Structures of other versions.

use kexec_core::{
    error::Error,
    types::errno::Errno,
    uapi::{
        LoadRequest,
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
