// SPDX-License-Identifier: GPL-2.0

//! Requests to the module in structures of another length than ours.

use std::{
    fs::File,
    mem::{
        offset_of,
        size_of, //
    },
    os::fd::AsRawFd,
    slice, //
};

use kexec_core::uapi::{
    self,
    LoadRequest,
    Message,
    Status,
    UnloadRequest,
    MESSAGE_MAX,
    NO_FD, //
};
use nix::{
    errno::Errno,
    request_code_none, //
};
use serde::Serialize;

use crate::{
    file_mapping::FileMapping,
    report::Failure, //
};

/// How a structure differs from ours.
#[derive(Debug, Default)]
pub struct Length {
    /// Bytes that it lacks.
    pub shorter: usize,
    /// Bytes that it has beyond ours.
    pub longer: usize,
    /// What is in these.
    pub beyond: u8,
}

/// What came back of a status.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// How long ours is.
    ours: usize,
    /// How many bytes the module has filled in, as it says.
    size: u32,
    armed: u32,
    segment_count: u32,
    /// Whether all that is beyond ours is zero.
    zeros_behind: bool,
}

/// Has a kernel loaded. The module reads the command line where it is mapped.
pub fn load(
    kernel: &File,
    initrd: Option<&File>,
    command_line: Option<&FileMapping>,
    length: &Length,
) -> Result<(), Failure> {
    let mut sentence = Sentence::new();
    let command_line = command_line.map_or(&[][..], FileMapping::bytes);
    let request = LoadRequest {
        kernel_fd: kernel.as_raw_fd(),
        command_line: command_line.as_ptr().expose_provenance() as u64,
        command_line_len: command_line.len() as u64,
        initrd_fd: initrd.map_or(NO_FD, File::as_raw_fd),
        kernel_signature_fd: NO_FD,
        initrd_signature_fd: NO_FD,
        message: sentence.message(),
        ..LoadRequest::default()
    };
    // SAFETY: The structure consists of integers without padding.
    let bytes = unsafe { bytes_of(&request) };
    let asked = ask(uapi::IOCTL_LOAD, &mut length.applied_to(bytes));
    sentence.conclude(asked)
}

/// Has it dropped.
pub fn unload(length: &Length) -> Result<(), Failure> {
    let mut sentence = Sentence::new();
    let request = UnloadRequest {
        message: sentence.message(),
        ..UnloadRequest::default()
    };
    // SAFETY: The structure consists of integers without padding.
    let bytes = unsafe { bytes_of(&request) };
    let asked = ask(uapi::IOCTL_UNLOAD, &mut length.applied_to(bytes));
    sentence.conclude(asked)
}

/// Asks what is loaded.
pub fn status(length: &Length) -> Result<Answer, Failure> {
    let request = Status::default();
    // SAFETY: The structure consists of integers without padding.
    let mut bytes = length.applied_to(unsafe { bytes_of(&request) });
    Sentence::new().conclude(ask(uapi::IOCTL_STATUS, &mut bytes))?;
    let ours = size_of::<Status>();
    Ok(Answer {
        ours,
        size: field(&bytes, offset_of!(Status, size)),
        armed: field(&bytes, offset_of!(Status, armed)),
        segment_count: field(&bytes, offset_of!(Status, segment_count)),
        zeros_behind: bytes.iter().skip(ours).all(|byte| *byte == 0),
    })
}

impl Length {
    /// A structure of this length, which it says itself in its first field.
    fn applied_to(&self, ours: &[u8]) -> Vec<u8> {
        let known = ours.len().saturating_sub(self.shorter);
        let mut bytes = ours[..known].to_vec();
        bytes.resize(known + self.longer, self.beyond);
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        bytes[..4].copy_from_slice(&len.to_ne_bytes());
        bytes
    }
}

fn field(bytes: &[u8], offset: usize) -> u32 {
    let field = bytes.get(offset..).and_then(|rest| rest.first_chunk());
    field.copied().map_or(0, u32::from_ne_bytes)
}

/// # Safety
///
/// `T` must have no padding.
unsafe fn bytes_of<T>(structure: &T) -> &[u8] {
    // SAFETY: By this function's contract each byte has a value.
    unsafe { slice::from_raw_parts((&raw const *structure).cast(), size_of::<T>()) }
}

fn ask(number: u8, structure: &mut [u8]) -> Result<(), Errno> {
    let device = File::open(format!("/dev/{}", uapi::DEVICE_NAME))
        .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or_default()))?;
    let code = request_code_none!(uapi::IOCTL_TYPE, number);
    // SAFETY: The device is open. The module reads and writes as much of the structure as it says
    // itself, and a buffer that it names outlives the call.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), code, structure.as_mut_ptr()) };
    Errno::result(result).map(drop)
}

/// Where the module puts a refusal's sentence.
struct Sentence(Box<(u64, [u8; MESSAGE_MAX])>);

impl Sentence {
    fn new() -> Self {
        Self(Box::new((0, [0; MESSAGE_MAX])))
    }

    fn message(&mut self) -> Message {
        let (used, buffer) = &mut *self.0;
        Message {
            address: buffer.as_mut_ptr().expose_provenance() as u64,
            capacity: buffer.len() as u64,
            used: (&raw mut *used).expose_provenance() as u64,
        }
    }

    fn conclude(&self, asked: Result<(), Errno>) -> Result<(), Failure> {
        let (used, buffer) = &*self.0;
        asked.map_err(|errno| match usize::try_from(*used).unwrap_or_default() {
            0 => Failure::errno("the module refuses without a sentence", errno),
            used => {
                let sentence = String::from_utf8_lossy(&buffer[..used.min(buffer.len())]);
                Failure::new(format!("{sentence} ({errno:?})"))
            }
        })
    }
}
