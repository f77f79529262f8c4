// SPDX-License-Identifier: GPL-2.0

//! The room of an image: the part of the region that it is planned in.
//!
//! An image that replaces another one goes beside it where both fit, so that one of them can be entered
//! at every moment. Each is packed to an end of its room, and the two ends take turns. So the armed
//! image always leaves one long piece, and not two short ones: where the region has room for two, the
//! next image fits, however often images of changing lengths replace each other.

use crate::types::ranges::Range;

/// The free place to take, where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    /// The place with the lowest address.
    Lowest,
    /// The place with the highest address.
    Highest,
}

/// A part of the region, and the end that an image is packed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The part.
    pub range: Range,
    /// The end: where each segment goes that has a choice.
    pub packing: Placement,
}

impl Room {
    /// All of the region, for an image that has nothing beside it.
    pub const fn whole(region: Range) -> Self {
        Self {
            range: region,
            packing: Placement::Lowest,
        }
    }

    /// What `image`, from its first segment to its last one, leaves of the region below it and above
    /// it. The longer part comes first; either can be empty.
    pub fn beside(region: Range, image: Range) -> [Self; 2] {
        let part = |start, end, packing| Self {
            range: Range::new(start, end).unwrap_or_default(),
            packing,
        };
        let below = part(region.start(), image.start(), Placement::Lowest);
        let above = part(image.end(), region.end(), Placement::Highest);
        match below.range.len() < above.range.len() {
            true => [above, below],
            false => [below, above],
        }
    }
}
