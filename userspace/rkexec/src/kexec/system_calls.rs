// SPDX-License-Identifier: GPL-2.0

//! The kernel's own kexec: kexec_file_load(2), reboot(2) and the files that say what is loaded.

use std::{
    ffi::CString,
    fs::{
        self,
        File, //
    },
    io::Write,
    os::fd::{
        AsRawFd,
        RawFd, //
    }, //
};

use kexec_core::handover::Purpose;
use nix::{
    errno::Errno,
    sys::{
        memfd::{
            memfd_create,
            MFdFlags, //
        },
        reboot::{
            reboot,
            RebootMode, //
        }, //
    }, //
};

use crate::failure::Failure;

// Flags of kexec_file_load(2) (include/uapi/linux/kexec.h).
const KEXEC_FILE_UNLOAD: libc::c_ulong = 1;
const KEXEC_FILE_ON_CRASH: libc::c_ulong = 2;
const KEXEC_FILE_NO_INITRAMFS: libc::c_ulong = 4;

/// No file.
const NO_FD: RawFd = -1;

fn flag(purpose: Purpose) -> libc::c_ulong {
    match purpose {
        Purpose::Crash => KEXEC_FILE_ON_CRASH,
        Purpose::Reboot => 0,
    }
}

/// Whether the kernel says that a kernel is loaded; none where it does not say.
pub fn is_loaded(purpose: Purpose) -> Option<bool> {
    let file = match purpose {
        Purpose::Crash => "/sys/kernel/kexec_crash_loaded",
        Purpose::Reboot => "/sys/kernel/kexec_loaded",
    };
    let text = fs::read_to_string(file).ok()?;
    Some(text.trim().parse::<u32>().ok()? != 0)
}

/// Loads a kernel.
pub fn load(
    purpose: Purpose,
    kernel: &File,
    initrd: Option<&File>,
    command_line: Vec<u8>,
) -> Result<(), Failure> {
    let command_line =
        CString::new(command_line).map_err(|_| Failure::new("the command line has a NUL in it"))?;
    let flags = match initrd {
        Some(_) => flag(purpose),
        None => flag(purpose) | KEXEC_FILE_NO_INITRAMFS,
    };
    let initrd = initrd.map_or(NO_FD, File::as_raw_fd);
    file_load(kernel.as_raw_fd(), initrd, Some(&command_line), flags)
        .map_err(|errno| failure("load the kernel", errno))
}

/// Drops the loaded kernel, if there is one.
pub fn unload(purpose: Purpose) -> Result<(), Failure> {
    file_load(NO_FD, NO_FD, None, KEXEC_FILE_UNLOAD | flag(purpose))
        .map_err(|errno| failure("drop the loaded kernel", errno))
}

fn failure(what: &str, errno: Errno) -> Failure {
    let words = match errno {
        Errno::ENOSYS => "syscall kexec_file_load not available: it has no CONFIG_KEXEC_FILE",
        _ => errno.desc(),
    };
    Failure::with_errno(format!("the kernel did not {what}: {words}"), errno)
}

fn file_load(
    kernel: RawFd,
    initrd: RawFd,
    command_line: Option<&CString>,
    flags: libc::c_ulong,
) -> Result<(), Errno> {
    let (text, len) = command_line.map_or((std::ptr::null(), 0), |line| {
        (line.as_ptr(), line.as_bytes_with_nul().len())
    });
    // SAFETY: `text` has `len` bytes, which outlive the call; descriptors that are not open are refused.
    let result =
        unsafe { libc::syscall(libc::SYS_kexec_file_load, kernel, initrd, len, text, flags) };
    Errno::result(result).map(drop)
}

/// A file of these bytes, in memory.
pub fn file_in_memory(bytes: &[u8]) -> Result<File, Failure> {
    const WHAT: &str = "cannot have the unpacked kernel in memory";
    let fd = memfd_create(c"kernel", MFdFlags::MFD_CLOEXEC)
        .map_err(|errno| Failure::with_errno(format!("{WHAT}: {}", errno.desc()), errno))?;
    let mut file = File::from(fd);
    file.write_all(bytes)
        .map_err(|error| Failure::from_io(WHAT, &error))?;
    Ok(file)
}

/// Enters the kernel that is loaded for a reboot.
pub fn enter() -> Failure {
    let Err(errno) = reboot(RebootMode::RB_KEXEC);
    let reason = match errno {
        Errno::EIO => "the loaded one is damaged, as its log says: load it again",
        Errno::EINVAL => "none is loaded",
        errno => errno.desc(),
    };
    Failure::with_errno(
        format!("the kernel did not reboot into another one: {reason}"),
        errno,
    )
}
