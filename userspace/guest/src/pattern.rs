// SPDX-License-Identifier: GPL-2.0

//! Pages whose contents follow from a seed and their own physical address, so that whoever reads
//! a dump can compute what must stand where.
//!
//! # The contents
//!
//! The page at physical address `P` holds the stream [`SplitMix64`] of the seed `seed ^ P` as
//! little-endian 64-bit numbers, from the page's first byte to its last.
//!
//! # The search
//!
//! The kernel chooses which frames a process gets, so pages are allocated and locked chunk by
//! chunk, and their addresses looked up, until enough are found in every asked [`Class`]. The
//! chunks stay allocated during the search, or the same frames would come again; at the end all
//! but the found pages are given back. The search stops before less than
//! [`RESERVE_PERCENT`] of the memory is left.

use std::{
    fs,
    num::NonZeroUsize, //
};

use serde::Serialize;

use crate::{
    hex::Hex,
    mapping::{
        page_size,
        Mapping, //
    },
    pagemap::Pagemap,
    report::Failure,
    splitmix::SplitMix64, //
};

/// How much of the memory the search leaves available.
pub const RESERVE_PERCENT: u64 = 15;

/// How much memory the search takes at a time.
const CHUNK_LEN: NonZeroUsize = NonZeroUsize::new(16 << 20).unwrap();

/// Firmware and the capture kernel's own start use what is below.
const LOWEST: u64 = 1 << 20;

/// Where [`Class::Above`] ends unless a high class does.
const FOUR_GIB: u64 = 1 << 32;

/// A part of physical memory to hold pages in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// From 1 MiB to the given address.
    Below,
    /// From the given address to the high class's start, or to 4 GiB.
    Above,
    /// From the given address on.
    High,
}

/// How many pages are wanted, and where each class lies; a class without an address is not asked
/// for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// Pages of each class.
    pub pages: usize,
    /// Where [`Class::Below`] ends.
    pub below: Option<u64>,
    /// Where [`Class::Above`] starts.
    pub above: Option<u64>,
    /// Where [`Class::High`] starts.
    pub high: Option<u64>,
}

impl Wanted {
    /// The asked class that the page at `start` lies in completely.
    fn class(&self, start: u64, page_size: u64) -> Option<Class> {
        let end = start.checked_add(page_size)?;
        if self
            .below
            .is_some_and(|limit| start >= LOWEST && end <= limit)
        {
            return Some(Class::Below);
        }
        if self.high.is_some_and(|limit| start >= limit) {
            return Some(Class::High);
        }
        let above_end = self.high.unwrap_or(FOUR_GIB);
        self.above
            .is_some_and(|limit| start >= limit && end <= above_end)
            .then_some(Class::Above)
    }

    fn asked(&self) -> impl Iterator<Item = Class> {
        [
            self.below.map(|_| Class::Below),
            self.above.map(|_| Class::Above),
            self.high.map(|_| Class::High),
        ]
        .into_iter()
        .flatten()
    }
}

/// How many pages of each class are found so far.
#[derive(Debug)]
struct Tally {
    wanted: Wanted,
    found: [usize; 3],
}

impl Tally {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            found: [0; 3],
        }
    }

    /// Counts the page at `start` if one of its class is still wanted.
    fn take(&mut self, start: u64, page_size: u64) -> Option<Class> {
        let class = self.wanted.class(start, page_size)?;
        let found = &mut self.found[class as usize];
        if *found == self.wanted.pages {
            return None;
        }
        *found += 1;
        Some(class)
    }

    fn complete(&self) -> bool {
        self.wanted
            .asked()
            .all(|class| self.found[class as usize] == self.wanted.pages)
    }

    fn shortage(&self) -> Failure {
        let found: Vec<String> = self
            .wanted
            .asked()
            .map(|class| format!("{} {class:?}", self.found[class as usize]).to_lowercase())
            .collect();
        Failure::new(format!(
            "found {} of {} pages each, and taking more memory would leave less than \
             {RESERVE_PERCENT}% of it",
            found.join(", "),
            self.wanted.pages,
        ))
    }
}

/// What page contents follow from.
fn contents(seed: u64, physical: u64, page_size: usize) -> Vec<u8> {
    SplitMix64::new(seed ^ physical)
        .take(page_size / size_of::<u64>())
        .flat_map(u64::to_le_bytes)
        .collect()
}

/// A page that holds its pattern.
#[derive(Debug, Serialize)]
pub struct Page {
    class: Class,
    physical: Hex,
    #[serde(skip)]
    memory: Mapping,
}

/// Pages that hold their patterns for as long as this lives.
#[derive(Debug, Serialize)]
pub struct Held {
    seed: u64,
    page_size: usize,
    pages: Vec<Page>,
}

/// Finds the wanted pages, fills them, and gives all other memory back.
pub fn hold(wanted: Wanted, seed: u64) -> Result<Held, Failure> {
    let page_size =
        page_size().map_err(|errno| Failure::errno("cannot ask for the page size", errno))?;
    let pagemap = Pagemap::open(page_size)
        .map_err(|error| Failure::io("cannot open /proc/self/pagemap", &error))?;
    let mut pages = find(wanted, &pagemap, page_size)?;
    for page in &mut pages {
        let Hex(physical) = page.physical;
        page.memory
            .write(&contents(seed, physical, page_size.get()))
            .ok_or_else(|| Failure::new("a page is shorter than the page size"))?;
    }
    check_unmoved(&pages, &pagemap)?;
    Ok(Held {
        seed,
        page_size: page_size.get(),
        pages,
    })
}

fn find(wanted: Wanted, pagemap: &Pagemap, page_size: NonZeroUsize) -> Result<Vec<Page>, Failure> {
    let mut tally = Tally::new(wanted);
    let mut chunks = Vec::new();
    while !tally.complete() {
        let memory = Memory::read()?;
        if !memory.can_spare(CHUNK_LEN.get() as u64) {
            return Err(tally.shortage());
        }
        let chunk = Mapping::locked(CHUNK_LEN)
            .map_err(|errno| Failure::errno("cannot allocate and lock memory", errno))?;
        let addresses = pagemap
            .physical(chunk.address(), CHUNK_LEN.get() / page_size)
            .map_err(|error| Failure::io("cannot read /proc/self/pagemap", &error))?;
        if addresses.iter().all(Option::is_none) {
            return Err(Failure::new(
                "/proc/self/pagemap shows no addresses: CAP_SYS_ADMIN is needed",
            ));
        }
        let taken: Vec<(usize, Class, u64)> = addresses
            .into_iter()
            .enumerate()
            .filter_map(|(number, address)| {
                let address = address?;
                let class = tally.take(address, page_size.get() as u64)?;
                Some((number, class, address))
            })
            .collect();
        chunks.push((chunk, taken));
    }
    Ok(chunks
        .into_iter()
        .flat_map(|(chunk, taken)| {
            let numbers = taken.iter().map(|&(number, ..)| number);
            let pages = chunk.into_pages(numbers, page_size);
            pages
                .into_iter()
                .zip(taken)
                .map(|(memory, (_, class, physical))| Page {
                    class,
                    physical: Hex(physical),
                    memory,
                })
        })
        .collect())
}

/// Locked memory stays in memory, but the kernel may move it to another frame.
fn check_unmoved(pages: &[Page], pagemap: &Pagemap) -> Result<(), Failure> {
    for page in pages {
        let Hex(physical) = page.physical;
        let now = pagemap
            .physical(page.memory.address(), 1)
            .map_err(|error| Failure::io("cannot read /proc/self/pagemap", &error))?;
        if now != [Some(physical)] {
            return Err(Failure::new(format!(
                "the kernel moved the page at {} while it was filled: run it again",
                page.physical
            )));
        }
    }
    Ok(())
}

/// How much memory there is, in bytes.
#[derive(Debug, PartialEq, Eq)]
struct Memory {
    total: u64,
    available: u64,
}

impl Memory {
    fn read() -> Result<Self, Failure> {
        let text = fs::read_to_string("/proc/meminfo")
            .map_err(|error| Failure::io("cannot read /proc/meminfo", &error))?;
        Self::parse(&text).ok_or_else(|| {
            Failure::new("/proc/meminfo lacks a readable MemTotal or MemAvailable line")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            let kib = line.strip_prefix(':')?.trim().strip_suffix("kB")?;
            kib.trim().parse::<u64>().ok()?.checked_mul(1024)
        };
        Some(Self {
            total: bytes("MemTotal")?,
            available: bytes("MemAvailable")?,
        })
    }

    fn can_spare(&self, len: u64) -> bool {
        self.available.saturating_sub(len) >= self.total / 100 * RESERVE_PERCENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: u64 = 4096;

    fn wanted(below: u64, above: u64, high: Option<u64>) -> Wanted {
        Wanted {
            pages: 2,
            below: Some(below),
            above: Some(above),
            high,
        }
    }

    #[test]
    fn contents_are_the_stream_of_seed_and_address() {
        let page = contents(0x1234_5000 ^ 1_234_567, 0x1234_5000, 4096);
        assert_eq!(page.len(), 4096);
        assert_eq!(page[..8], 6_457_827_717_110_365_317_u64.to_le_bytes());
        assert_eq!(page[8..16], 3_203_168_211_198_807_973_u64.to_le_bytes());
    }

    #[test]
    fn pages_of_one_seed_differ() {
        assert_ne!(contents(1, 0x1000, 4096), contents(1, 0x2000, 4096));
        assert_ne!(contents(1, 0x1000, 4096), contents(2, 0x1000, 4096));
    }

    #[test]
    fn a_class_holds_whole_pages_between_its_limits() {
        let without_high = wanted(0x6f00_0000, 0x7f00_0000, None);
        let with_high = wanted(0x6f00_0000, 0x7f00_0000, Some(FOUR_GIB));
        let table = [
            (0x000f_f000, None, "below 1 MiB"),
            (0x0010_0000, Some(Class::Below), "from 1 MiB"),
            (
                0x6eff_f000,
                Some(Class::Below),
                "the last page before the limit",
            ),
            (0x6eff_f800, None, "across the limit"),
            (0x6f00_0000, None, "between the limits"),
            (0x7f00_0000, Some(Class::Above), "the first page above"),
            (0xffff_f000, Some(Class::Above), "the last page of 4 GiB"),
        ];
        for (address, class, what) in table {
            assert_eq!(without_high.class(address, PAGE), class, "{what}");
            assert_eq!(with_high.class(address, PAGE), class, "{what}");
        }
        assert_eq!(without_high.class(FOUR_GIB, PAGE), None);
        assert_eq!(with_high.class(FOUR_GIB, PAGE), Some(Class::High));
        assert_eq!(with_high.class(u64::MAX - 1, PAGE), None);
    }

    #[test]
    fn a_class_that_is_not_asked_for_takes_nothing() {
        let only_high = Wanted {
            pages: 1,
            high: Some(FOUR_GIB),
            ..Wanted::default()
        };
        assert_eq!(only_high.class(0x20_0000, PAGE), None);
        assert_eq!(only_high.class(FOUR_GIB, PAGE), Some(Class::High));
    }

    #[test]
    fn the_tally_takes_what_is_wanted_and_no_more() {
        let mut tally = Tally::new(wanted(0x4000_0000, 0x5000_0000, None));
        assert_eq!(tally.take(0x10_0000, PAGE), Some(Class::Below));
        assert_eq!(tally.take(0x10_1000, PAGE), Some(Class::Below));
        assert_eq!(tally.take(0x10_2000, PAGE), None);
        assert!(!tally.complete());
        let sentence = tally.shortage().to_string();
        assert!(
            sentence.starts_with("found 2 below, 0 above of 2 pages each"),
            "{sentence}"
        );
        tally.take(0x5000_0000, PAGE);
        tally.take(0x5000_1000, PAGE);
        assert!(tally.complete());
    }

    #[test]
    fn memory_is_read_in_bytes_and_a_reserve_is_left() {
        let memory = Memory::parse("MemTotal:        1000 kB\nMemAvailable:     400 kB\n");
        let memory = memory.expect("both lines are there");
        let expected = Memory {
            total: 1_024_000,
            available: 409_600,
        };
        assert_eq!(memory, expected);
        assert!(memory.can_spare(256_000));
        assert!(!memory.can_spare(256_001));
        assert_eq!(Memory::parse("MemTotal: 1 kB\nMemAvailable: x kB\n"), None);
        assert_eq!(Memory::parse("MemTotalX: 1 kB\n"), None);
    }
}
