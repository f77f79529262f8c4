// SPDX-License-Identifier: GPL-2.0

//! The windows onto the crashed kernel's memory, with a kernel that can run out of address space
//! and page tables.

use std::{
    cell::RefCell,
    rc::Rc, //
};

use kexec_core::{
    dump::vmcore::{
        large_pages::LARGE_PAGE,
        windows::{
            AfterFailure,
            Budget,
            Windows,
            WINDOWS_MAX,
            WINDOW_LEN_MAX, //
        }, //
    },
    types::ranges::{
        Range,
        PAGE_SIZE, //
    }, //
};
use proptest::prelude::*;

use crate::fixture::{
    range,
    GIB,
    MIB, //
};

/// The mapped windows, and the most that can be mapped.
#[derive(Default)]
struct Kernel {
    mapped: RefCell<Vec<Range>>,
    limit: RefCell<Option<u64>>,
    /// How often something was mapped.
    calls: RefCell<usize>,
}

impl Kernel {
    fn total(&self) -> u64 {
        self.mapped.borrow().iter().map(Range::len).sum()
    }

    fn map(self: &Rc<Self>, range: Range) -> Option<Mapping> {
        *self.calls.borrow_mut() += 1;
        let limit = self.limit.borrow().unwrap_or(u64::MAX);
        if self.total() + range.len() > limit {
            return None;
        }
        self.mapped.borrow_mut().push(range);
        Some(Mapping(self.clone(), range))
    }
}

/// Unmapped when it is dropped.
struct Mapping(Rc<Kernel>, Range);

impl Drop for Mapping {
    fn drop(&mut self) {
        let mut mapped = self.0.mapped.borrow_mut();
        let at = mapped.iter().position(|range| *range == self.1).unwrap();
        mapped.swap_remove(at);
    }
}

/// The module's steps for a reader.
fn at(
    kernel: &Rc<Kernel>,
    windows: &mut Windows<Rc<Mapping>>,
    address: u64,
    memory: Range,
) -> Option<Range> {
    if let Some(found) = windows.find(address) {
        return Some(found.1);
    }
    drop(windows.make_room());
    loop {
        let range = windows.range_for(address, memory).unwrap();
        assert!(range.contains(address) && memory.encloses(&range));
        if let Some(mapping) = kernel.map(range) {
            drop(windows.keep(range, Rc::new(mapping)));
            return Some(range);
        }
        match windows.after_failure() {
            AfterFailure::Drop(window) => drop(window),
            AfterFailure::Retry => {}
            AfterFailure::GiveUp => return None,
        }
    }
}

fn large() -> Budget {
    Budget::of(64 * GIB)
}

#[test]
fn a_budget_holds_in_little_memory() {
    for (memory, windows, len) in [
        (64 * GIB, WINDOWS_MAX, WINDOW_LEN_MAX),
        (136 * MIB, WINDOWS_MAX, WINDOW_LEN_MAX),
        (135 * MIB, 7, WINDOW_LEN_MAX),
        (64 * MIB, 3, WINDOW_LEN_MAX),
        (40 * MIB, 2, WINDOW_LEN_MAX),
        (17 * MIB, 1, WINDOW_LEN_MAX),
        (16 * MIB, 1, 16 * MIB),
        (2 * MIB, 1, 2 * MIB),
        (MIB, 1, PAGE_SIZE),
        (0, 1, PAGE_SIZE),
    ] {
        let budget = Budget::of(memory);
        assert_eq!(
            (budget.windows(), budget.window_len()),
            (windows, len),
            "{memory:#x}"
        );
        assert!(budget.page_tables() <= (memory / 256).max(2 * PAGE_SIZE));
    }
    assert_eq!(large().page_tables(), 544 << 10);
    assert_eq!(
        Budget::of(64 * MIB).to_string(),
        "3 windows of 0x2000000 bytes (32 MiB), with page tables of at most 0x33000 bytes (204 KiB)"
    );
}

#[test]
fn a_window_is_what_large_pages_can_map() {
    let windows = Windows::<()>::new(large());
    let memory = range(MIB, 100 * MIB + 5 * PAGE_SIZE);
    for (address, expected) in [
        // In front of the first multiple of a large page.
        (MIB, range(MIB, 2 * MIB)),
        (2 * MIB - 1, range(MIB, 2 * MIB)),
        (2 * MIB, range(2 * MIB, 32 * MIB)),
        (31 * MIB, range(2 * MIB, 32 * MIB)),
        (32 * MIB, range(32 * MIB, 64 * MIB)),
        (100 * MIB, range(96 * MIB, 100 * MIB + 5 * PAGE_SIZE)),
    ] {
        assert_eq!(
            windows.range_for(address, memory),
            Some(expected),
            "{address:#x}"
        );
    }
    assert_eq!(windows.range_for(0, memory), None);
    assert_eq!(windows.range_for(memory.end(), memory), None);
    // The last bytes that there can be.
    let end = range(u64::MAX - 0xfff, u64::MAX);
    assert_eq!(windows.range_for(u64::MAX - 1, end), None);
}

#[test]
fn reading_in_order_maps_each_window_once() {
    let kernel = Rc::new(Kernel::default());
    let mut windows = Windows::new(large());
    let memory = range(0, GIB);
    for address in (0..GIB).step_by(64 << 10) {
        assert!(at(&kernel, &mut windows, address, memory).is_some());
    }
    assert_eq!(*kernel.calls.borrow(), 32);
    assert_eq!(kernel.mapped.borrow().len(), WINDOWS_MAX);
    drop(windows);
    assert!(kernel.mapped.borrow().is_empty());
}

#[test]
fn the_window_that_was_not_used_for_longest_goes() {
    let kernel = Rc::new(Kernel::default());
    let mut windows = Windows::new(large());
    let memory = range(0, GIB);
    for number in 0..WINDOWS_MAX as u64 {
        at(&kernel, &mut windows, number * WINDOW_LEN_MAX, memory);
    }
    at(&kernel, &mut windows, 0, memory);
    at(&kernel, &mut windows, 512 * MIB, memory);
    assert!(windows.find(0).is_some());
    assert!(windows.find(WINDOW_LEN_MAX).is_none());
}

#[test]
fn a_kernel_out_of_memory_gets_fewer_and_shorter_windows_down_to_a_page() {
    let memory = range(0, GIB);
    for limit in [
        256 * MIB,
        100 * MIB,
        32 * MIB,
        31 * MIB,
        LARGE_PAGE,
        LARGE_PAGE - 1,
        3 * PAGE_SIZE,
        PAGE_SIZE,
    ] {
        let kernel = Rc::new(Kernel::default());
        *kernel.limit.borrow_mut() = Some(limit);
        let mut windows = Windows::new(large());
        for address in (0..GIB).step_by(32 << 20).chain([5 * MIB, 7 * MIB + 12345]) {
            let found = at(&kernel, &mut windows, address, memory);
            assert!(found.is_some(), "{limit:#x} {address:#x}");
            assert!(kernel.total() <= limit);
        }
    }
}

#[test]
fn nothing_is_left_mapped_by_a_reader_that_gives_up_and_long_windows_come_back() {
    let kernel = Rc::new(Kernel::default());
    let mut windows = Windows::new(large());
    let memory = range(0, GIB);
    at(&kernel, &mut windows, 0, memory);
    *kernel.limit.borrow_mut() = Some(PAGE_SIZE - 1);
    assert_eq!(at(&kernel, &mut windows, 100 * MIB, memory), None);
    assert!(kernel.mapped.borrow().is_empty());

    *kernel.limit.borrow_mut() = None;
    let mut lens = Vec::new();
    for number in 0..16 {
        let found = at(&kernel, &mut windows, number * 64 * MIB, memory);
        lens.push(found.unwrap().len());
    }
    assert_eq!(lens[0], PAGE_SIZE);
    assert_eq!(lens[13], WINDOW_LEN_MAX);
}

#[test]
fn a_window_in_use_stays_mapped_after_it_was_evicted() {
    let kernel = Rc::new(Kernel::default());
    let mut windows = Windows::new(Budget::of(17 * MIB));
    let memory = range(0, GIB);
    at(&kernel, &mut windows, 0, memory);
    let used = windows.find(0).cloned().unwrap();
    at(&kernel, &mut windows, 512 * MIB, memory);
    assert!(windows.find(0).is_none());
    assert!(kernel.mapped.borrow().contains(&used.1));
    drop(used);
    assert_eq!(kernel.mapped.borrow().len(), 1);
}

#[test]
fn two_readers_who_map_the_same_stay_within_the_budget() {
    let kernel = Rc::new(Kernel::default());
    let mut windows = Windows::new(Budget::of(17 * MIB));
    let window = range(0, WINDOW_LEN_MAX);
    for _ in 0..2 {
        let mapping = Rc::new(kernel.map(window).unwrap());
        drop(windows.keep(window, mapping));
    }
    assert_eq!(kernel.mapped.borrow().len(), 1);
}

proptest! {
    /// Whatever is read while the kernel has whatever it has, a reader gets its byte, the budget
    /// holds, and large pages can be used.
    #[test]
    fn every_byte_is_reached_within_the_budget(
        memory in 0..256 * MIB,
        reads in prop::collection::vec((0..3_usize, 0..GIB, 0..64 * MIB), 1..60),
    ) {
        let budget = Budget::of(memory);
        let pieces = [range(0x1000, 0x9_f000), range(MIB, GIB), range(4 * GIB, 5 * GIB)];
        let kernel = Rc::new(Kernel::default());
        let mut windows = Windows::new(budget);
        for (piece, offset, limit) in reads {
            let memory = pieces[piece];
            let address = memory.start() + offset % memory.len();
            *kernel.limit.borrow_mut() = (limit > 32 * MIB).then_some(limit);
            let found = at(&kernel, &mut windows, address, memory).unwrap();
            prop_assert!(found.contains(address) && memory.encloses(&found));
            prop_assert!(found.len() <= budget.window_len());
            prop_assert!(kernel.mapped.borrow().len() <= budget.windows());
            let small = found.start() / LARGE_PAGE == (found.end() - 1) / LARGE_PAGE;
            prop_assert!(small || found.start() % LARGE_PAGE == 0);
        }
    }
}
