// SPDX-License-Identifier: GPL-2.0

//! The requests to load, to unload and to reserve memory, and the buffer for the sentence of a refusal.

use super::structure::Structure;
use core::mem::{
    offset_of,
    size_of, //
};

/// The value of a descriptor in [`LoadRequest`] for no file.
pub const NO_FD: i32 = -1;

/// The value of [`LoadRequest::digest`] for [`crate::types::digest::Algorithm::DEFAULT`].
pub const ANY_DIGEST: u32 = 0;

/// A flag of [`LoadRequest`] and [`UnloadRequest`]: the kernel is entered by a reboot
/// (`LINUX_REBOOT_CMD_KEXEC`), not by a crash.
pub const FOR_REBOOT: u32 = 1 << 0;

/// A flag of [`LoadRequest`]: the new kernel is given a device tree of the caller's in the place of the running
/// kernel's.
pub const WITH_DEVICE_TREE: u32 = 1 << 1;

/// Longest sentence that the module writes into [`Message`], in bytes.
pub const MESSAGE_MAX: usize = 512;

/// A buffer of the caller's into which the module writes the sentence of a refusal (UTF-8, no
/// terminating NUL, cut at the buffer's end). The module writes the sentence's length to `used`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// User-space address of the buffer.
    pub address: u64,
    /// The buffer's size in bytes.
    pub capacity: u64,
    /// User-space address of a `u64` that receives the number of bytes written.
    pub used: u64,
}

/// Asks for a kernel to be loaded: a capture kernel, which is armed, or one that a reboot enters.
///
/// A refused request leaves an image that was loaded before as it is.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LoadRequest {
    /// `size_of::<LoadRequest>()` of the caller.
    pub size: u32,
    /// [`FOR_REBOOT`] and [`WITH_DEVICE_TREE`], or 0.
    pub flags: u32,
    /// Descriptor of the kernel image, open for reading.
    pub kernel_fd: i32,
    /// Descriptor of the initrd, open for reading, or [`NO_FD`].
    pub initrd_fd: i32,
    /// Descriptor of a detached signature of the kernel (PKCS#7, DER), or [`NO_FD`].
    pub kernel_signature_fd: i32,
    /// Descriptor of a detached signature of the initrd (PKCS#7, DER), or [`NO_FD`].
    pub initrd_signature_fd: i32,
    /// User-space address of the kernel's command line.
    pub command_line: u64,
    /// Length of the command line in bytes, without a NUL.
    pub command_line_len: u64,
    /// A [`crate::types::digest::Algorithm`]'s number, or [`ANY_DIGEST`].
    pub digest: u32,
    /// With [`WITH_DEVICE_TREE`] the descriptor of the device tree, open for reading. Else it must be 0.
    pub device_tree_fd: i32,
    /// The buffer for the sentence of a refusal.
    pub message: Message,
}

/// Asks for the loaded image to be dropped; one for a crash is disarmed before.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UnloadRequest {
    /// `size_of::<UnloadRequest>()` of the caller.
    pub size: u32,
    /// [`FOR_REBOOT`] or 0.
    pub flags: u32,
    /// The buffer for the sentence of a refusal.
    pub message: Message,
}

/// Asks for memory for images to be taken from the running kernel, or to be given back.
///
/// A refused request leaves the memory as it was.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReserveRequest {
    /// `size_of::<ReserveRequest>()` of the caller.
    pub size: u32,
    /// Must be 0.
    pub flags: u32,
    /// How much memory there is to be, in bytes; 0 gives all back.
    pub len: u64,
    /// The buffer for the sentence of a refusal.
    pub message: Message,
}

impl Structure for LoadRequest {
    const FIRST_LEN: usize = 72;
}

impl Structure for UnloadRequest {
    const FIRST_LEN: usize = 32;
}

impl Structure for ReserveRequest {
    const FIRST_LEN: usize = 40;
}

const _: () = {
    assert!(size_of::<Message>() == 24);
    assert!(size_of::<LoadRequest>() == LoadRequest::FIRST_LEN);
    assert!(offset_of!(LoadRequest, command_line) == 24);
    assert!(offset_of!(LoadRequest, message) == 48);
    assert!(size_of::<UnloadRequest>() == UnloadRequest::FIRST_LEN);
    assert!(offset_of!(UnloadRequest, message) == 8);
    assert!(size_of::<ReserveRequest>() == ReserveRequest::FIRST_LEN);
    assert!(offset_of!(ReserveRequest, len) == 8);
    assert!(offset_of!(ReserveRequest, message) == 16);
};
