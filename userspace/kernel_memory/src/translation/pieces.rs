// SPDX-License-Identifier: GPL-2.0

//! What a range of virtual addresses is mapped to, piece by piece.

use std::ops::Range;

use dumpfile::memory::{
    MemoryError,
    PhysicalMemory, //
};

use super::{
    error::TranslationError,
    geometry::LEVELS_MAX,
    walk::{
        Found,
        Translation, //
    }, //
};

/// Virtual addresses that are mapped, or not, as one.
#[derive(Debug)]
pub struct Piece {
    /// The addresses.
    pub addresses: Range<u64>,
    /// Where they are.
    pub place: Place,
}

/// What a piece is mapped to.
#[derive(Debug)]
pub enum Place {
    /// Physical memory from this address on.
    Physical(u64),
    /// Nothing.
    Unmapped,
    /// The page tables do not tell.
    Unknown(TranslationError),
}

/// The pieces of a range, in ascending order.
pub struct Pieces<'a, M> {
    translation: &'a Translation,
    memory: &'a M,
    rest: Range<u64>,
    /// The table of each level that was read last. A walk reads only those that differ.
    tables: [Table; LEVELS_MAX],
    /// A piece that was found when the one before it was.
    next: Option<Piece>,
}

/// A copy of a page table.
#[derive(Default)]
struct Table {
    physical: Option<u64>,
    entries: Vec<u8>,
}

impl Table {
    /// Reads an entry; a table of `len` bytes is copied if it is another one than the last.
    fn entry<M: PhysicalMemory>(
        &mut self,
        memory: &M,
        (physical, len): (u64, usize),
        index: u64,
    ) -> Result<u64, MemoryError> {
        if self.physical != Some(physical) {
            self.physical = None;
            self.entries.resize(len, 0);
            memory.read(physical, &mut self.entries)?;
            self.physical = Some(physical);
        }
        let start = index as usize * 8;
        let mut entry = [0; 8];
        entry.copy_from_slice(&self.entries[start..start + 8]);
        Ok(u64::from_le_bytes(entry))
    }
}

impl Translation {
    /// What virtual addresses are mapped to, in ascending order, with as few pieces as the mapping
    /// has.
    pub fn pieces<'a, M: PhysicalMemory>(
        &'a self,
        memory: &'a M,
        addresses: Range<u64>,
    ) -> Pieces<'a, M> {
        Pieces {
            translation: self,
            memory,
            rest: addresses,
            tables: Default::default(),
            next: None,
        }
    }
}

impl<M: PhysicalMemory> Pieces<'_, M> {
    /// Leaves out what is before an address.
    pub fn skip_to(&mut self, address: u64) {
        match &mut self.next {
            Some(next) if next.addresses.end > address => {
                let skipped = address.saturating_sub(next.addresses.start);
                next.addresses.start += skipped;
                if let Place::Physical(physical) = &mut next.place {
                    *physical += skipped;
                }
            }
            next => {
                *next = None;
                self.rest.start = self.rest.start.max(address).min(self.rest.end);
            }
        }
    }

    /// The piece that one entry maps, from `start` on.
    fn one(&mut self) -> Option<Piece> {
        if self.rest.is_empty() {
            return None;
        }
        let Range { start, end } = self.rest;
        let geometry = &self.translation.geometry;
        let levels = geometry.levels();
        let (tables, memory) = (&mut self.tables, self.memory);
        let mut reached = 0;
        let found = self.translation.walk(start, |level, table, index| {
            reached = level;
            tables[level].entry(memory, (table, levels[level].table_len()), index)
        });
        // The bits of an address that do not change the answer.
        let (shift, place) = match found {
            Ok(Found {
                shift,
                physical: Some(physical),
            }) => (
                Some(shift),
                Place::Physical(physical + (start & ((1 << shift) - 1))),
            ),
            Ok(Found { shift, .. }) => (Some(shift), Place::Unmapped),
            Err(error) => {
                let level = match &error {
                    TranslationError::Malformed { .. } => Some(reached),
                    // All that the entry maps which leads to this table.
                    TranslationError::Table(..) => reached.checked_sub(1),
                    _ => None,
                };
                (
                    level.map(|level| levels[level].shift),
                    Place::Unknown(error),
                )
            }
        };
        let end = match shift {
            // Past the last address is 0.
            Some(shift) => match ((start >> shift) + 1) << shift {
                0 => end,
                next => next.min(end),
            },
            None if start < geometry.first => geometry.first.min(end),
            None => end,
        };
        self.rest.start = end;
        Some(Piece {
            addresses: start..end,
            place,
        })
    }
}

impl<M: PhysicalMemory> Iterator for Pieces<'_, M> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let mut piece = match self.next.take() {
            Some(piece) => piece,
            None => self.one()?,
        };
        while let Some(next) = self.one() {
            let joins = match (&piece.place, &next.place) {
                (Place::Physical(first), Place::Physical(second)) => {
                    let len = piece.addresses.end - piece.addresses.start;
                    first.checked_add(len) == Some(*second)
                }
                (Place::Unmapped, Place::Unmapped) => true,
                _ => false,
            };
            if !joins {
                self.next = Some(next);
                break;
            }
            piece.addresses.end = next.addresses.end;
        }
        Some(piece)
    }
}
