// SPDX-License-Identifier: GPL-2.0

//! The copying of an image to its place, as far as the architectures have it alike.

use super::purgatory::Addresses;
use crate::refusal::Refusal;
use kernel::{
    alloc::AllocError,
    page::PAGE_SIZE, //
};
use kexec_core::{
    handover::relocator::{
        Parameters,
        PARAMETERS_LEN, //
    },
    types::ranges::Range, //
};

extern "C" {
    fn rust_kexec_relocator();
    fn rust_kexec_relocator_end();
}

/// The relocator's code, and room for what it is told at its end.
fn code() -> &'static [u8] {
    let start = rust_kexec_relocator as *const () as usize;
    let end = rust_kexec_relocator_end as *const () as usize;
    // SAFETY: The assembler of each architecture's `relocator` puts everything between the two there, and nobody
    // writes it.
    unsafe { core::slice::from_raw_parts(start as *const u8, end.wrapping_sub(start)) }
}

/// Writes the code, and what it is told, to the start of the pages, and clears the rest.
pub(super) fn fill_with_code(
    bytes: &mut [u8],
    parameters: &[u8; PARAMETERS_LEN],
) -> Result<(), AllocError> {
    let code = code();
    bytes.fill(0);
    write(bytes, 0, code)?;
    let end = code.len().saturating_sub(parameters.len());
    write(bytes, end, parameters)
}

/// The memory of what copies an image: pages outside the place that it is copied to.
pub(crate) struct Control<'a> {
    bytes: &'a mut [u8],
    addresses: &'a [u64],
}

impl<'a> Control<'a> {
    /// Pages with these contents, one after the other, at these physical addresses.
    pub(crate) fn new(bytes: &'a mut [u8], addresses: &'a [u64]) -> Self {
        Self { bytes, addresses }
    }

    /// The first page, which has the code.
    pub(super) fn code_page(&self) -> Result<Range, AllocError> {
        code_page(self.addresses).ok_or(AllocError)
    }

    /// Where each page is.
    pub(super) fn addresses(&self) -> &'a [u64] {
        self.addresses
    }

    /// What is in them.
    pub(super) fn bytes(&mut self) -> &mut [u8] {
        self.bytes
    }
}

/// The page of the code, of the pages at these addresses.
pub(crate) fn code_page(addresses: &[u64]) -> Option<Range> {
    Range::from_start_len(*addresses.first()?, PAGE_SIZE as u64)
}

/// Writes at an offset, if there is room.
fn write(bytes: &mut [u8], offset: usize, what: &[u8]) -> Result<(), AllocError> {
    let place = bytes
        .get_mut(offset..)
        .and_then(|rest| rest.get_mut(..what.len()));
    place.ok_or(AllocError)?.copy_from_slice(what);
    Ok(())
}

/// Writes the entries of page tables at an offset.
pub(super) fn write_tables<'a>(
    bytes: &mut [u8],
    mut offset: usize,
    entries: impl IntoIterator<Item = &'a u64>,
) -> Result<(), AllocError> {
    for entry in entries {
        let entry = entry.to_le_bytes();
        write(bytes, offset, &entry)?;
        offset += entry.len();
    }
    Ok(())
}

/// What the relocator is told, which has this top table, and sees what is copied to `place` at `window`. The
/// purgatory's memory is in that place.
pub(super) fn parameters(
    top_table: u64,
    window: Range,
    place: Range,
    purgatory_memory: Range,
    purgatory: &Addresses,
) -> Result<[u8; PARAMETERS_LEN], Refusal> {
    let offset = purgatory_memory.start().wrapping_sub(place.start());
    Ok(Parameters {
        tables: top_table,
        window: window.start(),
        place: place.start(),
        len: place.len(),
        purgatory_window: window.start().wrapping_add(offset),
        purgatory: purgatory.entry,
        purgatory_len: purgatory_memory.len(),
        purgatory_tables: purgatory.top_table,
        table: purgatory.table,
    }
    .encode())
}
