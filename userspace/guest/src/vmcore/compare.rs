// SPDX-License-Identifier: GPL-2.0

//! Two files of the same dump: whatever is asked of both, both must answer the same.

use std::{
    num::NonZeroUsize,
    os::unix::fs::MetadataExt, //
};

use nix::{
    errno::Errno,
    libc,
    sys::mman::{
        MapFlags,
        ProtFlags, //
    }, //
};
use serde::Serialize;

use crate::{
    report::Failure,
    splitmix::SplitMix64, //
};

use super::Dump;
use crate::file_mapping::FileMapping;

const PAGE: u64 = 4096;

/// How much is compared at a time in a run through the whole file.
const STEP: usize = 1 << 20;

/// How much is mapped at a time in a run through the whole file: much, so that mappings go across
/// segments and have large pages.
const MAPPED_STEP: usize = 64 << 20;

/// How much is cut off a mapping: not where a large page ends.
const CUT: NonZeroUsize = NonZeroUsize::MIN.saturating_add((3 << 20) + 5 * PAGE as usize - 1);

/// Most bytes of one random request.
const REQUEST_MAX: u64 = 4 << 20;

/// What was compared.
#[derive(Debug, Serialize)]
pub struct Compared {
    size: u64,
    seed: u64,
    reads: u64,
    mappings: u64,
    refused: u64,
}

/// Compares everything: what stat, lseek, poll and mprotect say, all bytes, and so many random
/// reads and as many mappings.
pub fn compare(ours: &Dump, theirs: &Dump, seed: u64, requests: u64) -> Result<Compared, Failure> {
    let size = theirs.size()?;
    let pair = Pair { ours, theirs, size };
    pair.same_metadata()?;
    pair.same_answers(size)?;
    pair.same_bytes(size)?;
    pair.same_mapped_bytes(size)?;
    let borders = borders(theirs, size)?;
    pair.same_when_cut(&borders)?;
    let mut compared = Compared {
        size,
        seed,
        reads: 0,
        mappings: 0,
        refused: 0,
    };
    let mut random = Random(SplitMix64::new(seed));
    for _ in 0..requests {
        let (offset, len) = random.request(&borders, size);
        pair.same_read(offset, len)?;
        compared.reads += 1;
        let (offset, len) = random.request(&borders, size);
        let flags = match random.below(2) {
            0 => MapFlags::MAP_PRIVATE,
            _ => MapFlags::MAP_SHARED,
        };
        compared.refused += u64::from(!pair.same_mapping(offset & !(PAGE - 1), len, flags)?);
        compared.mappings += 1;
    }
    Ok(compared)
}

struct Pair<'a> {
    ours: &'a Dump,
    theirs: &'a Dump,
    size: u64,
}

impl Pair<'_> {
    /// Fails unless both answers are the same.
    fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        what: impl std::fmt::Display,
        ask: impl Fn(&Dump) -> T,
    ) -> Result<T, Failure> {
        let (ours, theirs) = (ask(self.ours), ask(self.theirs));
        if ours != theirs {
            return Err(Failure::new(format!(
                "{what}: {} answers {ours:?}, {} answers {theirs:?}",
                self.ours.path().display(),
                self.theirs.path().display()
            )));
        }
        Ok(ours)
    }

    fn same_metadata(&self) -> Result<(), Failure> {
        self.same("stat", |dump| {
            dump.file
                .metadata()
                .map(|found| (found.len(), found.mode(), found.uid(), found.blocks()))
                .map_err(|error| error.to_string())
        })?
        .map(drop)
        .map_err(Failure::new)
    }

    /// The calls whose answers are numbers alone.
    fn same_answers(&self, size: u64) -> Result<(), Failure> {
        self.same("poll", Dump::poll)?.ok();
        let size = i64::try_from(size).map_err(|_| Failure::new("the size is no file offset"))?;
        let offsets = [
            i64::MIN,
            -size - 1,
            -size,
            -1,
            0,
            1,
            5000,
            size - 1,
            size,
            size + 1,
        ];
        for whence in [
            libc::SEEK_SET,
            libc::SEEK_CUR,
            libc::SEEK_END,
            libc::SEEK_DATA,
            libc::SEEK_HOLE,
            99,
        ] {
            for offset in offsets {
                // SEEK_DATA with a negative offset is EINVAL there and ENXIO in other files.
                if offset < 0 && matches!(whence, libc::SEEK_DATA | libc::SEEK_HOLE) {
                    continue;
                }
                self.same(format_args!("lseek {offset} {whence}"), |dump| {
                    dump.seek(7777, libc::SEEK_SET)
                        .and_then(|_| dump.seek(offset, whence))
                })?
                .ok();
            }
        }
        for protection in [ProtFlags::PROT_WRITE, ProtFlags::PROT_EXEC] {
            for flags in [MapFlags::MAP_PRIVATE, MapFlags::MAP_SHARED] {
                self.same(format_args!("mmap {protection:?} {flags:?}"), |dump| {
                    dump.map_with(protection, flags)
                })?
                .ok();
                let len = NonZeroUsize::MIN.saturating_add(8191);
                self.same(format_args!("mprotect {protection:?} {flags:?}"), |dump| {
                    dump.map(0, len, flags)
                        .and_then(|mapping| mapping.protect(protection))
                })?
                .ok();
            }
        }
        Ok(())
    }

    fn same_bytes(&self, size: u64) -> Result<(), Failure> {
        let mut offset = 0;
        while offset < size {
            let read = self.same_read(offset, STEP)?;
            if read == 0 {
                return Err(Failure::new(format!(
                    "both files end at {offset:#x} of {size:#x}"
                )));
            }
            offset += read as u64;
        }
        Ok(())
    }

    fn same_mapped_bytes(&self, size: u64) -> Result<(), Failure> {
        for offset in (0..size).step_by(MAPPED_STEP) {
            let len = (size - offset).min(MAPPED_STEP as u64) as usize;
            if !self.same_mapping(offset, len, MapFlags::MAP_SHARED)? {
                return Err(Failure::new(format!(
                    "neither file can be mapped at {offset:#x}"
                )));
            }
        }
        Ok(())
    }

    /// A mapping of which a part is unmapped once all of it was accessed: of the first memory, the
    /// crashed kernel's text, in which hardly two pages are alike.
    fn same_when_cut(&self, borders: &[u64]) -> Result<(), Failure> {
        let memory = borders.iter().filter(|border| **border > PAGE).min();
        let offset = memory.map_or(PAGE, |end| end.next_multiple_of(PAGE));
        let len = CUT.saturating_mul(NonZeroUsize::MIN.saturating_add(1));
        for flags in [MapFlags::MAP_PRIVATE, MapFlags::MAP_SHARED] {
            let mapping = self
                .ours
                .map(offset, len, flags)
                .map_err(|errno| Failure::errno("cannot map the first memory", errno))?;
            self.same_as_read(&mapping, offset)?;
            let rest = mapping
                .without_front(CUT)
                .map_err(|errno| Failure::errno("cannot unmap a part", errno))?;
            self.same_as_read(&rest, offset + CUT.get() as u64)?;
        }
        Ok(())
    }

    /// Reads from both. Returns how much it was.
    fn same_read(&self, offset: u64, len: usize) -> Result<usize, Failure> {
        let mut buffers = [vec![0xaa; len], vec![0xaa; len]];
        let [ours, theirs] = &mut buffers;
        let found = self.ours.read(ours, offset);
        let expected = self.theirs.read(theirs, offset);
        if found != expected || ours != theirs {
            return Err(Failure::new(format!(
                "a read of {len:#x} bytes at {offset:#x} gives {found:?} and {expected:?}{}",
                difference(ours, theirs)
            )));
        }
        found.map_err(|errno| Failure::errno("neither file can be read", errno))
    }

    /// Whether a mapping would reach past the end of the file, which nobody allows.
    fn ends_behind(&self, offset: u64, len: NonZeroUsize) -> bool {
        offset + (len.get() as u64).next_multiple_of(PAGE) > self.size
    }

    fn same_as_read(&self, found: &FileMapping, offset: u64) -> Result<(), Failure> {
        let mut expected = vec![0; found.bytes().len()];
        let read = self.theirs.read(&mut expected, offset);
        if read != Ok(expected.len()) || found.bytes() != expected {
            return Err(Failure::new(format!(
                "a mapping of {:#x} bytes at {offset:#x} has not what is read, {read:?}{}",
                expected.len(),
                difference(found.bytes(), &expected)
            )));
        }
        Ok(())
    }

    /// Maps both. Returns whether that was possible.
    fn same_mapping(&self, offset: u64, len: usize, flags: MapFlags) -> Result<bool, Failure> {
        let len = NonZeroUsize::new(len).unwrap_or(NonZeroUsize::MIN);
        let found = self.ours.map(offset, len, flags);
        let expected = self.theirs.map(offset, len, flags);
        match (found, expected) {
            (Ok(found), Ok(expected)) if found.bytes() == expected.bytes() => Ok(true),
            // Across segments the kernel's own file cannot be mapped on x86 while ours has a part
            // of that mapped for its readers: what it reads must do.
            (Ok(found), Err(Errno::EAGAIN)) => self.same_as_read(&found, offset).map(|()| true),
            (Err(found), Err(expected)) if found == expected && self.ends_behind(offset, len) => {
                Ok(false)
            }
            (found, expected) => {
                let different = match (&found, &expected) {
                    (Ok(found), Ok(expected)) => difference(found.bytes(), expected.bytes()),
                    _ => String::new(),
                };
                Err(Failure::new(format!(
                    "a mapping of {len:#x} bytes at {offset:#x} gives {:?} and {:?}{different}",
                    found.err().unwrap_or(Errno::UnknownErrno),
                    expected.err().unwrap_or(Errno::UnknownErrno),
                )))
            }
        }
    }
}

/// Where two pieces of memory differ first.
fn difference(ours: &[u8], theirs: &[u8]) -> String {
    let differs = ours
        .iter()
        .zip(theirs)
        .position(|(ours, theirs)| ours != theirs);
    differs.map_or(String::new(), |at| {
        format!(", which differ from byte {at:#x} on")
    })
}

/// Where something starts or ends in the file: the program headers tell.
fn borders(dump: &Dump, size: u64) -> Result<Vec<u64>, Failure> {
    let mut header = vec![0; 64 + 56 * 1024];
    let len = dump
        .read(&mut header, 0)
        .map_err(|errno| Failure::errno("cannot read the headers", errno))?;
    header.truncate(len);
    let field = |offset: usize| {
        let bytes = header.get(offset..)?.first_chunk()?;
        Some(u64::from_le_bytes(*bytes))
    };
    let count = usize::from(u16::from_le_bytes([header[56], header[57]]));
    let mut borders = vec![0, PAGE, size];
    for index in 0..count {
        let at = 64 + 56 * index;
        let (Some(offset), Some(len)) = (field(at + 8), field(at + 40)) else {
            break;
        };
        borders.extend([offset, offset + len]);
    }
    Ok(borders)
}

struct Random(SplitMix64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0.next().unwrap_or_default()
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }

    /// An offset, half of them near a border, and a length, most of them small.
    fn request(&mut self, borders: &[u64], size: u64) -> (u64, usize) {
        let offset = match self.below(2) {
            0 => self.below(size + 2 * PAGE),
            _ => {
                let border = borders[self.below(borders.len() as u64) as usize];
                (border + self.below(4 * PAGE)).saturating_sub(2 * PAGE)
            }
        };
        let len = REQUEST_MAX >> self.below(22);
        (offset, 1 + self.below(len) as usize)
    }
}
