// SPDX-License-Identifier: GPL-2.0

//! What a crashed kernel leaves, which nobody can vouch for.

use kexec_core::elf::Machine;
use kexec_core::elfcorehdr::CoreHeader;
use kexec_core::note::{notes_len, Notes};
use kexec_core::ranges::PAGE_SIZE;
use kexec_core::vmcore::Layout;
use kexec_core::vmcoreinfo::{with_crashtime, with_crashtime_len, Vmcoreinfo};

/// Offsets that are tried in a dump file.
const OFFSETS: u64 = 64;

/// An ELF core header, and the dump file that is made from it.
pub fn elfcorehdr(input: &[u8]) {
    let _ = CoreHeader::total_len(input);
    for machine in [Machine::X86_64, Machine::Aarch64] {
        let Ok(core) = CoreHeader::parse(input, machine) else {
            continue;
        };
        assert_eq!(core.notes().count(), core.notes_count());
        assert_eq!(core.loads().count(), core.loads_count());
        let Ok(layout) = Layout::new(&core, input.len(), PAGE_SIZE) else {
            continue;
        };
        let mut header = vec![0; layout.header_len()];
        if layout.encode_header(&core, &mut header).is_err() {
            continue;
        }
        let step = (layout.size() / OFFSETS).max(1);
        for index in 0..OFFSETS {
            let offset = index.saturating_mul(step);
            if let Some(piece) = layout.locate(&header, offset) {
                let end = offset.checked_add(piece.len);
                assert!(end.is_some_and(|end| end <= layout.size()));
            }
        }
        assert!(layout.locate(&header, layout.size()).is_none());
    }
}

/// Notes.
pub fn note(input: &[u8]) {
    let mut notes = Notes::new(input);
    while let Some(note) = notes.next() {
        assert!(notes.offset() <= input.len());
        if note.is_err() {
            break;
        }
    }
    if let Ok(len) = notes_len(input) {
        assert!(len <= input.len());
    }
}

/// A kernel's description of itself.
pub fn vmcoreinfo(input: &[u8]) {
    let mut out = vec![0; with_crashtime_len(input.len())];
    if let Ok((len, time)) = with_crashtime(&mut out, input) {
        time.write(&mut out, u64::MAX);
        assert!(Vmcoreinfo::parse(&out[..len]).is_ok());
    }
    if let Ok(info) = Vmcoreinfo::parse(input) {
        let _ = (info.value("OSRELEASE"), info.number("phys_base"));
        let _ = (info.symbol("_stext"), info.size("page"));
        let _ = (info.offset("page.flags"), info.length("zone.free_area"));
    }
}
