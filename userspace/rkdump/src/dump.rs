// SPDX-License-Identifier: GPL-2.0

//! A dump that is read: /proc/vmcore or a copy of it, with what the kernel says of itself.

use std::path::Path;

use dumpfile::{
    elf_core::ElfCore,
    source::DumpFile, //
};
use kernel_memory::{
    translation::Translation,
    vmcoreinfo::Vmcoreinfo, //
};

use crate::failure::Failure;

/// An open dump.
#[derive(Debug)]
pub struct Dump {
    /// The memory.
    pub core: ElfCore,
    /// What the kernel says of itself; without the note, nothing.
    pub vmcoreinfo: Vmcoreinfo,
    name: String,
}

impl Dump {
    /// Opens a dump.
    pub fn open(path: &Path, without_mapping: bool) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let source = DumpFile::open(path)
            .map_err(|error| Failure::from_io(format_args!("cannot open {name}"), &error))?;
        let source = match without_mapping {
            true => source.without_mapping(),
            false => source,
        };
        let core = ElfCore::open(source)
            .map_err(|error| Failure::new(format!("{name} cannot be read: {error}")))?;
        let vmcoreinfo = Vmcoreinfo::parse(core.vmcoreinfo().unwrap_or_default());
        Ok(Self {
            core,
            vmcoreinfo,
            name,
        })
    }

    /// The way from the kernel's addresses to its memory.
    pub fn translation(&self) -> Result<Translation, Failure> {
        Translation::new(&self.vmcoreinfo, self.core.architecture())
            .map_err(|error| Failure::new(format!("{}: {error}", self.name)))
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}
