// SPDX-License-Identifier: GPL-2.0

//! The files below `/sys/module/rust_kexec/region`: one value each, and a line's end.

use super::status::{
    Protection,
    RegionHolder,
    RegionRecord,
    RegionSource,
    Status, //
};
use core::{
    ffi::CStr,
    fmt, //
};

/// A file about the memory for images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionFile {
    /// Who has set the memory aside: a [`RegionSource`]'s name, or `none`.
    Source,
    /// The addresses of the region that images are placed in, as `START-END`, END just after it; or `none`.
    Range,
    /// The addresses of more memory for the capture kernel, with spaces between; or `none`.
    More,
    /// The addresses of memory for the capture kernel that the running one uses as well, with spaces
    /// between; or `none`.
    Shared,
    /// How much all of it is, in bytes, without what is shared.
    Size,
    /// How much of the region the armed image has, in bytes.
    Used,
    /// How much of the region is left, in bytes.
    Free,
    /// Who has an image in the region: a [`RegionHolder`]'s name, or `none` where there is no region.
    Holder,
    /// 1 if an image is armed and cannot be written to, else 0.
    WriteProtected,
}

impl RegionFile {
    /// Every file.
    pub const ALL: [Self; 9] = [
        Self::Source,
        Self::Range,
        Self::More,
        Self::Shared,
        Self::Size,
        Self::Used,
        Self::Free,
        Self::Holder,
        Self::WriteProtected,
    ];

    /// The file's name.
    pub const fn name(self) -> &'static CStr {
        match self {
            Self::Source => c"source",
            Self::Range => c"range",
            Self::More => c"more",
            Self::Shared => c"shared",
            Self::Size => c"size",
            Self::Used => c"used",
            Self::Free => c"free",
            Self::Holder => c"holder",
            Self::WriteProtected => c"write_protected",
        }
    }

    /// Who may read it: addresses are root's, as in /proc/iomem.
    pub const fn mode(self) -> u16 {
        match self {
            Self::Range | Self::More | Self::Shared => 0o400,
            _ => 0o444,
        }
    }

    /// Writes what the file says of a status.
    pub fn write(self, status: &Status, to: &mut impl fmt::Write) -> fmt::Result {
        let used = status.used();
        match self {
            Self::Source => writeln!(to, "{}", source(status.source)),
            Self::Range => addresses([status.region], to),
            Self::More => addresses(status.others(), to),
            Self::Shared => addresses(status.shared(), to),
            Self::Size => {
                let others = status.others().map(|region| region.len);
                let size = others.fold(status.region.len, u64::saturating_add);
                writeln!(to, "{size}")
            }
            Self::Used => writeln!(to, "{used}"),
            Self::Free => writeln!(to, "{}", status.region.len.saturating_sub(used)),
            Self::Holder => writeln!(to, "{}", holder(status.holder)),
            Self::WriteProtected => {
                let protection = Protection::from_number(status.protection);
                let is_protected = protection == Some(Protection::ReadOnly);
                writeln!(to, "{}", u8::from(is_protected))
            }
        }
    }
}

const NONE: &str = "none";

fn source(number: u32) -> &'static str {
    RegionSource::from_number(number).map_or(NONE, RegionSource::name)
}

fn holder(number: u32) -> &'static str {
    RegionHolder::from_number(number).map_or(NONE, RegionHolder::name)
}

/// Those of regions that are there.
fn addresses(
    regions: impl IntoIterator<Item = RegionRecord>,
    to: &mut impl fmt::Write,
) -> fmt::Result {
    let mut before = "";
    for region in regions.into_iter().filter(|region| region.len != 0) {
        let end = region.start.saturating_add(region.len);
        write!(to, "{before}{:#x}-{end:#x}", region.start)?;
        before = " ";
    }
    match before {
        "" => writeln!(to, "{NONE}"),
        _ => writeln!(to),
    }
}
