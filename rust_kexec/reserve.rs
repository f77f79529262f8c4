// SPDX-License-Identifier: GPL-2.0

//! First stage: the memory that was set aside for the capture kernel.

use crate::refusal::Refusal;
use crate::sys::ftrace::{RegionClaim, RegionGuard};
use crate::sys::{clock, iomem, kexec};
use kernel::bindings;
use kexec_core::types::ranges::{Range, RangeList};

/// `crashkernel=` reserves one region, or with `,high` a second one for DMA below 4 GiB.
const REGIONS_MAX: usize = 2;

/// What `crashkernel=` reserved.
pub(crate) struct Reservation {
    regions: RangeList<REGIONS_MAX>,
    region: Range,
}

impl Reservation {
    /// Finds it in the resource tree.
    pub(crate) fn find() -> Result<Self, Refusal> {
        let mut regions = RangeList::new();
        for region in &iomem::described(bindings::IORES_DESC_CRASH_KERNEL)? {
            regions.push(*region)?;
        }
        let region = *regions.as_slice().last().ok_or(Refusal::NoReservation)?;
        Ok(Self { regions, region })
    }

    /// The region that the image goes into: the higher one, where there are two.
    pub(crate) fn region(&self) -> Range {
        self.region
    }

    /// The lower region, where there are two.
    pub(crate) fn low_region(&self) -> Option<Range> {
        match *self.regions.as_slice() {
            [low, _] => Some(low),
            _ => None,
        }
    }

    /// All regions, in ascending order.
    pub(crate) fn regions(&self) -> &[Range] {
        self.regions.as_slice()
    }
}

/// What `crashkernel=` reserved, for an image of ours alone.
///
/// # Invariants
///
/// `reservation` is what is reserved, and stays so. The kernel's own kexec has no crash image, and
/// neither loads one nor is loading one.
pub(crate) struct Claim {
    reservation: Reservation,
    _region: RegionClaim,
}

/// How long somebody else's use of kexec's lock is waited for. Who looks at the region has it for
/// microseconds; who loads has it for longer.
const PATIENCE_MILLISECONDS: u32 = 1000;
const LOOK_MILLISECONDS: u32 = 10;

impl Claim {
    /// Claims it, unless an image of the kernel's own is in it, or on its way.
    pub(crate) fn new(guard: &mut RegionGuard) -> Result<Self, Refusal> {
        // A claim that must fail would be in the way of whoever replaces that image meanwhile.
        refuse_kernels_image()?;
        let region = guard.claim().map_err(|_| Refusal::KexecBusy)?;
        wait_for_kexec()?;
        refuse_kernels_image()?;
        // INVARIANT: Who was let through before the claim has got kexec's lock, if he got it at all,
        // before it was free, and so has done what he came for; nobody was let through since. What
        // they did is found by looking now.
        Ok(Self {
            reservation: Reservation::find()?,
            _region: region,
        })
    }

    /// What is claimed.
    pub(crate) fn reservation(&self) -> &Reservation {
        &self.reservation
    }
}

fn refuse_kernels_image() -> Result<(), Refusal> {
    match kexec::has_image() {
        true => Err(Refusal::KernelImageLoaded),
        false => Ok(()),
    }
}

/// Waits until nobody holds kexec's lock.
fn wait_for_kexec() -> Result<(), Refusal> {
    for _ in 0..PATIENCE_MILLISECONDS / LOOK_MILLISECONDS {
        if kexec::is_idle() {
            return Ok(());
        }
        clock::sleep_milliseconds(LOOK_MILLISECONDS);
    }
    Err(Refusal::KexecBusy)
}
