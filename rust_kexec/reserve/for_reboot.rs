// SPDX-License-Identifier: GPL-2.0

//! The memory of an image that a reboot enters: taken from the running kernel where the image is to run, so
//! that nothing is copied when the machine reboots.

use super::run_time::RunTimeMemory;
use crate::{
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::physical::{
        ReservedMemory,
        Windows, //
    }, //
};
use kexec_core::types::ranges::Range;

/// Memory in one piece, for one image. Dropping it gives it back.
pub(crate) struct RebootMemory {
    memory: ReservedMemory,
    // Dropped in this order.
    _windows: Windows,
    _taken: RunTimeMemory,
}

impl RebootMemory {
    /// Takes so many bytes, at a multiple of [`kexec_core::contiguous::ALIGNMENT`].
    pub(crate) fn take(len: u64) -> Result<Self, Refusal> {
        let taken = RunTimeMemory::take_in_one_piece(len)?;
        let range = taken.ranges().first().copied();
        let range = range.ok_or(RegionError::NoPlaceForReboot {
            wanted: len,
            largest: 0,
        })?;
        let windows = Windows::direct(range, Range::default())?;
        Ok(Self {
            // SAFETY: The memory was taken for this image, and is given back after the windows are
            // closed; nobody else knows of it.
            memory: unsafe { windows.memory() },
            _windows: windows,
            _taken: taken,
        })
    }

    /// Where it is.
    pub(crate) fn range(&self) -> Range {
        self.memory.range()
    }

    /// The memory.
    pub(crate) fn memory(&mut self) -> &mut ReservedMemory {
        &mut self.memory
    }
}
