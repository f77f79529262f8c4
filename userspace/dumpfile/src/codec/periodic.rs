// SPDX-License-Identifier: GPL-2.0

//! Another setting of the same compressor for pages in which much repeats.

use crate::page::is_periodic;

/// A compressor, and one for periodic pages, where there is one.
pub struct ByPeriod<C> {
    others: C,
    periodic: Option<C>,
    one_in: usize,
}

impl<C> ByPeriod<C> {
    /// Pages of which more than one word in `one_in` repeats take `periodic`.
    pub fn new(others: C, periodic: Option<C>, one_in: usize) -> Self {
        Self {
            others,
            periodic,
            one_in,
        }
    }

    /// The compressor for a page.
    pub fn of(&mut self, page: &[u8]) -> &mut C {
        match &mut self.periodic {
            Some(periodic) if is_periodic(page, self.one_in) => periodic,
            _ => &mut self.others,
        }
    }
}
