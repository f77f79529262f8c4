// SPDX-License-Identifier: GPL-2.0

//! A window that moves over memory, in which a worker finds page after page.

use crate::{
    memory::{
        MemoryError,
        PhysicalMemory, //
    },
    order::Run, //
};

/// The longest window.
const WINDOW_LEN: u64 = 8 << 20;

/// A window, and a page for what no window has in one piece.
pub struct View<'a, M: PhysicalMemory + 'a> {
    memory: &'a M,
    page_len: u64,
    /// The window, and the address that it begins at.
    window: Option<(u64, M::Window<'a>)>,
    page: Vec<u8>,
}

impl<'a, M: PhysicalMemory> View<'a, M> {
    /// A view of memory with pages of this length.
    pub fn new(memory: &'a M, page_len: usize) -> Self {
        Self {
            memory,
            page_len: page_len as u64,
            window: None,
            page: vec![0; page_len],
        }
    }

    /// The page with this frame, which the first run has. The next windows are to have the runs.
    pub fn page(&mut self, frame: u64, runs: &[Run]) -> Result<&[u8], MemoryError> {
        let address = frame
            .checked_mul(self.page_len)
            .ok_or(MemoryError::Missing(u64::MAX))?;
        if self.find(address).is_none() {
            // The old one goes before the new one comes.
            self.window = None;
            let window = self.memory.window(address, self.span(frame, runs));
            self.window = window.ok().map(|window| (address, window));
        }
        match self.find(address) {
            Some(at) => {
                // It was found in a window.
                let window = self.window.as_ref().map_or(&[][..], |(_, window)| window);
                Ok(&window[at..at + self.page.len()])
            }
            None => {
                self.memory.read_frame(address, &mut self.page)?;
                Ok(&self.page)
            }
        }
    }

    /// Where in the window the page at an address is, if it has all of it.
    fn find(&self, address: u64) -> Option<usize> {
        let (start, window) = self.window.as_ref()?;
        let at = usize::try_from(address.checked_sub(*start)?).ok()?;
        let end = at.checked_add(self.page.len())?;
        (end <= window.len()).then_some(at)
    }

    /// The length of a window from a frame on that has as many of the runs as it can.
    fn span(&self, frame: u64, runs: &[Run]) -> usize {
        let limit = frame.saturating_add(WINDOW_LEN / self.page_len);
        let near = runs
            .iter()
            .take_while(|run| run.frames.end > frame && run.frames.start < limit);
        let end = near.map(|run| run.frames.end.min(limit)).max();
        let end = end.unwrap_or(frame + 1);
        ((end - frame) * self.page_len) as usize
    }
}
