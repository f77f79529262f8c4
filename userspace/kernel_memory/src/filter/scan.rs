// SPDX-License-Identifier: GPL-2.0

//! One pass over the page structs of a chunk.

use std::ops::Range;

use dumpfile::{
    frames::Frames,
    memory::PhysicalMemory, //
};

use crate::pages::{
    Structs,
    StructsItem, //
};

use super::{
    class::Class,
    facts::Facts,
    page::{
        Head,
        Page, //
    },
    selection::Selection, //
};

/// The longest page struct.
const STRUCT_LEN_MAX: usize = 256;

/// A pass over the page structs of a chunk.
pub struct Scan<'a, M> {
    facts: &'a Facts,
    memory: &'a M,
    selection: Selection,
    /// The block that the last frame was in.
    block: Block,
    /// Frames that were judged and are not yet in the selection.
    open: (Range<u64>, Class),
}

/// Frames that are for the same.
#[derive(Clone, Copy)]
struct Block {
    /// The first frame after it.
    end: u64,
    class: Class,
    /// Whether its frames may be defective one by one.
    has_own_flags: bool,
}

/// The struct at a place.
#[derive(Clone, Copy)]
struct At<'a> {
    frame: u64,
    address: u64,
    page: Page<'a>,
}

impl<'a, M: PhysicalMemory> Scan<'a, M> {
    /// A pass that has found nothing yet.
    pub fn new(facts: &'a Facts, memory: &'a M) -> Self {
        Self {
            facts,
            memory,
            selection: Selection::default(),
            block: Block {
                end: 0,
                class: Class::Unknown,
                has_own_flags: false,
            },
            open: (0..0, Class::Unknown),
        }
    }

    /// Judges the frames of `ram` that are in a chunk.
    pub fn run(mut self, ram: &Frames, chunk: Range<u64>) -> Selection {
        for run in ram.runs_from(chunk.start) {
            if run.start >= chunk.end {
                break;
            }
            self.frames(run.start.max(chunk.start)..run.end.min(chunk.end));
        }
        self.close();
        self.selection
    }

    /// Judges frames that follow each other.
    fn frames(&mut self, frames: Range<u64>) {
        let Facts {
            translation,
            arrays,
            ..
        } = self.facts;
        let end = frames.end;
        let mut next = frames.start;
        let mut structs = Structs::new(self.memory, translation, arrays, frames);
        loop {
            next = self.pass_block(next, end);
            structs.skip_to(next);
            match structs.read() {
                None => break,
                Some(StructsItem::Missing(missing)) => {
                    next = missing.end;
                    self.add(missing, Class::Unknown);
                }
                Some(StructsItem::Window {
                    first,
                    address,
                    bytes,
                }) => next = self.window((first, address), &bytes, end),
            }
        }
    }

    /// Adds what is left of a block of which nothing more is looked at, and returns the next frame.
    fn pass_block(&mut self, next: u64, end: u64) -> u64 {
        let Block {
            end: block_end,
            class,
            has_own_flags,
        } = self.block;
        let is_looked_at = has_own_flags && class.is_kept(self.facts.level);
        if block_end <= next || is_looked_at {
            return next;
        }
        let block_end = block_end.min(end);
        self.add(next..block_end, class);
        block_end
    }

    /// Judges the frames whose structs are in a window, and returns the next frame.
    fn window(&mut self, (first, address): (u64, u64), bytes: &[u8], end: u64) -> u64 {
        let size = self.facts.arrays.size();
        let window_end = first + (bytes.len() / size) as u64;
        let mut frame = first;
        while frame < window_end {
            frame = self.pass_block(frame, end);
            if frame >= window_end {
                break;
            }
            // The window has the struct, so the sums are within it.
            let offset = (frame - first) as usize * size;
            let own = &bytes[offset..offset + size];
            let at = At {
                frame,
                address: address + offset as u64,
                page: Page::new(&self.facts.layout, own),
            };
            if frame >= self.block.end {
                let second = bytes.get(offset + size..offset + 2 * size);
                self.block = self.block(at, second);
                // Most frames are no block with others, and most blocks are not looked at.
                if self.block.end > frame + 1 && !at.page.is_hwpoison() {
                    continue;
                }
            }
            let class = match self.block {
                Block {
                    has_own_flags: true,
                    ..
                } if at.page.is_hwpoison() => Class::Hwpoison,
                Block { class, .. } => class,
            };
            self.add(frame..frame + 1, class);
            frame += 1;
        }
        frame
    }

    /// The block that a frame is in. `second` is the struct of the next frame, if it is at hand.
    fn block(&self, at: At<'_>, second: Option<&[u8]>) -> Block {
        let alone = |class| Block {
            end: at.frame + 1,
            class,
            has_own_flags: true,
        };
        if let Some(head) = at.page.head() {
            return self.block_of(head, at).unwrap_or(alone(Class::Kernel));
        }
        if at.page.may_be_head() {
            let mut copy = [0; STRUCT_LEN_MAX];
            let second = second.or_else(|| self.read(at.address, 1, &mut copy));
            let second = second.map(|second| Page::new(&self.facts.layout, second));
            // Another page's struct can be a copy of the first one's, with its class but without a
            // block of its own (Linux 6.12, huge pages with hugetlb_free_vmemmap=).
            return second
                .and_then(|second| self.compound(at, second))
                .unwrap_or(alone(at.page.class()));
        }
        let class = at.page.class();
        match at.page.block_order(class) {
            Some(0) => alone(class),
            Some(order) if at.frame % (1 << order) == 0 => Block {
                end: at.frame + (1 << order),
                class,
                has_own_flags: self.facts.layout.hwpoison != 0,
            },
            // No block has such an order at such a place: the struct is damaged.
            _ => alone(Class::Kernel),
        }
    }

    /// The compound page that a frame is in which is not its first.
    fn block_of(&self, head: Head, at: At<'_>) -> Option<Block> {
        let address = head.address(at.address);
        let frame = self.facts.arrays.frame(address, (at.frame, at.address))?;
        let (mut first, mut second) = ([0; STRUCT_LEN_MAX], [0; STRUCT_LEN_MAX]);
        let first = self.read(address, 0, &mut first)?;
        let second = self.read(address, 1, &mut second)?;
        let head = At {
            frame,
            address,
            page: Page::new(&self.facts.layout, first),
        };
        if !head.page.may_be_head() {
            return None;
        }
        self.compound(head, Page::new(&self.facts.layout, second))
            .filter(|block| frame <= at.frame && at.frame < block.end)
    }

    /// The compound page whose first page this is, by the struct of its second.
    fn compound(&self, first: At<'_>, second: Page<'_>) -> Option<Block> {
        let second_address = first.address + self.facts.arrays.size() as u64;
        if second.head()?.address(second_address) != first.address {
            return None;
        }
        let order = second.compound_order()?;
        if first.frame % (1 << order) != 0 {
            return None;
        }
        let class = first.page.class();
        // Which page of a huge one is defective is in a list. The structs of the others may be
        // shared, and tell nothing.
        let is_huge = class == Class::Hugetlb;
        Some(Block {
            end: first.frame + (1 << order),
            class: if is_huge && first.page.is_hwpoison() {
                Class::Hwpoison
            } else {
                class
            },
            has_own_flags: !is_huge && self.facts.layout.hwpoison != 0,
        })
    }

    /// Copies the struct that is `number` structs after an address.
    fn read<'b>(
        &self,
        address: u64,
        number: u64,
        copy: &'b mut [u8; STRUCT_LEN_MAX],
    ) -> Option<&'b [u8]> {
        let size = self.facts.arrays.size();
        let copy = &mut copy[..size];
        let address = address.checked_add(number * size as u64)?;
        self.facts
            .translation
            .read(self.memory, address, copy)
            .ok()?;
        Some(copy)
    }

    /// Adds frames that follow those that were added before.
    fn add(&mut self, frames: Range<u64>, class: Class) {
        if self.open.0.end == frames.start && self.open.1 == class {
            self.open.0.end = frames.end;
            return;
        }
        self.close();
        self.open = (frames, class);
    }

    fn close(&mut self) {
        let (frames, class) = std::mem::replace(&mut self.open, (0..0, Class::Unknown));
        let is_kept = class.is_kept(self.facts.level);
        self.selection.add(frames, class, is_kept);
    }
}
