// SPDX-License-Identifier: GPL-2.0

//! Loading: open the files, put the command line together, ask the module.

use std::{
    fs::File,
    path::{
        Path,
        PathBuf, //
    }, //
};

use kexec_core::{
    handover::Purpose,
    types::digest::Algorithm, //
};
use nix::errno::Errno;

use crate::{
    arguments::ImageOptions,
    command_line,
    crashkernel::reason_for_none,
    device::{
        Device,
        Files, //
    },
    failure::Failure, //
};

/// Loads `kernel`, with the files and the command line of `options`, for this purpose.
pub fn load(purpose: Purpose, kernel: &Path, options: &ImageOptions) -> Result<(), Failure> {
    let device = Device::open()?;
    let open_any = |what, path: &Option<PathBuf>| {
        let path = path.as_deref();
        path.map(|path| open(what, path)).transpose()
    };
    let files = Files {
        kernel: open("kernel", kernel)?,
        kernel_signature: open_any("kernel's signature", &options.signature)?,
        initrd: open_any("initrd", &options.boot.initrd)?,
        initrd_signature: open_any("initrd's signature", &options.initrd_signature)?,
        device_tree: open_any("device tree", &options.device_tree)?,
    };
    let digest = options.digest.map(Algorithm::from);
    let line = command_line::wanted(purpose, options)?;
    let loaded = device.load(purpose, &files, &line, digest);
    loaded.map_err(|refusal| match purpose {
        Purpose::Crash => explained(refusal, &device),
        Purpose::Reboot => refusal,
    })
}

/// The refusal, unless the module has no memory to load to although the command line asks for some: then
/// what the kernel made of that.
fn explained(refusal: Failure, device: &Device) -> Failure {
    let reserved = device.status().map(|status| status.region.len);
    match (refusal.errno(), reserved, reason_for_none()) {
        (Some(errno @ Errno::EADDRNOTAVAIL), Ok(0), Some(reason)) => Failure::with_errno(
            format!(
                "no memory is reserved for a capture kernel, although this kernel's command line asks \
                 for some: {reason}"
            ),
            errno,
        ),
        _ => refusal,
    }
}

/// Opens a file that is loaded.
pub fn open(what: &str, path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::from_io(
            format_args!("cannot open the {what} {}", path.display()),
            &error,
        )
    })
}
