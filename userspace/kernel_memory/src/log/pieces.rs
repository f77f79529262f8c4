// SPDX-License-Identifier: GPL-2.0

//! An array in the kernel's memory, of which a piece at a time is kept here.

/// How much of the array is kept.
const PIECE_LEN: usize = 64 << 10;

/// An array of elements of one length.
pub struct Pieces {
    address: u64,
    element_len: usize,
    count: u64,
    first: u64,
    piece: Vec<u8>,
}

impl Pieces {
    /// The array at a virtual address.
    pub fn new(address: u64, element_len: usize, count: u64) -> Self {
        Self {
            address,
            element_len,
            count,
            first: 0,
            piece: Vec::new(),
        }
    }

    /// An element; none where it cannot be read.
    pub fn get<E>(
        &mut self,
        index: u64,
        read: impl Fn(u64, &mut [u8]) -> Result<(), E>,
    ) -> Option<&[u8]> {
        let kept = (self.piece.len() / self.element_len) as u64;
        if !(self.first..self.first + kept).contains(&index) {
            self.fill(index, read)?;
        }
        let start = (index - self.first) as usize * self.element_len;
        self.piece.get(start..start + self.element_len)
    }

    /// Reads the elements from one on: as many as are kept, or that one where not all can be read.
    fn fill<E>(
        &mut self,
        index: u64,
        read: impl Fn(u64, &mut [u8]) -> Result<(), E>,
    ) -> Option<()> {
        let most = (self.count - index).min((PIECE_LEN / self.element_len) as u64) as usize;
        let address = self
            .address
            .wrapping_add(index.wrapping_mul(self.element_len as u64));
        self.first = index;
        for count in [most, 1] {
            self.piece.resize(count * self.element_len, 0);
            if read(address, &mut self.piece).is_ok() {
                return Some(());
            }
        }
        self.piece.clear();
        None
    }
}
