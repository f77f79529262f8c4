// SPDX-License-Identifier: GPL-2.0

//! The page structs of a range of frames, read in windows as long as they are together in physical
//! memory.

use std::ops::{
    Deref,
    Range, //
};

use dumpfile::memory::PhysicalMemory;

use crate::translation::{
    Piece,
    Pieces,
    Place,
    Translation, //
};

use super::arrays::PageArrays;

/// The longest window. Longer ones are not read faster, and have page tables of their own.
const WINDOW_LEN: u64 = 4 << 20;

/// The dump lacks memory in pages of this size at least.
const PAGE_LEN_MIN: u64 = 4096;

/// Reads page structs in ascending order.
pub struct Structs<'a, M> {
    memory: &'a M,
    translation: &'a Translation,
    arrays: &'a PageArrays,
    /// The frames whose structs have not been read.
    rest: Range<u64>,
    current: Option<Current<'a, M>>,
}

/// The array that is being read.
struct Current<'a, M> {
    /// The first frame after it.
    end: u64,
    /// The frame and the address of one of its structs.
    known: (u64, u64),
    pieces: Pieces<'a, M>,
    piece: Option<Piece>,
}

/// The structs of some frames.
pub enum StructsItem<W> {
    /// They are here.
    Window {
        /// The first frame.
        first: u64,
        /// The virtual address of its struct.
        address: u64,
        /// One or more whole structs, and maybe a part of the next one.
        bytes: Bytes<W>,
    },
    /// These frames have none, or they cannot be read.
    Missing(Range<u64>),
}

/// Bytes of a window, or of a struct that is in two windows.
pub enum Bytes<W> {
    /// A window.
    Window(W),
    /// A copy.
    Copy(Vec<u8>),
}

impl<W: Deref<Target = [u8]>> Deref for Bytes<W> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Window(window) => window,
            Self::Copy(copy) => copy,
        }
    }
}

impl<'a, M: PhysicalMemory> Structs<'a, M> {
    /// The structs of some frames.
    pub fn new(
        memory: &'a M,
        translation: &'a Translation,
        arrays: &'a PageArrays,
        frames: Range<u64>,
    ) -> Self {
        Self {
            memory,
            translation,
            arrays,
            rest: frames,
            current: None,
        }
    }

    /// Goes on at a later frame.
    pub fn skip_to(&mut self, frame: u64) {
        self.rest.start = frame.clamp(self.rest.start, self.rest.end);
    }

    /// The structs from the first frame on that was not read.
    pub fn read(&mut self) -> Option<StructsItem<M::Window<'a>>> {
        if self.rest.is_empty() {
            return None;
        }
        let first = self.rest.start;
        if self.current.as_ref().is_some_and(|now| now.end <= first) {
            self.current = None;
        }
        let size = self.arrays.size() as u64;
        let current = match &mut self.current {
            Some(current) => current,
            None => {
                let array = self
                    .arrays
                    .array(self.memory, self.translation, self.rest.clone());
                let end = array.frames.end;
                let Ok(Some(address)) = array.address else {
                    self.rest.start = end;
                    return Some(StructsItem::Missing(array.frames));
                };
                let addresses = address..address.saturating_add((end - first).saturating_mul(size));
                self.current.insert(Current {
                    end,
                    known: (first, address),
                    pieces: self.translation.pieces(self.memory, addresses),
                    piece: None,
                })
            }
        };

        let (known, at) = current.known;
        // Frames of one array follow `known`, and their structs were found to have addresses.
        let address = at.saturating_add((first - known).saturating_mul(size));
        if current
            .piece
            .as_ref()
            .is_none_or(|piece| piece.addresses.end <= address)
        {
            current.pieces.skip_to(address);
            current.piece = current.pieces.next();
        }
        let physical = match &current.piece {
            Some(Piece {
                addresses,
                place: Place::Physical(physical),
            }) => {
                let skipped = address.saturating_sub(addresses.start);
                Ok((physical.saturating_add(skipped), addresses.end - address))
            }
            Some(piece) => Err(piece.addresses.end),
            // Addresses end before the frames do.
            None => Err(u64::MAX),
        };
        let (physical, len) = match physical {
            Ok(found) => found,
            Err(unmapped_end) => {
                // The first struct that begins after it may be there.
                let frames = (unmapped_end - address).div_ceil(size).max(1);
                let end = first.saturating_add(frames).min(current.end);
                self.rest.start = end;
                return Some(StructsItem::Missing(first..end));
            }
        };
        if len >= size {
            let wanted = len.min((current.end - first).saturating_mul(size));
            let window = self
                .memory
                .window(physical, wanted.min(WINDOW_LEN / size * size) as usize);
            match window {
                Ok(window) if window.len() as u64 >= size => {
                    self.rest.start = first + window.len() as u64 / size;
                    return Some(StructsItem::Window {
                        first,
                        address,
                        bytes: Bytes::Window(window),
                    });
                }
                // It is in two places of the file.
                Ok(_) => {}
                Err(_) => {
                    let page_left = PAGE_LEN_MIN - address % PAGE_LEN_MIN;
                    let end = first + (page_left.min(wanted) / size).max(1);
                    self.rest.start = end;
                    return Some(StructsItem::Missing(first..end));
                }
            }
        }
        // It is in two pages.
        let mut copy = vec![0; self.arrays.size()];
        self.rest.start = first + 1;
        Some(
            match self.translation.read(self.memory, address, &mut copy) {
                Ok(()) => StructsItem::Window {
                    first,
                    address,
                    bytes: Bytes::Copy(copy),
                },
                Err(_) => StructsItem::Missing(first..first + 1),
            },
        )
    }
}
