// SPDX-License-Identifier: GPL-2.0

//! Memory of a running kernel in pages from anywhere. An image is written there where no piece of memory
//! can be had that is long enough, and copied to its place when the machine reboots.
//!
//! The running kernel uses the place until then. Some of the pages that it gives may lie there, so that
//! copying one page could overwrite another that is not copied yet. This is ruled out before anything is
//! written: a page of the place is the image's page at that very address, and all others are outside. Then
//! the order of the copies makes no difference, and what controls them is overwritten by none.

#[cfg(test)]
mod tests;

use crate::types::{
    errno::Errno,
    ranges::Range, //
};
use core::fmt;

/// Pages that somebody has, each by its physical address.
pub trait Pages {
    /// The addresses, all of them different.
    fn addresses(&self) -> &[u64];

    /// Makes two of them change places in that list.
    fn exchange(&mut self, one: usize, other: usize);
}

/// Pages for an image, and for the code that copies it.
///
/// # Invariants
///
/// The first pages are the image's, in the order in which they are copied to `place`; each is where it is
/// copied to, or outside `place`. The rest are outside `place`.
#[derive(Debug)]
pub struct Scattered<P> {
    pages: P,
    place: Range,
    image_pages: usize,
}

impl<P: Pages> Scattered<P> {
    /// Arranges pages of `page_len` bytes, a power of two. There have to be as many as `place` has, and as
    /// many more as are to be for the code.
    ///
    /// Any number of them can lie in `place`: that has no more pages than the image, so enough are
    /// outside.
    pub fn arrange(mut pages: P, place: Range, page_len: u64) -> Result<Self, ScatteredError> {
        let image_pages = match place.align_inward(page_len) {
            Some(whole) if whole == place => place.len().checked_div(page_len),
            _ => None,
        };
        let image_pages = image_pages.and_then(|pages| usize::try_from(pages).ok());
        let image_pages = image_pages.ok_or(ScatteredError::NoPages(place))?;
        let count = pages.addresses().len();
        if count < image_pages {
            return Err(ScatteredError::TooFew {
                wanted: image_pages,
                count,
            });
        }
        let own = |address: u64| own_index(address, place, page_len);
        for index in 0..count {
            // Each exchange brings a page to where it stays.
            while let Some(wanted) = index_at(&pages, index).and_then(own) {
                if wanted == index {
                    break;
                }
                if index_at(&pages, wanted).and_then(own) == Some(wanted) {
                    return Err(ScatteredError::Twice(place));
                }
                pages.exchange(index, wanted);
            }
        }
        // Looked at again, independently of the above: a page in the wrong place is overwritten before it
        // is copied.
        for (index, address) in pages.addresses().iter().enumerate() {
            let page = Range::from_start_len(*address, page_len);
            let page = page.filter(|page| page.align_inward(page_len) == Some(*page));
            let page = page.ok_or(ScatteredError::Misplaced(*address))?;
            let target = target(index, place, page_len);
            if page.overlaps(&place) && (index >= image_pages || target != Some(page.start())) {
                return Err(ScatteredError::Misplaced(*address));
            }
        }
        // INVARIANT: Just checked.
        Ok(Self {
            pages,
            place,
            image_pages,
        })
    }

    /// The image's pages, in the order in which they are copied to its place.
    pub fn image(&self) -> &[u64] {
        let pages = self.pages.addresses().get(..self.image_pages);
        pages.unwrap_or_default()
    }

    /// The pages for the code that copies.
    pub fn control(&self) -> &[u64] {
        let pages = self.pages.addresses().get(self.image_pages..);
        pages.unwrap_or_default()
    }

    /// Where the image is copied to.
    pub fn place(&self) -> Range {
        self.place
    }
}

fn index_at(pages: &impl Pages, index: usize) -> Option<u64> {
    pages.addresses().get(index).copied()
}

/// Which of the place's pages has this address.
fn own_index(address: u64, place: Range, page_len: u64) -> Option<usize> {
    let offset = address.checked_sub(place.start())?;
    let index = offset.checked_div(page_len)?;
    usize::try_from(index)
        .ok()
        .filter(|_| place.contains(address))
}

/// The address that the image's page with this index is copied to.
fn target(index: usize, place: Range, page_len: u64) -> Option<u64> {
    let offset = page_len.checked_mul(index as u64)?;
    place.start().checked_add(offset)
}

/// Why pages cannot be arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScatteredError {
    /// The place does not consist of pages.
    NoPages(Range),
    /// The image has more pages.
    TooFew {
        /// How many it has.
        wanted: usize,
        /// How many there are.
        count: usize,
    },
    /// One page is there twice.
    Twice(Range),
    /// The page at this address would be overwritten.
    Misplaced(u64),
}

impl ScatteredError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::Inval
    }
}

impl fmt::Display for ScatteredError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPages(place) => write!(f, "{place} does not consist of pages")?,
            Self::TooFew { wanted, count } => {
                write!(f, "the image has {wanted} pages, of which {count} were had")?;
            }
            Self::Twice(place) => write!(f, "a page of {place} was had twice")?,
            Self::Misplaced(address) => {
                write!(f, "the page at {address:#x} would be overwritten")?;
            }
        }
        f.write_str(
            " when the image is copied to its place: report this, with the command that led to it",
        )
    }
}
