// SPDX-License-Identifier: GPL-2.0

//! Fifth stage: the capture kernel serves the memory of the crashed kernel as a file.

mod contents;
mod elfcorehdr;
mod file;
mod mapping;
mod notes;
mod old_memory;

use crate::{
    arch::registers::ARCHITECTURE,
    compat::prelude::*,
    sys::{
        memory,
        parameters, //
    }, //
};
use contents::DumpContents;
pub(crate) use elfcorehdr::address as elfcorehdr_address;
pub(crate) use file::Registration;
use kernel::page::PAGE_SIZE;
use kexec_core::{
    dump::{
        elfcorehdr::Elfcorehdr,
        report::{
            lines::lines,
            reader::{
                Report,
                ReportError, //
            }, //
        },
        vmcore::{
            excluded::Excluded,
            windows::Budget,
            Layout, //
        }, //
    },
    types::elf::HEADER_LEN, //
};
use old_memory::read;

/// Reads and checks what the crashed kernel left, and creates the file.
pub(crate) fn serve(address: u64) -> Result<Registration> {
    let bytes = read_elfcorehdr(address)?;
    let core = Elfcorehdr::parse(&bytes, ARCHITECTURE).map_err(|error| no_file(error.into()))?;
    let notes = notes::merge(&core)?;
    let layout =
        Layout::new(&core, notes.len(), PAGE_SIZE as u64).map_err(|error| no_file(error.into()))?;
    log_report(&notes);
    let excluded = excluded()?;
    // The file's parts are mapped into processes, so they are whole pages of their own.
    let mut contents = DumpContents {
        layout,
        header: VVec::with_capacity(layout.header_len(), GFP_KERNEL)?,
        notes: VVec::with_capacity(layout.notes_area_len(), GFP_KERNEL)?,
        excluded,
    };
    contents
        .header
        .extend_with(layout.header_len(), 0, GFP_KERNEL)?;
    layout
        .encode_header(&core, &mut contents.header)
        .map_err(|error| no_file(error.into()))?;
    contents.notes.extend_from_slice(&notes, GFP_KERNEL)?;
    let padding = layout.notes_area_len() - notes.len();
    contents.notes.extend_with(padding, 0, GFP_KERNEL)?;
    Registration::new(contents, Budget::of(memory::total()))
}

/// Says in the log when the crash got how far, and how each CPU stopped.
fn log_report(notes: &[u8]) {
    match Report::find(notes) {
        Ok(report) => {
            for line in lines(&report) {
                pr_info!("{}\n", format_args!("{line}"));
            }
        }
        // The kernel's own kexec leaves none.
        Err(ReportError::Missing) => {}
        Err(error) => pr_warn!("{}\n", format_args!("{error}")),
    }
}

/// Reads the elfcorehdr as far as its first bytes say that it reaches.
// Out of line for the stack: the first bytes of the header.
#[inline(never)]
fn read_elfcorehdr(address: u64) -> Result<KVVec<u8>> {
    let mut first = [0; HEADER_LEN];
    read(address, &mut first).inspect_err(|_| unreadable(address))?;
    let len = Elfcorehdr::total_len(&first).map_err(|error| no_file(error.into()))?;
    let mut bytes = KVVec::new();
    bytes.extend_with(len, 0, GFP_KERNEL)?;
    read(address, &mut bytes).inspect_err(|_| unreadable(address))?;
    Ok(bytes)
}

/// The memory that the module's parameter excludes.
// Out of line for the stack: the list on its way into its box.
#[inline(never)]
fn excluded() -> Result<KBox<Excluded>> {
    let excluded = Excluded::parse(parameters::exclude(), PAGE_SIZE as u64)
        .map_err(|error| no_file(error.into()))?;
    if !excluded.is_empty() {
        pr_info!("excluded from the dump: {}\n", format_args!("{excluded}"));
    }
    Ok(KBox::new(excluded, GFP_KERNEL)?)
}

/// Says in the log why there will be no file.
fn no_file(error: kexec_core::error::Error) -> Error {
    pr_err!(
        "there will be no /proc/vmcore: {}\n",
        format_args!("{error}")
    );
    EINVAL
}

fn unreadable(address: u64) {
    pr_err!(
        "there will be no /proc/vmcore: the elfcorehdr at {:#x} cannot be mapped: elfcorehdr= \
         must name memory that this kernel does not use itself\n",
        address
    );
}
