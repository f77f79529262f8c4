// SPDX-License-Identifier: GPL-2.0

//! Keeping the reserved memory for an image of ours, from the kernel's own kexec as well.

use super::crashkernel::Reservation;
use crate::refusal::{MachineError, Refusal, RegionError};
use crate::sys::ftrace::region::{RegionClaim, RegionGuard};
use crate::sys::{clock, kexec};

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
/// neither loads one nor is loading one.
pub(crate) struct Claim {
    reservation: Reservation,
    _region: RegionClaim,
}

/// How long somebody else's use of kexec's lock is waited for. A look at the region takes
/// microseconds, a load takes longer.
const PATIENCE_MILLISECONDS: u32 = 1000;
const LOOK_MILLISECONDS: u32 = 10;

impl Claim {
    /// Claims it, unless an image of the kernel's own is in it, or on its way.
    pub(crate) fn new(guard: &mut Guard) -> Result<Self, Refusal> {
        // A claim that must fail would be in the way of whoever replaces that image meanwhile.
        refuse_kernels_image()?;
        let region = guard.0.claim().map_err(|_| RegionError::KexecBusy)?;
        wait_for_kexec()?;
        refuse_kernels_image()?;
        // INVARIANT: A caller that was let through before the claim has had kexec's lock, if at all,
        // before it was found free, and so is done. None was let through since. What they did is found
        // by looking now.
        Ok(Self {
            reservation: Reservation::find()?,
            _region: region,
        })
    }

    /// The memory that is claimed.
    pub(crate) fn reservation(&self) -> &Reservation {
        &self.reservation
    }
}

fn refuse_kernels_image() -> Result<(), RegionError> {
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
