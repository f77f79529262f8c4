// SPDX-License-Identifier: GPL-2.0

//! The memory that is taken from the running kernel.

use crate::{
    arch::memory::limits,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::{
        contiguous::{
            Contiguous,
            KernelMemory,
            CAN_BE_TAKEN, //
        },
        iomem,
        memory, //
    }, //
};
use kexec_core::{
    contiguous::{
        take,
        take_within,
        Limits,
        Pieces, //
    },
    types::ranges::Range, //
};

/// How many places are tried for one piece, which an image can do without.
const TRIES_MAX: usize = 8;

/// Memory that was taken from the running kernel. Dropping it gives it back.
pub(crate) struct RunTimeMemory {
    pieces: Pieces<Contiguous>,
    wanted: u64,
}

impl RunTimeMemory {
    /// Takes so many bytes, if the kernel can spare them.
    pub(crate) fn take(wanted: u64) -> Result<Self, Refusal> {
        if !CAN_BE_TAKEN {
            return Err(RegionError::CannotBeTaken.into());
        }
        let available = memory::available();
        if wanted > available {
            return Err(RegionError::NotAvailable { wanted, available }.into());
        }
        let ram = iomem::online_ram()?;
        let pieces = take(&mut KernelMemory, &ram, limits(&ram), wanted)?;
        Ok(Self { pieces, wanted })
    }

    /// Takes so many bytes in one piece, and says where it is, if the kernel can empty such a place within a few
    /// tries.
    pub(super) fn take_in_one_piece(wanted: u64) -> Result<Option<(Range, Self)>, Refusal> {
        if !CAN_BE_TAKEN {
            return Ok(None);
        }
        let ram = iomem::online_ram()?;
        let limits = Limits {
            pieces: 1,
            ..limits(&ram)
        };
        let Ok(pieces) = take_within(&mut KernelMemory, &ram, limits, wanted, TRIES_MAX) else {
            return Ok(None);
        };
        let range = pieces.ranges().as_slice().first().copied();
        Ok(range.map(|range| (range, Self { pieces, wanted })))
    }

    /// How much was asked for.
    pub(crate) fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Where it is, in ascending order.
    pub(super) fn ranges(&self) -> &[Range] {
        self.pieces.ranges().as_slice()
    }
}
