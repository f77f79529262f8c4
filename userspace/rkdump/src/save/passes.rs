// SPDX-License-Identifier: GPL-2.0

//! The order in which pages are written: first those without which a reader of the dump finds nothing. So a dump
//! that ends early is worth more.
//!
//! | pass | pages |
//! |---|---|
//! | 1 | the kernel's image, its page tables, slab, and reserved pages |
//! | 2 | what else is the kernel's: stacks, modules |
//! | 3 | page structs, of which there are many, and which few commands need |
//! | 4 | everything else |

use std::ops::Range;

use dumpfile::frames::Frames;
use kernel_memory::{
    filter::Selection,
    translation::Place, //
};

use crate::dump::Dump;

/// The passes; together they are all kept frames, each once.
pub fn passes(dump: &Dump, selection: &Selection, memory: &Frames, page_len: u64) -> Vec<Frames> {
    let structs = page_structs(dump, memory, page_len);
    let tables = dump.translation().map(|found| found.tables(&dump.core));
    let tables = tables.unwrap_or_default();
    let image: Frames = image(dump, page_len).into_iter().collect();
    divide(selection, &image.or(&tables), &structs)
}

fn divide(selection: &Selection, first: &Frames, structs: &Frames) -> Vec<Frames> {
    let mut rest = selection.kept.clone();
    let mut take = |frames: &Frames| {
        let taken = rest.and(frames);
        rest = rest.without(&taken);
        taken
    };
    let first = take(first);
    let vital = take(&selection.vital.without(structs));
    let first = first.or(&vital);
    let kernel = take(&selection.kernel.without(structs));
    let structs = take(structs);
    vec![first, kernel, structs, rest]
}

/// The frames of the kernel's image: the piece of memory that has its text.
fn image(dump: &Dump, page_len: u64) -> Vec<Range<u64>> {
    let Ok(text) = dump.vmcoreinfo.symbol("_stext") else {
        return Vec::new();
    };
    let loads = dump.core.loads().iter();
    let has_text = loads.filter(|load| {
        let offset = text.checked_sub(load.virtual_address);
        offset.is_some_and(|offset| offset < load.addresses.end - load.addresses.start)
    });
    has_text
        .map(|load| within(load.addresses.clone(), page_len))
        .collect()
}

/// The frames that have page structs.
fn page_structs(dump: &Dump, memory: &Frames, page_len: u64) -> Frames {
    let info = &dump.vmcoreinfo;
    let (Ok(translation), Ok(base), Ok(size)) = (
        dump.translation(),
        info.symbol("vmemmap"),
        info.size("page"),
    ) else {
        return Frames::new();
    };
    let address = |frame: u64| base.wrapping_add(frame.wrapping_mul(size as u64));
    let mut found = Vec::new();
    for run in memory.runs() {
        let structs = address(run.start)..address(run.end);
        for piece in translation.pieces(&dump.core, structs) {
            if let Place::Physical(start) = piece.place {
                let len = piece.addresses.end - piece.addresses.start;
                found.push(within(start..start.saturating_add(len), page_len));
            }
        }
    }
    found.into_iter().collect()
}

/// The frames that have some of these addresses.
fn within(addresses: Range<u64>, page_len: u64) -> Range<u64> {
    addresses.start / page_len..addresses.end.div_ceil(page_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(runs: &[Range<u64>]) -> Frames {
        runs.iter().cloned().collect()
    }

    #[test]
    fn each_kept_frame_is_in_one_pass() {
        let selection = Selection {
            kept: frames(&[0..50, 60..100]),
            vital: frames(&[0..10, 20..40]),
            kernel: frames(&[10..20, 60..70]),
            ..Selection::default()
        };
        // The image has frames that are not kept, and some that are vital as well.
        let passes = divide(&selection, &frames(&[5..12, 48..55]), &Frames::from(30..45));
        assert_eq!(
            passes,
            [
                frames(&[0..12, 20..30, 48..50]),
                frames(&[12..20, 60..70]),
                Frames::from(30..45),
                frames(&[45..48, 70..100]),
            ]
        );
    }
}
