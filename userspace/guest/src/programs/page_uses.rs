// SPDX-License-Identifier: GPL-2.0

//! `page-uses [--huge] [--hugetlb] [--poison] [--device PATH]`: holds pages of each use that a
//! dump's filter tells from others, and says where they are.
//!
//! When they are there it prints one line and sleeps until it is killed:
//!
//! ```json
//! {"pid":7,"uses":{"anonymous":["0x…",…],"shmem":["0x…",…],…}}
//! ```
//!
//! `anonymous` and `shmem` are always there. `--huge` adds `huge`, `--hugetlb` adds `hugetlb`, for
//! which pages have to be set aside. `--poison` adds `poisoned` and, with the other two,
//! `poisoned-huge`, `poisoned-hugetlb` and `poisoned-shared-hugetlb`. `--device` reads a block device
//! into the page cache.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    num::NonZeroUsize,
    process::ExitCode, //
};

use guest::{
    mapping::{
        page_size,
        Mapping, //
    },
    pagemap::Pagemap,
    report::{
        conclude,
        print_line,
        Failure, //
    }, //
};
use lexopt::{
    Arg::Long,
    ValueExt, //
};
use nix::{
    sys::{
        mman::MapFlags,
        signal::{
            sigaction,
            SaFlags,
            SigAction,
            SigHandler,
            SigSet,
            Signal, //
        }, //
    },
    unistd::{
        getpid,
        pause, //
    }, //
};
use serde::Serialize;

/// Pages of each use, or huge pages of a use that has those.
const PAGES: usize = 64;
const HUGE_PAGES: usize = 2;
/// A huge page of both x86_64 and arm64 with pages of 4 KiB.
const HUGE_LEN: usize = 2 << 20;

#[derive(Serialize)]
struct Ready {
    pid: i32,
    uses: BTreeMap<&'static str, Vec<String>>,
}

/// The pages that are held.
struct Uses {
    page_size: NonZeroUsize,
    pagemap: Pagemap,
    found: BTreeMap<&'static str, Vec<String>>,
    held: Vec<Mapping>,
}

pub fn main() -> ExitCode {
    conclude("page-uses", run())
}

fn run() -> Result<(), Failure> {
    let (mut huge, mut hugetlb, mut poison, mut device) = (false, false, false, None);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("huge") => huge = true,
            Long("hugetlb") => hugetlb = true,
            Long("poison") => poison = true,
            Long("device") => device = Some(parser.value()?.string()?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    let page_size =
        page_size().map_err(|error| Failure::errno("cannot find the page size", error))?;
    let mut uses = Uses {
        page_size,
        pagemap: Pagemap::open(page_size)
            .map_err(|error| Failure::io("cannot open the page map", &error))?,
        found: BTreeMap::new(),
        held: Vec::new(),
    };
    let small = PAGES * page_size.get();
    let private = MapFlags::MAP_PRIVATE;
    uses.hold("anonymous", small, private, false)?;
    uses.hold("shmem", small, MapFlags::MAP_SHARED, false)?;
    if let Some(device) = device {
        uses.read(&device, small)?;
    }
    if huge {
        uses.hold("huge", HUGE_PAGES * HUGE_LEN, private, true)?;
    }
    let from_pool = private | MapFlags::MAP_HUGETLB;
    if hugetlb {
        uses.hold("hugetlb", HUGE_PAGES * HUGE_LEN, from_pool, false)?;
    }
    if poison {
        // The kernel forces this signal on us, so that it can neither be blocked nor ignored.
        let goes_on = SigAction::new(
            SigHandler::Handler(go_on),
            SaFlags::empty(),
            SigSet::empty(),
        );
        // SAFETY: The handler does nothing.
        unsafe { sigaction(Signal::SIGBUS, &goes_on) }
            .map_err(|error| Failure::errno("cannot handle SIGBUS", error))?;
        uses.hold("poisoned", page_size.get(), private, false)?;
        uses.poison("poisoned", 0)?;
        if huge {
            uses.hold("poisoned-huge", HUGE_LEN, private, true)?;
            uses.poison("poisoned-huge", 5 * page_size.get())?;
        }
        if hugetlb {
            uses.hold("poisoned-hugetlb", HUGE_LEN, from_pool, false)?;
            uses.poison("poisoned-hugetlb", 0)?;
            let shared = MapFlags::MAP_SHARED | MapFlags::MAP_HUGETLB;
            uses.hold("poisoned-shared-hugetlb", HUGE_LEN, shared, false)?;
            uses.poison("poisoned-shared-hugetlb", 3 * page_size.get())?;
        }
    }
    print_line(&Ready {
        pid: getpid().as_raw(),
        uses: uses.found,
    })?;
    loop {
        pause();
    }
}

/// A page of ours is lost, at which we never look.
extern "C" fn go_on(_signal: i32) {}

impl Uses {
    /// Maps memory, fills each page, and looks where it is. Huge pages are aligned.
    fn hold(
        &mut self,
        name: &'static str,
        len: usize,
        flags: MapFlags,
        is_huge: bool,
    ) -> Result<(), Failure> {
        let failed = |what: &str, error| Failure::errno(format!("{name}: {what}"), error);
        let room = len + if is_huge { HUGE_LEN } else { 0 };
        let room = NonZeroUsize::new(room).ok_or_else(|| Failure::new("nothing to map"))?;
        let mut mapping =
            Mapping::anonymous(room, flags).map_err(|error| failed("cannot map", error))?;
        let mut start = 0;
        if is_huge {
            mapping
                .ask_for_huge_pages()
                .map_err(|error| failed("no huge pages", error))?;
            start = mapping.address().next_multiple_of(HUGE_LEN) - mapping.address();
        }
        for offset in (start..start + len).step_by(self.page_size.get()) {
            // Each page has other contents, so that none is merged with another.
            let word = (self.held.len() << 32 | offset) as u64 | 1 << 63;
            mapping
                .write_at(offset, &word.to_le_bytes())
                .ok_or_else(|| Failure::new("the mapping is too short"))?;
        }
        if !is_huge && !flags.contains(MapFlags::MAP_HUGETLB) {
            mapping
                .lock()
                .map_err(|error| failed("cannot lock", error))?;
        }
        let physical = self
            .pagemap
            .physical(mapping.address() + start, len / self.page_size.get())
            .map_err(|error| Failure::io("cannot read the page map", &error))?;
        let addresses: Option<Vec<_>> = physical.into_iter().collect();
        let addresses =
            addresses.ok_or_else(|| Failure::new(format!("{name}: a page is not in memory")))?;
        let addresses = addresses
            .into_iter()
            .map(|address| format!("{address:#x}"))
            .collect();
        self.found.insert(name, addresses);
        self.held.push(mapping);
        Ok(())
    }

    /// Makes a page of what was held last defective. The kernel splits a huge page and uses the others
    /// for something else, but for a page of a file in hugetlbfs.
    fn poison(&mut self, name: &'static str, offset: usize) -> Result<(), Failure> {
        let mapping = self.held.last();
        let mapping = mapping.ok_or_else(|| Failure::new("nothing is held"))?;
        let start = match mapping.len().get() > HUGE_LEN {
            true => mapping.address().next_multiple_of(HUGE_LEN) - mapping.address(),
            false => 0,
        };
        let len = self.page_size.get();
        mapping
            .poison(start + offset, len)
            .map_err(|error| Failure::errno(format!("{name}: cannot be poisoned"), error))?;
        if name != "poisoned-shared-hugetlb" {
            let pages = self.found.remove(name).unwrap_or_default();
            let page = pages.into_iter().nth(offset / len);
            self.found.insert(name, page.into_iter().collect());
        }
        Ok(())
    }

    /// Reads a block device, which leaves it in the page cache. Where that is, no process can see.
    fn read(&mut self, path: &str, len: usize) -> Result<(), Failure> {
        let failed = |error| Failure::io(format!("cannot read {path}"), &error);
        let mut file = File::open(path).map_err(failed)?;
        file.read_exact(&mut vec![0; len]).map_err(failed)
    }
}
