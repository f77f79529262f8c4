// SPDX-License-Identifier: GPL-2.0

//! `/dev/rust_kexec`: the requests to the module.

use std::{
    fs::{
        File,
        OpenOptions, //
    },
    mem::size_of,
    os::fd::AsRawFd, //
};

use kexec_core::{
    handover::Purpose,
    types::digest::Algorithm,
    uapi::{
        self,
        LoadRequest,
        Message,
        ReserveRequest,
        Status,
        UnloadRequest,
        MESSAGE_MAX, //
    }, //
};
use nix::{
    errno::Errno,
    request_code_none, //
};

use crate::failure::Failure;

nix::ioctl_write_ptr_bad!(
    /// Loads a kernel; one for a crash is armed.
    ioctl_load,
    request_code_none!(uapi::IOCTL_TYPE, uapi::IOCTL_LOAD),
    LoadRequest
);
nix::ioctl_write_ptr_bad!(
    /// Drops it.
    ioctl_unload,
    request_code_none!(uapi::IOCTL_TYPE, uapi::IOCTL_UNLOAD),
    UnloadRequest
);
nix::ioctl_write_ptr_bad!(
    /// Takes memory for images, or gives it back.
    ioctl_reserve,
    request_code_none!(uapi::IOCTL_TYPE, uapi::IOCTL_RESERVE),
    ReserveRequest
);
nix::ioctl_readwrite_bad!(
    /// Reads the status.
    ioctl_status,
    request_code_none!(uapi::IOCTL_TYPE, uapi::IOCTL_STATUS),
    Status
);

/// The open files of a load.
pub struct Files {
    /// The kernel image.
    pub kernel: File,
    /// Its detached signature.
    pub kernel_signature: Option<File>,
    /// The initial RAM disk.
    pub initrd: Option<File>,
    /// Its detached signature.
    pub initrd_signature: Option<File>,
    /// What takes the place of the running kernel's device tree.
    pub device_tree: Option<File>,
}

/// The open device.
pub struct Device(File);

impl Device {
    /// Opens the module's device.
    pub fn open() -> Result<Self, Failure> {
        let path = format!("/dev/{}", uapi::DEVICE_NAME);
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map(Self)
            .map_err(|error| match error.raw_os_error().map(Errno::from_raw) {
                Some(errno @ (Errno::ENOENT | Errno::ENODEV | Errno::ENXIO)) => {
                    Failure::with_errno(
                        format!(
                            "{path} is not there: load the module first, insmod rust_kexec.ko \
                             (in a capture kernel the module has no such device)"
                        ),
                        errno,
                    )
                }
                Some(errno @ (Errno::EACCES | Errno::EPERM)) => Failure::with_errno(
                    format!("{path} is for root with CAP_SYS_BOOT only: run rkexec as root"),
                    errno,
                ),
                _ => Failure::from_io(format_args!("cannot open {path}"), &error),
            })
    }

    /// Loads a kernel, and arms one for a crash. Without a `digest` it is checked by the default one.
    pub fn load(
        &self,
        purpose: Purpose,
        files: &Files,
        command_line: &[u8],
        digest: Option<Algorithm>,
    ) -> Result<(), Failure> {
        let descriptor = |file: &Option<File>| file.as_ref().map_or(uapi::NO_FD, File::as_raw_fd);
        let mut answer = Answer::default();
        let request = LoadRequest {
            size: size_in_u32::<LoadRequest>(),
            flags: match files.device_tree {
                Some(_) => flags(purpose) | uapi::WITH_DEVICE_TREE,
                None => flags(purpose),
            },
            kernel_fd: files.kernel.as_raw_fd(),
            initrd_fd: descriptor(&files.initrd),
            kernel_signature_fd: descriptor(&files.kernel_signature),
            initrd_signature_fd: descriptor(&files.initrd_signature),
            command_line: command_line.as_ptr().expose_provenance() as u64,
            command_line_len: command_line.len() as u64,
            digest: digest.map_or(uapi::ANY_DIGEST, |algorithm| algorithm as u32),
            device_tree_fd: files.device_tree.as_ref().map_or(0, File::as_raw_fd),
            message: answer.message(),
        };
        // SAFETY: The descriptors are open, and `request` is of the number's type and tells its size.
        // The module reads `command_line` and writes `answer`, and both outlive the call.
        let result = unsafe { ioctl_load(self.0.as_raw_fd(), &request) };
        answer.conclude(&format!("load the {}", name(purpose)), result)
    }

    /// Drops the loaded kernel of this purpose.
    pub fn unload(&self, purpose: Purpose) -> Result<(), Failure> {
        let mut answer = Answer::default();
        let request = UnloadRequest {
            size: size_in_u32::<UnloadRequest>(),
            flags: flags(purpose),
            message: answer.message(),
        };
        // SAFETY: The descriptor is open, and `request` is of the number's type and tells its size.
        // The module writes `answer`, which outlives the call.
        let result = unsafe { ioctl_unload(self.0.as_raw_fd(), &request) };
        answer.conclude(&format!("unload the {}", name(purpose)), result)
    }

    /// Has the module take so many bytes of the running kernel's memory for images; 0 gives all back.
    pub fn reserve(&self, len: u64) -> Result<(), Failure> {
        let mut answer = Answer::default();
        let request = ReserveRequest {
            size: size_in_u32::<ReserveRequest>(),
            flags: 0,
            len,
            message: answer.message(),
        };
        // SAFETY: As above.
        let result = unsafe { ioctl_reserve(self.0.as_raw_fd(), &request) };
        answer.conclude("reserve memory", result)
    }

    /// The module's status. Fields that an older module does not know are zero.
    pub fn status(&self) -> Result<Status, Failure> {
        let mut status = Status::default();
        // SAFETY: The descriptor is open, and `status` tells its size to the module, which writes
        // no more; its fields are integers: any bytes are a valid value.
        unsafe { ioctl_status(self.0.as_raw_fd(), &mut status) }
            .map_err(|errno| unexplained("say what is loaded", errno))?;
        Ok(status)
    }
}

fn flags(purpose: Purpose) -> u32 {
    match purpose {
        Purpose::Crash => 0,
        Purpose::Reboot => uapi::FOR_REBOOT,
    }
}

fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Crash => "capture kernel",
        Purpose::Reboot => "kernel for a reboot",
    }
}

const OTHER_VERSION: &str = "use the rkexec that was built with the loaded module";

fn size_in_u32<T>() -> u32 {
    const { assert!(size_of::<T>() <= u32::MAX as usize) };
    size_of::<T>() as u32
}

/// The buffer for the sentence of a refusal.
struct Answer {
    sentence: [u8; MESSAGE_MAX],
    used: u64,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            sentence: [0; MESSAGE_MAX],
            used: 0,
        }
    }
}

impl Answer {
    fn message(&mut self) -> Message {
        Message {
            address: self.sentence.as_mut_ptr().expose_provenance() as u64,
            capacity: self.sentence.len() as u64,
            used: (&raw mut self.used).expose_provenance() as u64,
        }
    }

    fn conclude(&self, what: &str, result: nix::Result<i32>) -> Result<(), Failure> {
        let Err(errno) = result else { return Ok(()) };
        let used = usize::try_from(self.used).unwrap_or(MESSAGE_MAX);
        let bytes = self.sentence.get(..used).unwrap_or(&self.sentence);
        let sentence = String::from_utf8_lossy(bytes);
        match sentence.trim() {
            "" => Err(unexplained(what, errno)),
            sentence => Err(Failure::with_errno(sentence, errno)),
        }
    }
}

/// A refusal that came without a sentence.
fn unexplained(what: &str, errno: Errno) -> Failure {
    let sentence = match errno {
        Errno::ENOTTY | Errno::E2BIG => {
            format!("the loaded module does not know the request to {what}: {OTHER_VERSION}")
        }
        Errno::EPERM => format!("may not {what} without CAP_SYS_BOOT: run rkexec as root"),
        _ => format!("the module did not {what}: {}", errno.desc()),
    };
    Failure::with_errno(sentence, errno)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sentence: &[u8], used: u64) -> Answer {
        let mut answer = Answer::default();
        answer.sentence[..sentence.len()].copy_from_slice(sentence);
        answer.used = used;
        answer
    }

    fn refusal(answer: &Answer, errno: Errno) -> String {
        answer
            .conclude("load the capture kernel", Err(errno))
            .expect_err("an errno is a refusal")
            .to_string()
    }

    #[test]
    fn the_modules_sentence_is_passed_on() {
        assert_eq!(
            refusal(&answer(b"no region is reserved", 21), Errno::EADDRNOTAVAIL),
            "no region is reserved (EADDRNOTAVAIL)"
        );
    }

    #[test]
    fn a_length_beyond_the_buffer_shows_the_whole_buffer() {
        let answer = answer(&[b'x'; MESSAGE_MAX], u64::MAX);
        assert_eq!(
            refusal(&answer, Errno::EINVAL).len(),
            MESSAGE_MAX + " (EINVAL)".len()
        );
    }

    #[test]
    fn a_sentence_cut_inside_a_character_is_still_shown() {
        let sentence = refusal(&answer("größer".as_bytes(), 3), Errno::EINVAL);
        assert!(sentence.starts_with("gr"), "{sentence}");
    }

    #[test]
    fn a_refusal_without_a_sentence_gets_one() {
        let sentence = refusal(&Answer::default(), Errno::ENOTTY);
        assert!(sentence.contains(OTHER_VERSION), "{sentence}");
        let sentence = refusal(&Answer::default(), Errno::EINVAL);
        assert_eq!(
            sentence,
            "the module did not load the capture kernel: Invalid argument (EINVAL)"
        );
    }

    #[test]
    fn success_is_success_whatever_the_buffer_holds() {
        assert_eq!(answer(b"x", 1).conclude("unload", Ok(0)), Ok(()));
    }
}
