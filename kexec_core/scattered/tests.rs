// SPDX-License-Identifier: GPL-2.0

extern crate std;

use super::*;
use crate::types::ranges::PAGE_SIZE;
use proptest::{
    collection::vec,
    prelude::*,
    sample::subsequence, //
};
use std::{
    collections::BTreeMap,
    string::ToString,
    vec,
    vec::Vec, //
};

impl Pages for Vec<u64> {
    fn addresses(&self) -> &[u64] {
        self
    }

    fn exchange(&mut self, one: usize, other: usize) {
        self.swap(one, other);
    }
}

const PLACE: Range = match Range::new(40 * PAGE_SIZE, 72 * PAGE_SIZE) {
    Some(place) => place,
    None => panic!(),
};
const IMAGE_PAGES: usize = 32;

fn pages(numbers: impl IntoIterator<Item = u64>) -> Vec<u64> {
    numbers
        .into_iter()
        .map(|number| number * PAGE_SIZE)
        .collect()
}

/// Copies the image, page by page in this order, as the relocator does: memory is what each page has.
fn copy(scattered: &Scattered<Vec<u64>>, order: impl Iterator<Item = usize>) -> BTreeMap<u64, u64> {
    let image = scattered.image();
    let mut memory: BTreeMap<u64, u64> = BTreeMap::new();
    for (index, page) in image.iter().enumerate() {
        memory.insert(*page, index as u64);
    }
    for (index, page) in scattered.control().iter().enumerate() {
        memory.insert(*page, 1000 + index as u64);
    }
    for index in order {
        let copied = memory[&image[index]];
        memory.insert(PLACE.start() + index as u64 * PAGE_SIZE, copied);
    }
    memory
}

fn check(had: Vec<u64>) {
    let scattered = Scattered::arrange(had.clone(), PLACE, PAGE_SIZE).unwrap();
    assert_eq!(scattered.place(), PLACE);
    assert_eq!(scattered.image().len(), IMAGE_PAGES);
    let all: Vec<u64> = [scattered.image(), scattered.control()].concat();
    let sorted = |mut pages: Vec<u64>| {
        pages.sort_unstable();
        pages
    };
    assert_eq!(sorted(all), sorted(had));
    for memory in [
        copy(&scattered, 0..IMAGE_PAGES),
        copy(&scattered, (0..IMAGE_PAGES).rev()),
    ] {
        for index in 0..IMAGE_PAGES as u64 {
            assert_eq!(memory[&(PLACE.start() + index * PAGE_SIZE)], index);
        }
        for (index, page) in scattered.control().iter().enumerate() {
            assert_eq!(memory[page], 1000 + index as u64);
        }
    }
}

#[test]
fn pages_outside_stay_in_their_order() {
    let had = pages(100..135);
    let scattered = Scattered::arrange(had.clone(), PLACE, PAGE_SIZE).unwrap();
    assert_eq!(scattered.image(), &had[..IMAGE_PAGES]);
    assert_eq!(scattered.control(), &had[IMAGE_PAGES..]);
    check(had);
}

#[test]
fn a_place_that_was_had_as_a_whole_is_copied_nowhere() {
    let scattered = Scattered::arrange(pages((38..72).rev()), PLACE, PAGE_SIZE).unwrap();
    assert_eq!(scattered.image(), pages(40..72));
    assert_eq!(scattered.control(), pages([39, 38]));
}

proptest! {
    #[test]
    fn no_page_is_overwritten_before_it_is_copied(
        order in subsequence((0..120).collect::<Vec<u64>>(), IMAGE_PAGES..80).prop_shuffle(),
    ) {
        check(pages(order));
    }

    #[test]
    fn any_list_of_addresses_ends_in_an_answer(
        addresses in vec(prop_oneof![30_u64..80, 0..=u64::MAX / PAGE_SIZE], 0..60),
        odd in 0..PAGE_SIZE,
    ) {
        let mut pages = pages(addresses);
        if let Some(first) = pages.first_mut() {
            *first |= odd / 2048;
        }
        let _ = Scattered::arrange(pages, PLACE, PAGE_SIZE);
    }
}

#[test]
fn what_cannot_be_arranged_is_refused() {
    let refused = |pages, place| Scattered::arrange(pages, place, PAGE_SIZE).unwrap_err();
    assert_eq!(
        refused(pages(0..31), PLACE),
        ScatteredError::TooFew {
            wanted: 32,
            count: 31
        }
    );
    assert_eq!(
        refused(vec![PLACE.start(); 32], PLACE),
        ScatteredError::Twice(PLACE)
    );
    let odd = Range::new(1, PAGE_SIZE).unwrap();
    assert_eq!(refused(vec![], odd), ScatteredError::NoPages(odd));
    let mut unaligned = pages(100..132);
    unaligned[3] += 8;
    let error = refused(unaligned, PLACE);
    assert_eq!(error, ScatteredError::Misplaced(103 * PAGE_SIZE + 8));
    assert_eq!(error.errno(), Errno::Inval);
    assert_eq!(
        error.to_string(),
        "the page at 0x67008 would be overwritten when the image is copied to its place: report this, \
         with the command that led to it"
    );
}
