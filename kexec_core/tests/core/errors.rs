// SPDX-License-Identifier: GPL-2.0

//! The properties that all errors have.

use kexec_core::{
    error::Error,
    image::x86_64::bzimage::BzImageError,
    plan::PlanError,
    types::{
        errno::Errno,
        ranges::CapacityError,
        size::Size, //
    }, //
};

#[test]
fn numbers_and_names_are_those_of_the_c_library() {
    for (errno, number, name) in [
        (Errno::Perm, libc::EPERM, "EPERM"),
        (Errno::TooBig, libc::E2BIG, "E2BIG"),
        (Errno::NoExec, libc::ENOEXEC, "ENOEXEC"),
        (Errno::NoMem, libc::ENOMEM, "ENOMEM"),
        (Errno::Busy, libc::EBUSY, "EBUSY"),
        (Errno::Inval, libc::EINVAL, "EINVAL"),
        (Errno::NoPkg, libc::ENOPKG, "ENOPKG"),
        (Errno::BadMsg, libc::EBADMSG, "EBADMSG"),
        (Errno::LibBad, libc::ELIBBAD, "ELIBBAD"),
        (Errno::MsgSize, libc::EMSGSIZE, "EMSGSIZE"),
        (Errno::KeyRejected, libc::EKEYREJECTED, "EKEYREJECTED"),
        (Errno::AddrNotAvail, libc::EADDRNOTAVAIL, "EADDRNOTAVAIL"),
    ] {
        assert_eq!((errno.number(), errno.name()), (number, name));
    }
}

#[test]
fn a_wrapped_error_says_what_the_error_says() {
    let inner = BzImageError::TooShort { len: 3 };
    let error = Error::from(inner);
    assert_eq!(error.to_string(), inner.to_string());
    assert_eq!(error.errno(), inner.errno());
    assert_eq!(
        Error::from(PlanError::NoRegion).errno(),
        Errno::AddrNotAvail
    );
    assert_eq!(
        Error::from(CapacityError { capacity: 3 }).to_string(),
        "the memory map has more than the 3 separate ranges that there is room for"
    );
}

#[test]
fn sizes_are_shown_exactly_and_roughly() {
    for (size, shown) in [
        (0, "0x0 bytes"),
        (1023, "0x3ff bytes"),
        (1024, "0x400 bytes (1 KiB)"),
        (1536, "0x600 bytes (1.5 KiB)"),
        (61 << 20, "0x3d00000 bytes (61 MiB)"),
        ((61 << 20) - 1, "0x3cfffff bytes (60.9 MiB)"),
        (5 << 30, "0x140000000 bytes (5 GiB)"),
        (u64::MAX, "0xffffffffffffffff bytes (17179869183.9 GiB)"),
    ] {
        assert_eq!(Size(size).to_string(), shown);
    }
}
