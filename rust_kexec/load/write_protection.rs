// SPDX-License-Identifier: GPL-2.0

//! Write protection of a loaded image in the kernel's map of all RAM, or where else the kernel sees it.
//!
//! Once an image is copied nothing of its memory is written there, but for the slots of the
//! elfcorehdr. The rest of the region stays writable, for the next image. The purgatory runs on the identity map.

use crate::{
    arch::protect::{
        Failure,
        Region, //
    },
    compat::prelude::*,
    sys::physical::View, //
};

/// A protection that is lifted for as long as this lives.
pub(super) struct Lifted<'a>(&'a mut WriteProtection);

impl Drop for Lifted<'_> {
    fn drop(&mut self) {
        // The part that could be made writable is still mapped in the same way.
        let _ = self.0 .0.make_read_only();
    }
}

/// Memory that nobody can write to by the kernel's map, for as long as this lives.
pub(super) struct WriteProtection(Region);

impl WriteProtection {
    /// Protects `region`, which is memory of ours. If that cannot be done, says so
    /// in the log and leaves it writable: a digest is checked before anything of it is used.
    pub(super) fn of(region: View) -> Option<Self> {
        match Self::try_of(region) {
            Ok(protection) => Some(protection),
            Err(failure) => {
                pr_warn!(
                    "the loaded image is not write-protected: {}\n",
                    format_args!("{failure}")
                );
                None
            }
        }
    }

    /// Allows writes for as long as what is returned lives.
    pub(super) fn lift(&mut self) -> Result<Lifted<'_>, Failure> {
        // A failure half way is undone by dropping it.
        let lifted = Lifted(self);
        lifted.0 .0.make_writable()?;
        Ok(lifted)
    }

    fn try_of(region: View) -> Result<Self, Failure> {
        // A failure half way is undone by dropping it.
        let protection = Self(Region::split_off(region)?);
        protection.0.make_read_only()?;
        Ok(protection)
    }
}

impl Drop for WriteProtection {
    fn drop(&mut self) {
        // The part that could be made read-only is still mapped in the same way.
        let _ = self.0.make_writable();
    }
}
