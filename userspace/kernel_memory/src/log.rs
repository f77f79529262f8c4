// SPDX-License-Identifier: GPL-2.0

//! The kernel's log, read from its memory: the lockless ring buffer that kernels have since 5.10
//! (kernel/printk/printk_ringbuffer.h), by the offsets of VMCOREINFO.
//!
//! A crash may have interrupted a writer, and the memory may be overwritten: a record that is not as the kernel
//! would have left it is counted and left out, and the ring is walked once round at most. Memory for it is
//! bounded whatever the ring's size.

mod cleared;
mod error;
mod layout;
mod pieces;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::vmcoreinfo::Vmcoreinfo;

use self::{
    cleared::Cleared,
    error::{
        COUNT_BITS_MAX,
        SIZE_BITS_MAX, //
    },
    layout::Layout,
    pieces::Pieces, //
};
pub use self::{
    error::LogError,
    record::{
        Record,
        Style, //
    }, //
};

/// After so many records in a row that are damaged or not in the dump, no more are looked for.
const LOST_IN_A_ROW_MAX: u64 = 1 << 14;

/// The bits of a descriptor's word that are not its number.
const STATE_SHIFT: u32 = u64::BITS - 2;
const ID_MASK: u64 = (1 << STATE_SHIFT) - 1;
/// States of a record whose text is there: its writer has finished, and may or may not add to it.
const COMMITTED: u64 = 1;
const FINALIZED: u64 = 2;

/// Length of the record's number, which precedes its text.
const ID_LEN: u64 = 8;

/// The log's records, the oldest first.
pub struct Log<R> {
    read: R,
    layout: Layout,
    descriptors: Pieces,
    infos: Pieces,
    text: u64,
    count: u64,
    text_len: u64,
    next: u64,
    left: u64,
    lost: u64,
    lost_in_a_row: u64,
    cleared: Option<Cleared>,
}

impl<R, E> Log<R>
where
    R: Fn(u64, &mut [u8]) -> Result<(), E>,
    E: fmt::Display,
{
    /// Finds the log. `read` fills a buffer from a virtual address of the kernel.
    pub fn find(vmcoreinfo: &Vmcoreinfo, read: R) -> Result<Self, LogError> {
        let layout = Layout::of(vmcoreinfo)?;
        let memory = |what, address, out: &mut [u8]| {
            read(address, out).map_err(|error| LogError::memory(what, address, error))
        };
        let mut pointer = [0; 8];
        memory("the pointer to the kernel's log", layout.prb, &mut pointer)?;
        let ring = u64::from_le_bytes(pointer);
        let mut head = vec![0; layout.ring_len];
        memory("the head of the kernel's log", ring, &mut head)?;

        let count_bits = layout.ring_u32(&head, layout.count_bits);
        let size_bits = layout.ring_u32(&head, layout.size_bits);
        if count_bits > COUNT_BITS_MAX || size_bits > SIZE_BITS_MAX {
            return Err(LogError::Size {
                count_bits,
                size_bits,
            });
        }
        let count = 1_u64 << count_bits;
        let tail = layout.ring_u64(&head, layout.tail_id) & ID_MASK;
        let last = layout.ring_u64(&head, layout.head_id) & ID_MASK;
        let span = last.wrapping_sub(tail) & ID_MASK;
        Ok(Self {
            descriptors: Pieces::new(
                layout.ring_u64(&head, layout.descriptors),
                layout.descriptor_len,
                count,
            ),
            infos: Pieces::new(layout.ring_u64(&head, layout.infos), layout.info_len, count),
            text: layout.ring_u64(&head, layout.text),
            text_len: 1 << size_bits,
            count,
            // A head that is more than a round ahead of the tail is damaged; the round before it may be sound.
            next: if span < count {
                tail
            } else {
                last.wrapping_sub(count - 1) & ID_MASK
            },
            left: span.min(count - 1) + 1,
            lost: 0,
            lost_in_a_row: 0,
            cleared: None,
            read,
            layout,
        })
    }

    /// Leaves out what is from before the log was last cleared, as `dmesg --clear` does it. The records are
    /// in the kernel's memory still.
    pub fn since_cleared(mut self, vmcoreinfo: &Vmcoreinfo) -> Result<Self, LogError> {
        self.cleared = Some(Cleared::find(vmcoreinfo, &self.read)?);
        Ok(self)
    }

    /// The number of records so far that were there once, and are damaged or not in the dump.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The record of a number; none where there is none, or no text to it.
    fn record(&mut self, id: u64) -> Result<Option<Record>, Lost> {
        let layout = &self.layout;
        let index = id % self.count;
        let descriptor = self.descriptors.get(index, &self.read).ok_or(Lost)?;
        let state = layout.u64(descriptor, layout.state);
        if state & ID_MASK != id || ![COMMITTED, FINALIZED].contains(&(state >> STATE_SHIFT)) {
            return Ok(None);
        }
        let begin = layout.u64(descriptor, layout.begin);
        let next = layout.u64(descriptor, layout.next);
        if begin & 1 == 1 && next & 1 == 1 {
            return Ok(None);
        }
        let (start, room) = block(begin, next, self.text_len).ok_or(Lost)?;

        let info = self.infos.get(index, &self.read).ok_or(Lost)?;
        if self.cleared.is_some_and(|cleared| cleared.has(info)) {
            return Ok(None);
        }
        let len = u64::from(layout.u16(info, layout.record_len)).min(room - ID_LEN);
        let mut record = Record {
            nanoseconds: layout.u64(info, layout.nanoseconds),
            caller: layout.caller.map(|offset| layout.u32(info, offset)),
            text: vec![0; len as usize],
        };
        let address = self.text.wrapping_add(start);
        let mut number = [0; ID_LEN as usize];
        (self.read)(address, &mut number).map_err(|_| Lost)?;
        if u64::from_le_bytes(number) != id {
            return Err(Lost);
        }
        (self.read)(address.wrapping_add(ID_LEN), &mut record.text).map_err(|_| Lost)?;
        Ok(Some(record))
    }
}

impl<R, E> Iterator for Log<R>
where
    R: Fn(u64, &mut [u8]) -> Result<(), E>,
    E: fmt::Display,
{
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.left > 0 {
            let id = self.next;
            self.left -= 1;
            self.next = id.wrapping_add(1) & ID_MASK;
            let found = self.record(id);
            match found {
                Ok(_) => self.lost_in_a_row = 0,
                Err(Lost) => {
                    self.lost += 1;
                    self.lost_in_a_row += 1;
                }
            }
            if self.lost_in_a_row == LOST_IN_A_ROW_MAX {
                self.left = 0;
            }
            if let Ok(Some(record)) = found {
                return Some(record);
            }
        }
        None
    }
}

/// A record that is damaged or not in the dump.
struct Lost;

/// Where a block begins in the text and how long it is, from the positions of its begin and its end, which
/// count on where the text begins anew. A block that did not fit before the end is at the start.
fn block(begin: u64, next: u64, len: u64) -> Option<(u64, u64)> {
    let start = begin % len;
    let end = next
        .wrapping_sub(begin)
        .checked_add(start)
        .filter(|end| *end <= 2 * len)?;
    let (start, room) = if end <= len {
        (start, end - start)
    } else {
        (0, end - len)
    };
    (begin % ID_LEN == 0 && next % ID_LEN == 0 && room > ID_LEN).then_some((start, room))
}
