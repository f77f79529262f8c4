// SPDX-License-Identifier: GPL-2.0

//! The memory of an image that a reboot enters. It is taken from the running kernel where the image is to run,
//! so that nothing is copied when the machine reboots; else anywhere, and the image is copied then.

use super::{
    run_time::RunTimeMemory,
    scattered::ScatteredMemory, //
};
use crate::{
    arch::{
        code_page,
        Control,
        EnteredFrom, //
    },
    compat::prelude::*,
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::{
        memory,
        physical::{
            ReservedMemory,
            Windows, //
        }, //
    }, //
};
use kexec_core::types::ranges::Range;

/// Memory for one image, which lies in one piece in the end. Dropping it gives it back.
pub(crate) struct RebootMemory {
    memory: ReservedMemory,
    // Dropped in this order.
    _windows: Windows,
    taken: Taken,
}

/// What was taken from the running kernel.
enum Taken {
    /// The place where the image is to run.
    InPlace { _memory: KBox<RunTimeMemory> },
    /// Pages that are copied there.
    Scattered(ScatteredMemory),
}

impl RebootMemory {
    /// Takes so many bytes, at a multiple of [`kexec_core::contiguous::ALIGNMENT`].
    pub(crate) fn take(len: u64) -> Result<Self, Refusal> {
        let available = memory::available();
        if len > available {
            return Err(RegionError::TooLittleForReboot {
                wanted: len,
                available,
            }
            .into());
        }
        let (windows, taken) = match RunTimeMemory::take_in_one_piece(len)? {
            Some((range, memory)) => {
                let windows = Windows::direct(range, Range::default())?;
                let taken = Taken::InPlace {
                    _memory: KBox::new(memory, GFP_KERNEL)?,
                };
                (windows, taken)
            }
            None => {
                let taken = ScatteredMemory::take(len)?;
                let windows = Windows::elsewhere(taken.place(), taken.address())?;
                (windows, Taken::Scattered(taken))
            }
        };
        Ok(Self {
            // SAFETY: The memory was taken for this image, and is mapped there until it is given back, after
            // the windows are closed; nobody else knows of it.
            memory: unsafe { windows.memory() },
            _windows: windows,
            taken,
        })
    }

    /// Where the image will be when it is entered.
    pub(crate) fn range(&self) -> Range {
        self.memory.range()
    }

    /// The memory, by the addresses that it will have.
    pub(crate) fn memory(&mut self) -> &mut ReservedMemory {
        &mut self.memory
    }

    /// Who enters the image's purgatory.
    pub(crate) fn enters(&self) -> EnteredFrom {
        let code = match &self.taken {
            Taken::InPlace { .. } => None,
            Taken::Scattered(taken) => code_page(taken.control_pages()),
        };
        match code {
            Some(code) => EnteredFrom::Relocator(code),
            None => EnteredFrom::Kernel { report: None },
        }
    }

    /// What is to copy the image, and the addresses of the image's pages, where it has to be copied.
    pub(crate) fn control(&mut self) -> Option<(Control<'_>, &[u64])> {
        match &mut self.taken {
            Taken::InPlace { .. } => None,
            Taken::Scattered(taken) => Some(taken.control()),
        }
    }

    /// What is there of what copies the image.
    pub(crate) fn control_bytes(&self) -> Option<&[u8]> {
        match &self.taken {
            Taken::InPlace { .. } => None,
            Taken::Scattered(taken) => Some(taken.control_bytes()),
        }
    }

    /// Whether the place where the image is to run is still memory.
    pub(crate) fn has_place(&self) -> bool {
        match &self.taken {
            Taken::InPlace { .. } => true,
            Taken::Scattered(taken) => taken.has_place(),
        }
    }
}
