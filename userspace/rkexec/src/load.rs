// SPDX-License-Identifier: GPL-2.0

//! Loading: open the files, put the command line together, ask the module.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use crate::arguments::ImageOptions;
use crate::command_line;
use crate::device::Device;
use crate::failure::Failure;

/// Loads `kernel` with what `options` name, to be entered at a panic.
pub fn load(kernel: &Path, options: &ImageOptions) -> Result<(), Failure> {
    let device = Device::open()?;
    let kernel = open("kernel", kernel)?;
    let initrd = options
        .initrd
        .as_deref()
        .map(|path| open("initrd", path))
        .transpose()?;
    let command_line = command_line::wanted(options)?;
    device.load(
        kernel.as_fd(),
        initrd.as_ref().map(AsFd::as_fd),
        &command_line,
    )
}

fn open(what: &str, path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        Failure::from_io(
            format_args!("cannot open the {what} {}", path.display()),
            &error,
        )
    })
}
