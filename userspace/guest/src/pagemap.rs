// SPDX-License-Identifier: GPL-2.0

//! Physical addresses of this process's pages, from `/proc/self/pagemap`
//! (Documentation/admin-guide/mm/pagemap.rst).

use std::{
    fs::File,
    io,
    num::NonZeroUsize,
    os::unix::fs::FileExt, //
};

/// Size of the entry of one page.
const ENTRY_LEN: usize = 8;
/// The page is in memory.
const PRESENT: u64 = 1 << 63;
/// The page frame number, which only CAP_SYS_ADMIN sees; others see 0.
const FRAME: u64 = (1 << 55) - 1;

/// The open page map.
#[derive(Debug)]
pub struct Pagemap {
    file: File,
    page_size: NonZeroUsize,
}

impl Pagemap {
    /// Opens the page map of this process.
    pub fn open(page_size: NonZeroUsize) -> io::Result<Self> {
        File::open("/proc/self/pagemap").map(|file| Self { file, page_size })
    }

    /// The physical addresses of `pages` pages from the virtual address `start`; `None` for a
    /// page that is not in memory.
    pub fn physical(&self, start: usize, pages: usize) -> io::Result<Vec<Option<u64>>> {
        let mut entries = vec![0; pages * ENTRY_LEN];
        let offset = start / self.page_size * ENTRY_LEN;
        self.file.read_exact_at(&mut entries, offset as u64)?;
        Ok(entries
            .chunks_exact(ENTRY_LEN)
            .map(|bytes| {
                let mut entry = [0; ENTRY_LEN];
                entry.copy_from_slice(bytes);
                physical(u64::from_ne_bytes(entry), self.page_size.get() as u64)
            })
            .collect())
    }
}

fn physical(entry: u64, page_size: u64) -> Option<u64> {
    match entry & FRAME {
        0 => None,
        frame if entry & PRESENT != 0 => Some(frame * page_size),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_gives_an_address_when_the_page_is_present_and_shown() {
        assert_eq!(physical(PRESENT | 0x12345, 4096), Some(0x1234_5000));
        assert_eq!(
            physical(PRESENT | 1 << 55 | 0x12345, 4096),
            Some(0x1234_5000)
        );
        assert_eq!(physical(PRESENT | 2, 65536), Some(0x2_0000));
        assert_eq!(physical(0x12345, 4096), None);
        assert_eq!(physical(PRESENT, 4096), None);
    }
}
