// SPDX-License-Identifier: GPL-2.0

//! The kernel's file: its type, and what the kernel's own loader takes of it.

use std::path::Path;

use kexec_core::image::{
    format::Format,
    unpack::{
        Decompressed,
        Unpack, //
    }, //
};

use crate::{
    failure::Failure,
    inspect::{
        read,
        unpack::unpack,
        Refusal, //
    }, //
};

/// A type by the name that `--type` has for it, and the formats that it means: that of the file, or of what is
/// in it.
const TYPES: &[(&str, &[Format])] = &[
    ("bzImage", &[Format::BzImage]),
    ("bzImage64", &[Format::BzImage]),
    ("elf-x86_64", &[Format::Elf]),
    ("uki", &[Format::Uki]),
    ("vmlinux", &[Format::Elf]),
    ("Image", &[Format::Arm64Image]),
    ("vmlinuz", &[Format::Zboot, Format::Gzip, Format::Zstd]),
];

/// Types that `kexec` loads besides.
const NOT_SUPPORTED: &[&str] = &[
    "beoboot-x86",
    "elf-x86",
    "multiboot-x86",
    "multiboot2-x86",
    "nbi-x86",
    "uImage",
];

/// Refuses a file that is of another type than this.
pub fn check_type(path: &Path, name: &str) -> Result<(), Failure> {
    let Some((_, formats)) = TYPES.iter().find(|(known, _)| *known == name) else {
        let kinds: Vec<_> = TYPES.iter().map(|(known, _)| *known).collect();
        let reason = match NOT_SUPPORTED.contains(&name) {
            true => "kernels of that type are not loaded",
            false => "there is no such type",
        };
        return Err(Failure::new(format!(
            "--type={name}: {reason}: it is one of {}",
            kinds.join(", ")
        )));
    };
    let file = read("kernel", path)?;
    let memory = Decompressed::default();
    let mut unpacked = Unpack::new(&file);
    unpack(&mut unpacked, &memory).map_err(Refusal::from)?;
    let found = [Format::of(&file), Format::of(unpacked.bytes())];
    match found
        .into_iter()
        .flatten()
        .any(|format| formats.contains(&format))
    {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "{} is not of the type {name}",
            path.display()
        ))),
    }
}

/// What is in a compressed file, which the kernel's own loader does not unpack; none where it can take the
/// file as it is, with the signature in it.
pub fn unpacked(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let file = read("kernel", path)?;
    match Format::of(&file) {
        Some(Format::Zboot | Format::Gzip | Format::Zstd) => {}
        _ => return Ok(None),
    }
    let memory = Decompressed::default();
    let mut unpacked = Unpack::new(&file);
    unpack(&mut unpacked, &memory).map_err(Refusal::from)?;
    Ok(Some(unpacked.bytes().to_vec()))
}
