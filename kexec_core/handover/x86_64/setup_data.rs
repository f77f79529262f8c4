// SPDX-License-Identifier: GPL-2.0

//! The rest of the boot_params segment: the command line, the firmware's memory map, and the list
//! of `struct setup_data`, which extends boot_params (`Documentation/arch/x86/boot.rst`, field
//! "setup_data").

use super::{
    boot_params::BootParams,
    efi, //
};
use crate::types::{
    bytes::{
        to_u64,
        write, //
    },
    ranges::CapacityError, //
};

/// Length of the header before a node's data.
pub const HEADER_LEN: usize = 16;
/// In a node: physical address of the next one, 0 in the last.
const NEXT: usize = 0;
/// In a node: [`SetupDataType`] as a number.
const TYPE: usize = 8;
/// In a node: length of the data.
const LEN: usize = 12;

/// Length of the seed for random numbers, as kexec_file_load(2) gives it.
pub const RNG_SEED_LEN: usize = 32;

/// Alignment of all parts of the segment.
const ALIGNMENT: usize = 16;

const _: () = assert!(LEN + 4 == HEADER_LEN && HEADER_LEN % ALIGNMENT == 0);

/// The contents of a node (the kernel's asm/setup_data.h).
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetupDataType {
    /// [`efi::SetupData`].
    Efi = 4,
    /// A seed for the kernel's random numbers. The kernel clears it after reading.
    RngSeed = 9,
}

/// The room that contents take with their alignment.
const fn room(len: usize) -> usize {
    len.saturating_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

/// The room after boot_params that is needed for a command line with its NUL, for the firmware's
/// memory map if there is one, and for the nodes.
pub fn tail_len(command_line_len: usize, efi_memory_map_len: Option<usize>) -> usize {
    let seed = room(HEADER_LEN + RNG_SEED_LEN);
    let efi = efi_memory_map_len.map_or(0, |len| {
        room(len).saturating_add(room(HEADER_LEN + efi::SETUP_DATA_LEN))
    });
    room(command_line_len)
        .saturating_add(efi)
        .saturating_add(seed)
}

/// The memory after boot_params, which is filled from its start.
#[derive(Debug)]
pub struct Tail<'a> {
    bytes: &'a mut [u8],
    address: u64,
    used: usize,
}

impl<'a> Tail<'a> {
    /// Starts with empty memory. `bytes` will lie at physical address `address` and must be zeroed.
    pub fn new(bytes: &'a mut [u8], address: u64) -> Self {
        Self {
            bytes,
            address,
            used: 0,
        }
    }

    /// Appends the parts, one right after the other, and returns their physical address.
    pub fn push(&mut self, parts: &[&[u8]]) -> Result<u64, CapacityError> {
        let full = CapacityError {
            capacity: self.bytes.len(),
        };
        let start = self.used;
        let len = parts
            .iter()
            .fold(0_usize, |len, part| len.saturating_add(part.len()));
        let end = start.saturating_add(len);
        let place = self.bytes.get_mut(start..end).ok_or(full)?;
        let mut offset = 0_usize;
        for part in parts {
            write(place, offset, part);
            offset = offset.saturating_add(part.len());
        }
        self.used = room(end);
        Ok(self.address.wrapping_add(to_u64(start)))
    }

    /// Appends a node and makes it the first in the list of `params`.
    pub fn push_setup_data(
        &mut self,
        params: &mut BootParams<'_>,
        setup_data_type: SetupDataType,
        data: &[u8],
    ) -> Result<(), CapacityError> {
        let mut header = [0; HEADER_LEN];
        write(&mut header, NEXT, &params.setup_data().to_le_bytes());
        write(&mut header, TYPE, &(setup_data_type as u32).to_le_bytes());
        write(&mut header, LEN, &(data.len() as u32).to_le_bytes());
        let address = self.push(&[&header, data])?;
        params.set_setup_data(address);
        Ok(())
    }
}
