// SPDX-License-Identifier: GPL-2.0

//! The files of a load: read once, judged by the policy for signatures, unpacked.

use super::{
    policy,
    signature::{
        self,
        Trusted, //
    },
    unpack::{
        Buffers,
        Unpacked, //
    }, //
};
use crate::{
    compat::prelude::*,
    refusal::{
        FileError,
        Refusal, //
    },
    sys::{
        file::{
            FileContents,
            Purpose, //
        },
        ima, //
    }, //
};
use kexec_core::{
    image::unpack::Inner,
    types::digest::Algorithm, //
};

/// The parts of a load: files that were read once, a command line, and the algorithm of the digests.
pub(crate) struct Files {
    kernel: FileContents,
    kernel_signature: Option<FileContents>,
    initrd: Option<FileContents>,
    initrd_signature: Option<FileContents>,
    device_tree: Option<FileContents>,
    command_line: KVec<u8>,
    digest: Algorithm,
    buffers: Buffers,
}

/// Descriptors of the current process's files, by what they are for.
pub(crate) struct Descriptors {
    pub(crate) kernel: i32,
    pub(crate) kernel_signature: Option<i32>,
    pub(crate) initrd: Option<i32>,
    pub(crate) initrd_signature: Option<i32>,
    pub(crate) device_tree: Option<i32>,
}

impl Files {
    /// Reads the files that the current process has open.
    // Out of line for the stack: the files on their way into the structure.
    #[inline(never)]
    pub(crate) fn read(
        files: &Descriptors,
        command_line: KVec<u8>,
        digest: Algorithm,
    ) -> Result<Self, Refusal> {
        let read = |fd, purpose, what| {
            FileContents::read(fd, purpose).map_err(|error| FileError::Unreadable { what, error })
        };
        let read_any =
            |fd: Option<i32>, purpose, what| fd.map(|fd| read(fd, purpose, what)).transpose();
        Ok(Self {
            kernel: read(files.kernel, Purpose::Kernel, "kernel image")?,
            kernel_signature: read_any(
                files.kernel_signature,
                Purpose::Signature,
                "kernel's signature",
            )?,
            initrd: read_any(files.initrd, Purpose::Initrd, "initrd")?,
            initrd_signature: read_any(
                files.initrd_signature,
                Purpose::Signature,
                "initrd's signature",
            )?,
            device_tree: read_any(files.device_tree, Purpose::DeviceTree, "device tree")?,
            command_line,
            digest,
            buffers: Buffers::default(),
        })
    }

    /// Lets the policy for signatures judge the kernel, checks the initrd's signature if there is
    /// one, and unpacks what the policy let through, to `limit` bytes at most.
    // Out of line for the stack: what was found in them.
    #[inline(never)]
    pub(crate) fn unpack(&self, limit: u64) -> Result<UnpackedFiles<'_>, Refusal> {
        fn bytes(file: &Option<FileContents>) -> Option<&[u8]> {
            file.as_ref().map(FileContents::bytes)
        }
        if let (Some(initrd), Some(message)) = (bytes(&self.initrd), bytes(&self.initrd_signature))
        {
            signature::verify_detached("initrd", initrd, message)?;
        }
        let device_tree = bytes(&self.device_tree);
        if device_tree.is_some() {
            policy::judge_device_tree()?;
        }
        let unpacked = Unpacked::new(
            self.kernel.bytes(),
            bytes(&self.kernel_signature),
            &self.buffers,
            limit,
        )?;
        // A command line or initrd beside a unified kernel image comes before its own.
        let command_line = Some(&self.command_line[..]).filter(|given| !given.is_empty());
        policy::judge_replacement("command line", command_line, unpacked.command_line)?;
        let command_line_in_force = command_line.or(unpacked.command_line).unwrap_or_default();
        // As ima_kexec_cmdline() does, which a module cannot call. The files were measured when they
        // were read.
        ima::measure_critical_data(c"rust_kexec", c"kexec-cmdline", command_line_in_force);
        let initrd = bytes(&self.initrd);
        if self.initrd_signature.is_none() {
            policy::judge_replacement("initrd", initrd, unpacked.initrd)?;
        }
        Ok(UnpackedFiles {
            kernel: unpacked.kernel,
            inner: unpacked.inner,
            initrd: initrd.or(unpacked.initrd),
            command_line: command_line_in_force,
            device_tree,
            digest: self.digest,
        })
    }
}

/// The parts after unpacking: a kernel that the policy lets through, ready to be parsed.
pub(crate) struct UnpackedFiles<'a> {
    pub(super) kernel: Trusted<'a>,
    pub(super) inner: Inner<'a>,
    pub(super) initrd: Option<&'a [u8]>,
    pub(super) command_line: &'a [u8],
    /// What takes the place of the running kernel's device tree.
    pub(super) device_tree: Option<&'a [u8]>,
    pub(super) digest: Algorithm,
}
