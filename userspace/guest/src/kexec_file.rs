// SPDX-License-Identifier: GPL-2.0

//! The kernel's own crash image: `kexec_file_load(2)`, which no crate at hand wraps.

use std::{
    ffi::CStr,
    io,
    os::fd::{
        AsRawFd,
        BorrowedFd, //
    }, //
};

use nix::libc::{
    c_int,
    c_ulong, //
};

/// Drop the image (`include/uapi/linux/kexec.h`).
const KEXEC_FILE_UNLOAD: c_ulong = 1;
/// The image is the one that is entered at a panic.
const KEXEC_FILE_ON_CRASH: c_ulong = 2;

/// No file: what the kernel expects where a request carries none.
const NO_FILE: c_int = -1;

/// Loads the kernel's own crash image.
pub fn load(kernel: BorrowedFd<'_>, initrd: BorrowedFd<'_>, command_line: &CStr) -> io::Result<()> {
    let (kernel, initrd) = (kernel.as_raw_fd(), initrd.as_raw_fd());
    kexec_file_load(kernel, initrd, command_line, KEXEC_FILE_ON_CRASH)
}

/// Drops the kernel's own crash image.
pub fn unload() -> io::Result<()> {
    let flags = KEXEC_FILE_ON_CRASH | KEXEC_FILE_UNLOAD;
    kexec_file_load(NO_FILE, NO_FILE, c"", flags)
}

fn kexec_file_load(
    kernel: c_int,
    initrd: c_int,
    command_line: &CStr,
    flags: c_ulong,
) -> io::Result<()> {
    // The kernel wants the length with the NUL.
    let len = command_line.count_bytes() + 1;
    // SAFETY: The arguments are those of kexec_file_load(2); the kernel reads `len` bytes at
    // `command_line`, which are there, and writes nothing of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_kexec_file_load,
            kernel,
            initrd,
            len as c_ulong,
            command_line.as_ptr(),
            flags,
        )
    };
    match result {
        0.. => Ok(()),
        // It may be a number that no program is meant to see, such as ENOTSUPP's.
        _ => Err(io::Error::last_os_error()),
    }
}
