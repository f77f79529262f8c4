// SPDX-License-Identifier: GPL-2.0

//! The ELF core header: which memory the dump consists of.

use super::crash_notes::CrashNotes;
use super::crash_report::CrashReport;
use super::kernel_text::kernel_text;
use super::vmcoreinfo::CrashVmcoreinfo;
use crate::arch::{memory, registers};
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::reserve::Reservation;
use crate::sys::{iomem, physical};
use kexec_core::elfcorehdr::{encode, encoded_len, Load};
use kexec_core::ranges::{without, Range};

/// Builds the header: a PT_NOTE for each possible CPU, one for VMCOREINFO and one for the report, a
/// PT_LOAD for the kernel's text and one for each piece of System RAM, without the crash regions.
#[inline(never)]
pub(super) fn build(
    notes: &CrashNotes,
    vmcoreinfo: &CrashVmcoreinfo,
    report: &CrashReport,
    reservation: &Reservation,
) -> Result<KVec<u8>, Refusal> {
    let mut note_memory: KVec<Range> = KVec::new();
    for memory in Iterator::chain(notes.memory(), [vmcoreinfo.memory(), report.memory()]) {
        note_memory.push(memory, GFP_KERNEL)?;
    }

    let mut left_out: KVec<Range> = KVec::new();
    left_out.extend_from_slice(reservation.regions(), GFP_KERNEL)?;
    if let Some(excluded) = memory::excluded_from_dump() {
        left_out.push(excluded, GFP_KERNEL)?;
    }
    let ram = iomem::system_ram()?;
    let mut loads = KVec::new();
    loads.push(kernel_text()?, GFP_KERNEL)?;
    for piece in without(ram.iter().copied(), &left_out) {
        let load = Load {
            virtual_address: physical::direct_map_address(piece.start()) as u64,
            memory: piece,
        };
        loads.push(load, GFP_KERNEL)?;
    }

    let mut header = KVec::new();
    header.extend_with(encoded_len(note_memory.len(), loads.len()), 0, GFP_KERNEL)?;
    encode(&mut header, registers::MACHINE, &note_memory, &loads)?;
    Ok(header)
}
