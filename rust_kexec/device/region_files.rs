// SPDX-License-Identifier: GPL-2.0

//! The files about the memory for images, below /sys/module/rust_kexec/region.

use super::{
    status::status,
    structures::Crossing, //
};
use crate::{
    compat::prelude::*,
    sys::directory::{
        Directory,
        Files,
        Text, //
    }, //
};
use kexec_core::uapi::RegionFile;

struct RegionFiles;

impl Files for RegionFiles {
    fn write(number: usize, text: &mut Text<'_>) -> Result {
        let file = RegionFile::ALL.get(number).ok_or(ENOENT)?;
        let status = status()?;
        let Crossing(status) = &*status;
        file.write(status, text).map_err(|_| E2BIG)
    }
}

/// Creates them. A kernel without sysfs has none.
pub(super) fn create() -> Option<Directory> {
    let files = RegionFile::ALL.map(|file| (file.name(), file.mode()));
    Directory::create::<RegionFiles, _>(c"region", files).ok()
}
