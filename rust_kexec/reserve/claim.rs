// SPDX-License-Identifier: GPL-2.0

//! Keeping the reserved memory for an image of ours, from the kernel's own kexec as well.

use super::reservation::{
    Reservation,
    SetAside, //
};
use crate::{
    refusal::{
        MachineError,
        Refusal,
        RegionError, //
    },
    sys::{
        clock,
        hook::{
            region::{
                RegionClaim,
                RegionGuard, //
            },
            CAN_FAIL, //
        },
        kexec,
        physical::{
            ReservedMemory,
            Windows, //
        }, //
    }, //
};
use kexec_core::types::ranges::{
    Range,
    RangeList, //
};

/// The watch over loads into the reserved memory, and over its shrinking. While nothing is claimed it
/// lets all pass.
pub(crate) struct Guard(RegionGuard);

impl Guard {
    /// Puts the guard up.
    pub(crate) fn register() -> Result<Self, Refusal> {
        let guard = RegionGuard::register().map_err(|error| MachineError::Hook {
            what: "loading a crash image by the kernel's own kexec",
            error,
        })?;
        Ok(Self(guard))
    }
}

/// The reserved memory, for an image of ours alone.
///
/// # Invariants
///
/// `reservation` is what is reserved, and stays so. The kernel's own kexec has no crash image, and
/// neither loads one nor is loading one. `taken` has every part of the region that was taken and not
/// given back.
///
/// Where the guard is made of hooks that can fail, the first two hold while they work. [`Self::check`]
/// looks again.
pub(crate) struct Claim {
    reservation: Reservation,
    taken: RangeList<IMAGES_MAX>,
    _region: RegionClaim,
}

/// The armed image, and the one that is to replace it.
const IMAGES_MAX: usize = 2;

/// A part of the region that is one image's. Nobody else can take any of it before it is given back.
pub(crate) struct Taken {
    memory: ReservedMemory,
    _windows: Windows,
}

impl Taken {
    /// The memory.
    pub(crate) fn memory(&mut self) -> &mut ReservedMemory {
        &mut self.memory
    }
}

/// How long somebody else's use of kexec's lock is waited for. A look at the region takes
/// microseconds, a load takes longer.
const PATIENCE_MILLISECONDS: u32 = 1000;
const LOOK_MILLISECONDS: u32 = 10;

impl Claim {
    /// Claims what the kernel reserved, or else what the module has set aside itself, unless an image of the
    /// kernel's own is in it, or on its way.
    pub(crate) fn new(guard: &mut Guard, own: Option<&SetAside>) -> Result<Self, Refusal> {
        // A claim that must fail would be in the way of whoever replaces that image meanwhile.
        refuse_kernels_image()?;
        let region = guard.0.claim().map_err(|_| RegionError::KexecBusy)?;
        wait_for_kexec()?;
        refuse_kernels_image()?;
        // INVARIANT: A caller that was let through before the claim has had kexec's lock, if at all,
        // before it was found free, and so is done. None was let through since. What they did is found
        // by looking now.
        Ok(Self {
            reservation: Reservation::find(own)?,
            taken: RangeList::new(),
            _region: region,
        })
    }

    /// Refuses what is left of a claim that the guard has failed to keep.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if !CAN_FAIL {
            return Ok(());
        }
        refuse_kernels_image()?;
        match self.reservation.again()?.region() == self.reservation.region() {
            true => Ok(()),
            false => Err(RegionError::Changed.into()),
        }
    }

    /// The memory that is claimed.
    pub(crate) fn reservation(&self) -> &Reservation {
        &self.reservation
    }

    /// From the first byte that is taken to the last one.
    pub(crate) fn occupied(&self) -> Option<Range> {
        let taken = self.taken.iter().copied();
        taken.reduce(|one, other| one.hull(&other))
    }

    /// Takes the part of the region that `windows` are of for an image, if it is free.
    pub(crate) fn take(&mut self, windows: Windows) -> Result<Taken, Windows> {
        let part = windows.range();
        let in_use = self.taken.iter().any(|taken| taken.overlaps(&part));
        let free = !in_use && self.reservation.region().encloses(&part);
        if !free || self.taken.push(part).is_err() {
            return Err(windows);
        }
        Ok(Taken {
            // SAFETY: The region is reserved for images of ours. By the invariant nobody else has any of
            // this part, and nobody gets it before it is given back. The windows are there as long.
            memory: unsafe { windows.memory() },
            _windows: windows,
        })
    }

    /// Takes a part back, which its image must have left.
    pub(crate) fn give_back(&mut self, taken: Taken) {
        // There is no place for two halves of what two images had side by side: then it is kept.
        let _ = self.taken.subtract(taken.memory.range());
    }
}

/// Refuses a load while the kernel's own kexec has a crash image.
pub(crate) fn refuse_kernels_image() -> Result<(), RegionError> {
    match kexec::has_image() {
        true => Err(RegionError::KernelImageLoaded),
        false => Ok(()),
    }
}

/// Waits until nobody holds kexec's lock.
fn wait_for_kexec() -> Result<(), RegionError> {
    for _ in 0..PATIENCE_MILLISECONDS / LOOK_MILLISECONDS {
        if kexec::is_idle() {
            return Ok(());
        }
        clock::sleep_milliseconds(LOOK_MILLISECONDS);
    }
    Err(RegionError::KexecBusy)
}
