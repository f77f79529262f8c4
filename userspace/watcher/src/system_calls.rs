// SPDX-License-Identifier: GPL-2.0

//! Holding up the system calls by which an initrd ends the machine: seccomp(2) with a listener.

use std::{
    io,
    os::fd::{
        FromRawFd,
        OwnedFd,
        RawFd, //
    }, //
};

use libc::{
    c_int,
    c_long,
    sock_filter,
    sock_fprog, //
};

// Instructions of a filter (include/uapi/linux/bpf_common.h).
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

// Where things are in struct seccomp_data (include/uapi/linux/seccomp.h).
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const FIRST_ARGUMENT_LOW: u32 = 16;

/// AUDIT_ARCH_X86_64 (include/uapi/linux/audit.h).
#[cfg(target_arch = "x86_64")]
const OURS: u32 = 0xc000_003e;
/// AUDIT_ARCH_AARCH64.
#[cfg(target_arch = "aarch64")]
const OURS: u32 = 0xc000_00b7;

/// -1 as the first argument of kill(2): all processes.
const ALL: u32 = u32::MAX;

const fn instruction(code: u16, value: u32, if_so: u8, if_not: u8) -> sock_filter {
    sock_filter {
        code,
        jt: if_so,
        jf: if_not,
        k: value,
    }
}

/// reboot(2) and kill(2) of all processes wait for the listener, everything else goes on.
static FILTER: [sock_filter; 9] = [
    instruction(LOAD, ARCHITECTURE, 0, 0),
    instruction(EQUAL, OURS, 0, 5),
    instruction(LOAD, NUMBER, 0, 0),
    instruction(EQUAL, libc::SYS_reboot as u32, 4, 0),
    instruction(EQUAL, libc::SYS_kill as u32, 0, 2),
    instruction(LOAD, FIRST_ARGUMENT_LOW, 0, 0),
    instruction(EQUAL, ALL, 1, 0),
    instruction(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
    instruction(RETURN, libc::SECCOMP_RET_USER_NOTIF, 0, 0),
];

/// Has this process, and those that it starts from now on, wait in the system calls that end the machine.
/// The file that is returned becomes readable when one does. Fails in kernels without SECCOMP_FILTER.
pub fn hold_ending() -> io::Result<OwnedFd> {
    let program = sock_fprog {
        len: FILTER.len() as u16,
        filter: FILTER.as_ptr().cast_mut(),
    };
    // The second flag: no process becomes slower for it.
    let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: The kernel only reads `program` and the filter that it points to, both of which outlive the
    // call, and `len` is the filter's length.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            c_long::from(libc::SECCOMP_SET_MODE_FILTER),
            flags as c_long,
            &raw const program,
        )
    };
    new_file(result)
}

/// A file of process 1's, as one of our own.
pub fn file_of_init(number: RawFd) -> io::Result<OwnedFd> {
    const INIT: c_int = 1;
    // SAFETY: This takes numbers only, and makes a new file.
    let init = new_file(unsafe { libc::syscall(libc::SYS_pidfd_open, INIT, 0) })?;
    let init = std::os::fd::AsRawFd::as_raw_fd(&init);
    // SAFETY: As before; `init` is open until this function returns.
    new_file(unsafe { libc::syscall(libc::SYS_pidfd_getfd, init, number, 0) })
}

fn new_file(result: c_long) -> io::Result<OwnedFd> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: The system call has just made this file for us, and nobody else knows its number.
    Ok(unsafe { OwnedFd::from_raw_fd(result as RawFd) })
}
