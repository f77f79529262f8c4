// SPDX-License-Identifier: GPL-2.0

//! Whether an arm64 kernel can be entered: the conditions, and why one is refused.

use core::fmt;

use super::header::{
    ImageHeader,
    BASE_ALIGNMENT, //
};
use crate::{
    image::{
        fits,
        KernelImage,
        Verified, //
    },
    types::{
        errno::Errno,
        granule::Granule,
        ranges::Range,
        size::Size, //
    }, //
};

/// Physical memory that an image can be entered in.
pub(super) const PHYSICAL_LIMIT: Range = match Range::new(0, 1 << 48) {
    Some(limit) => limit,
    None => Range::ALL,
};
/// Why an image does not suit the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyError {
    /// The CPU has no pages of the size that the kernel uses.
    PageSize {
        /// The size.
        granule: Granule,
    },
    /// The kernel does not fit into the region.
    TooBig {
        /// Memory that the kernel needs, from a multiple of [`BASE_ALIGNMENT`] on.
        len: u64,
        /// The region.
        region: Range,
    },
}

impl VerifyError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::PageSize { .. } => Errno::Inval,
            Self::TooBig { .. } => Errno::AddrNotAvail,
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PageSize { granule } => write!(
                f,
                "the kernel uses pages of {} KiB, which this machine's CPUs do not have: use one \
                 built with another page size",
                granule.page_len() >> 10
            ),
            Self::TooBig { len, region } => {
                write!(
                    f,
                    "the kernel needs {} at a multiple of {BASE_ALIGNMENT:#x}",
                    Size(len)
                )?;
                if !PHYSICAL_LIMIT.encloses(&region) {
                    write!(f, " within {PHYSICAL_LIMIT}")?;
                }
                write!(
                    f,
                    ", but the crash region {region} has {}: reserve more with crashkernel=",
                    Size(region.len())
                )
            }
        }
    }
}

/// The page sizes that all CPUs of a machine have (ID_AA64MMFR0_EL1.TGran4, TGran16, TGran64).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSizes {
    /// Pages of 4 KiB.
    pub kib4: bool,
    /// Pages of 16 KiB.
    pub kib16: bool,
    /// Pages of 64 KiB.
    pub kib64: bool,
}

impl PageSizes {
    /// Whether `granule` is one of them.
    pub fn contains(&self, granule: Granule) -> bool {
        match granule {
            Granule::Kib4 => self.kib4,
            Granule::Kib16 => self.kib16,
            Granule::Kib64 => self.kib64,
        }
    }
}

/// The conditions under which an image is entered: the running machine's CPUs, and the crash
/// region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryConditions {
    /// The page sizes that its CPUs have.
    pub page_sizes: PageSizes,
    /// The region that was reserved for the capture kernel.
    pub region: Range,
}

/// Checks that the kernel with this header can be entered on this machine, in this region.
pub(super) fn verify<T: KernelImage>(
    header: &ImageHeader,
    kernel: T,
    conditions: &EntryConditions,
) -> Result<Verified<T>, VerifyError> {
    if let Some(granule) = header.granule() {
        if !conditions.page_sizes.contains(granule) {
            return Err(VerifyError::PageSize { granule });
        }
    }
    let region = conditions.region;
    if !fits(&kernel, region) {
        let len = header.text_offset().saturating_add(header.image_size());
        return Err(VerifyError::TooBig { len, region });
    }
    Ok(Verified::new(kernel))
}
