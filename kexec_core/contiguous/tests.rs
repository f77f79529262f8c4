// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use core::cell::RefCell;
use std::{
    collections::BTreeSet,
    rc::Rc,
    string::ToString,
    vec::Vec, //
};

const MIB: u64 = 1 << 20;

/// Which steps of memory are taken.
type Taken = Rc<RefCell<BTreeSet<u64>>>;

/// Memory in which some addresses can be seen to be in the way, and others cannot be moved either.
#[derive(Default)]
struct Simulated {
    obstacles: Vec<u64>,
    immovable: Vec<u64>,
    taken: Taken,
    attempts: usize,
}

#[derive(Debug)]
struct Piece {
    range: Range,
    taken: Taken,
}

impl Drop for Piece {
    fn drop(&mut self) {
        for step in steps(self.range) {
            assert!(self.taken.borrow_mut().remove(&step), "given back twice");
        }
    }
}

fn steps(range: Range) -> impl Iterator<Item = u64> {
    assert_eq!(range.start() % ALIGNMENT, 0);
    (range.start()..range.end()).step_by(ALIGNMENT as usize)
}

impl Memory for Simulated {
    type Piece = Piece;

    fn obstacle(&self, range: Range) -> Option<u64> {
        let inside = self.obstacles.iter().filter(|page| range.contains(**page));
        inside.max().copied()
    }

    fn take(&mut self, range: Range) -> Option<Piece> {
        self.attempts += 1;
        let mut taken = self.taken.borrow_mut();
        if self.immovable.iter().any(|page| range.contains(*page))
            || steps(range).any(|step| taken.contains(&step))
        {
            return None;
        }
        taken.extend(steps(range));
        let taken = Rc::clone(&self.taken);
        Some(Piece { range, taken })
    }
}

fn range(start: u64, end: u64) -> Range {
    Range::new(start * MIB, end * MIB).expect("it ends after its start")
}

fn ram() -> [Range; 2] {
    [range(0, 3072), range(4096, 6144)]
}

const LOW: Limits = Limits {
    within: match Range::new(16 * MIB, 4096 * MIB) {
        Some(low) => low,
        None => panic!(),
    },
    pieces: PIECES_MAX,
};

#[test]
fn the_highest_place_in_reach_is_taken() {
    let mut memory = Simulated::default();
    let pieces = take(&mut memory, &ram(), LOW, 192 * MIB).expect("all of it is free");
    assert_eq!(pieces.ranges().as_slice(), [range(2880, 3072)]);
    assert_eq!(memory.attempts, 1);
    // What is held is not had again.
    let more = take(&mut memory, &ram(), LOW, 100 * MIB + 1).expect("there is more");
    assert_eq!(more.ranges().as_slice(), [range(2778, 2880)]);
    drop((pieces, more));
    assert!(memory.taken.borrow().is_empty());
}

#[test]
fn what_is_in_the_way_is_avoided() {
    let mut memory = Simulated {
        obstacles: [3000 * MIB + 4096].into(),
        immovable: [2900 * MIB].into(),
        ..Simulated::default()
    };
    let pieces = take(&mut memory, &ram(), LOW, 192 * MIB).expect("there is room below");
    // The last place below what could only be found by trying.
    assert_eq!(pieces.ranges().as_slice(), [range(2708, 2900)]);
}

#[test]
fn pieces_are_taken_where_one_cannot_be_had() {
    let mut memory = Simulated {
        // 126 MiB and less between them.
        immovable: (0..3072).step_by(128).map(|start| start * MIB).collect(),
        ..Simulated::default()
    };
    let pieces = take(&mut memory, &ram(), LOW, 256 * MIB).expect("it can be had in pieces");
    let ranges = pieces.ranges();
    assert_eq!(ranges.total_len(), 256 * MIB);
    assert!(ranges.as_slice().len() > 1);
    for range in ranges {
        assert!(LOW.within.encloses(range), "{range}");
        assert!(range.len() >= PIECE_MIN, "{range}");
    }
    drop(pieces);
    assert!(memory.taken.borrow().is_empty());

    // Two are not enough for this much.
    let limits = Limits { pieces: 2, ..LOW };
    let shortage = take(&mut memory, &ram(), limits, 256 * MIB).expect_err("too few pieces");
    assert!(shortage.in_pieces <= 2 * 126 * MIB);
    take(&mut memory, &ram(), limits, 200 * MIB).expect("two are enough");
}

#[test]
fn nothing_stays_taken_when_it_is_too_little() {
    let mut memory = Simulated {
        immovable: (0..3072).step_by(64).map(|start| start * MIB).collect(),
        ..Simulated::default()
    };
    let shortage = take(&mut memory, &ram(), LOW, 1024 * MIB).expect_err("too many pieces");
    assert_eq!(shortage.wanted, 1024 * MIB);
    assert!(shortage.in_pieces >= PIECES_MAX as u64 * PIECE_MIN && shortage.largest < 64 * MIB);
    assert!(memory.taken.borrow().is_empty());
    let sentence = shortage.to_string();
    assert!(
        sentence.starts_with("0x40000000 bytes (1 GiB) cannot be taken"),
        "{sentence}"
    );

    memory.immovable = (0..3072).step_by(8).map(|start| start * MIB).collect();
    let shortage = take(&mut memory, &ram(), LOW, 64 * MIB).expect_err("all pieces are short");
    assert_eq!((shortage.in_pieces, shortage.largest), (0, 0));
}

#[test]
fn more_than_there_is_cannot_be_had() {
    let mut memory = Simulated::default();
    for wanted in [4096 * MIB, u64::MAX] {
        let shortage = take(&mut memory, &ram(), LOW, wanted).expect_err("it is too much");
        assert!(shortage.in_pieces <= 3056 * MIB);
        assert!(memory.taken.borrow().is_empty());
    }
    assert!(take(&mut memory, &[], LOW, MIB).is_err());
}

#[test]
fn no_more_places_are_tried_than_are_granted() {
    let mut memory = Simulated {
        immovable: (0..3072).step_by(8).map(|start| start * MIB).collect(),
        ..Simulated::default()
    };
    let limits = Limits { pieces: 1, ..LOW };
    take_within(&mut memory, &ram(), limits, 64 * MIB, 8).expect_err("all pieces are short");
    assert_eq!(memory.attempts, 8);
    memory = Simulated::default();
    take_within(&mut memory, &ram(), limits, 64 * MIB, 1).expect("all of it is free");
}
