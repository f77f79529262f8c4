// SPDX-License-Identifier: GPL-2.0

//! The text of /proc/iomem, which has addresses that modules cannot get otherwise.

use crate::types::ranges::Range;

/// An entry: a line such as `  01000000-01ffffff : Kernel code`, in hexadecimal, with the last address
/// inclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// How many entries enclose it.
    pub depth: usize,
    /// Its addresses.
    pub range: Range,
    /// What is there.
    pub name: &'a [u8],
}

impl<'a> Entry<'a> {
    /// Reads a line. Without the privilege to see addresses the kernel shows zeros, which are no range.
    fn parse(line: &'a [u8]) -> Option<Self> {
        let (addresses, name) = split_once(line, b" : ")?;
        let indent = addresses.iter().position(|byte| *byte != b' ')?;
        let (first, last) = split_once(addresses.get(indent..)?, b"-")?;
        let (first, last) = (hexadecimal(first)?, hexadecimal(last)?);
        let range = Range::new(first, last.checked_add(1)?);
        Some(Self {
            depth: indent / 2,
            range: range.filter(|range| !range.is_empty() && last != 0)?,
            name,
        })
    }
}

/// The entries of the text, each before those that it encloses.
pub fn entries(text: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    text.split(|byte| *byte == b'\n').filter_map(Entry::parse)
}

/// The range of the first entry with this name.
pub fn find(text: &[u8], name: &str) -> Option<Range> {
    let mut entries = entries(text);
    let found = entries.find(|entry| entry.name == name.as_bytes())?;
    Some(found.range)
}

/// The parts of RAM that have an entry of their own: the kernel itself, and what was reserved, at boot or since.
/// Firmware's tables for the next kernel are among them, and memory that an interrupt controller goes on
/// writing to.
pub fn reserved_in_ram(text: &[u8]) -> impl Iterator<Item = Range> + '_ {
    let mut ram_depth = None;
    entries(text).filter_map(move |entry| {
        ram_depth = ram_depth.filter(|depth| *depth < entry.depth);
        if ram_depth.is_some() {
            return Some(entry.range);
        }
        ram_depth = entry.name.starts_with(b"System RAM").then_some(entry.depth);
        None
    })
}

/// Splits a text at the first `separator`. The methods of `str` that do this have operations that
/// could panic.
fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let starts = |rest: &[u8]| rest.starts_with(separator);
    let at = (0..text.len()).find(|at| text.get(*at..).is_some_and(starts))?;
    let after = at.checked_add(separator.len())?;
    Some((text.get(..at)?, text.get(after..)?))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"00000000-00000fff : Reserved\n\
        00100000-7ffdffff : System RAM\n  \
        2e000000-2edfffff : Kernel code\n  \
        2f400000-2f5fffff : Kernel bss\n";

    #[test]
    fn an_indented_entry_is_found_with_its_last_byte() {
        assert_eq!(
            find(TEXT, "Kernel code"),
            Range::new(0x2e00_0000, 0x2ee0_0000)
        );
        assert_eq!(find(TEXT, "Kernel"), None);
        assert_eq!(find(TEXT, "Crash kernel"), None);
    }

    #[test]
    fn what_has_an_entry_of_its_own_within_ram_is_reserved() {
        let text = b"00100000-7ffdffff : System RAM\n  \
            2e000000-2edfffff : Kernel code\n  \
            60000000-60ffffff : reserved\n    \
            60100000-601fffff : more\n\
            7ffe0000-7fffffff : Reserved\n  \
            7fff0000-7fffffff : a table\n\
            80000000-ffffffff : PCI Bus 0000:00\n\
            100000000-1ffffffff : Persistent Memory\n  \
            100000000-1ffffffff : dax0.0\n    \
            100000000-1ffffffff : System RAM (kmem)\n      \
            150000000-150000fff : reserved\n  \
            1f0000000-1f0000fff : not RAM\n";
        let range = |start, end| Range::new(start, end).unwrap();
        assert!(reserved_in_ram(text).eq([
            range(0x2e00_0000, 0x2ee0_0000),
            range(0x6000_0000, 0x6100_0000),
            range(0x6010_0000, 0x6020_0000),
            range(0x1_5000_0000, 0x1_5000_1000),
        ]));
        assert_eq!(reserved_in_ram(b"").count(), 0);
    }

    #[test]
    fn addresses_that_are_hidden_from_the_reader_are_no_range() {
        assert_eq!(
            find(b"00000000-00000000 : Kernel code\n", "Kernel code"),
            None
        );
    }

    #[test]
    fn an_entry_that_ends_before_it_starts_is_no_range() {
        for text in [
            "2f600000-2f5fffff : Kernel bss",
            "2f600001-2f5fffff : Kernel bss",
        ] {
            assert_eq!(find(text.as_bytes(), "Kernel bss"), None);
        }
    }

    #[test]
    fn a_cut_line_is_no_entry() {
        assert_eq!(find(b"2e000000- : Kernel code", "Kernel code"), None);
        assert_eq!(find(b"2e000000-2ed : Kernel co", "Kernel code"), None);
    }
}
