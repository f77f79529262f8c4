// SPDX-License-Identifier: GPL-2.0

//! Sizes, as sentences give them.

use core::fmt;

/// A number of bytes, written for people: `0x3d00000 bytes (61 MiB)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u32, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];

        write!(f, "{:#x} bytes", self.0)?;
        for (shift, unit) in UNITS {
            let whole = self.0 >> shift;
            if whole > 0 {
                let rest = self.0 & ((1 << shift) - 1);
                // `rest` has at most 30 bits, so ten times that cannot overflow.
                let tenths = (rest * 10) >> shift;
                return match tenths {
                    0 => write!(f, " ({whole} {unit})"),
                    _ => write!(f, " ({whole}.{tenths} {unit})"),
                };
            }
        }
        Ok(())
    }
}
