// SPDX-License-Identifier: GPL-2.0

//! The elfcorehdr: which memory the dump consists of.

use super::kernel_text::kernel_text;
use crate::{
    arch::{
        memory,
        registers, //
    },
    compat::prelude::*,
    record::CrashRecord,
    refusal::Refusal,
    reserve::Reservation,
    sys::{
        iomem,
        physical, //
    }, //
};
use kernel::sync::Arc;
use kexec_core::{
    dump::elfcorehdr::{
        encode,
        encoded_len,
        Load,
        PROGRAM_HEADERS_MAX, //
    },
    types::ranges::{
        without,
        Range, //
    }, //
};

/// Room for so many more pieces of memory than there are at load: memory that comes and goes by
/// blocks of 128 MiB can leave 128 GiB in as many.
const MORE_PIECES: usize = 1024;

/// The parts of a header besides the memory that is online.
pub(crate) struct Sources {
    pub(crate) record: Arc<CrashRecord>,
    kernel_text: Load,
    /// Memory that the dump does not have.
    left_out: KVec<Range>,
}

/// A header, and how much of the memory it names.
pub(crate) struct EncodedElfcorehdr {
    pub(crate) bytes: KVVec<u8>,
    /// Separate pieces of memory.
    pub(crate) pieces: usize,
    /// Pieces that had no room any more.
    pub(crate) without_room: usize,
}

impl Sources {
    // Out of line for the stack: the sources on their way into the structure.
    #[inline(never)]
    pub(crate) fn new(
        record: Arc<CrashRecord>,
        reservation: &Reservation,
    ) -> Result<Self, Refusal> {
        let mut left_out = KVec::new();
        for range in reservation.usable().iter() {
            left_out.push(*range, GFP_KERNEL)?;
        }
        if let Some(excluded) = memory::excluded_from_dump() {
            left_out.push(excluded, GFP_KERNEL)?;
        }
        Ok(Self {
            record,
            kernel_text: kernel_text()?,
            left_out,
        })
    }

    /// How long headers can become that start as `header`.
    pub(crate) fn len_max(&self, header: &EncodedElfcorehdr) -> usize {
        let count = self.record.memory().count() + 1 + header.pieces + MORE_PIECES;
        encoded_len(count.min(PROGRAM_HEADERS_MAX), 0).max(header.bytes.len())
    }

    /// Builds the header of the memory that there is now, of `len_max` bytes at most: a PT_NOTE for
    /// each possible CPU, one for VMCOREINFO and one for the report, a PT_LOAD for the kernel's text
    /// and one for each piece of RAM that is online, without what the capture
    /// kernel may use. Memory that has no
    /// room is left out, the highest addresses first.
    // Out of line for the stack: lists and a header under way.
    #[inline(never)]
    pub(crate) fn build(&self, len_max: usize) -> Result<EncodedElfcorehdr, Refusal> {
        let mut notes: KVec<Range> = KVec::new();
        for memory in self.record.memory() {
            notes.push(memory, GFP_KERNEL)?;
        }
        let mut loads: KVVec<Load> = KVVec::new();
        loads.push(self.kernel_text, GFP_KERNEL)?;
        let mut without_room = 0;
        let ram = iomem::online_ram()?;
        for piece in without(ram.iter().copied(), &self.left_out) {
            if encoded_len(notes.len(), loads.len() + 1) > len_max {
                without_room += 1;
                continue;
            }
            let load = Load {
                virtual_address: physical::direct_map_address(piece.start()) as u64,
                memory: piece,
            };
            loads.push(load, GFP_KERNEL)?;
        }

        let mut bytes = KVVec::new();
        bytes.extend_with(encoded_len(notes.len(), loads.len()), 0, GFP_KERNEL)?;
        encode(&mut bytes, registers::ARCHITECTURE, &notes, &loads)?;
        Ok(EncodedElfcorehdr {
            bytes,
            pieces: loads.len() - 1,
            without_room,
        })
    }
}
