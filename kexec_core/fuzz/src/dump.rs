// SPDX-License-Identifier: GPL-2.0

//! Targets for the data that a crashed kernel leaves. Nothing in them can be trusted.

use kexec_core::{
    dump::{
        elfcorehdr::{
            encode,
            encoded_len,
            Elfcorehdr,
            Load, //
        },
        kdump_compressed::{
            notes,
            Header,
            SUB_HEADER_LEN, //
        },
        note::{
            notes_len,
            Notes, //
        },
        report::{
            lines::lines,
            reader::Report, //
        },
        vmcore::{
            excluded::{
                Excluded,
                Run,
                EXCLUDED_MAX, //
            },
            Layout,
            Source,
            Wanted, //
        },
        vmcoreinfo::{
            with_crashtime,
            with_crashtime_len,
            Vmcoreinfo, //
        }, //
    },
    types::{
        elf::Architecture,
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    }, //
};

use crate::take_u64;

/// Offsets that are tried in a dump file.
const OFFSETS: u64 = 64;

/// An elfcorehdr, and the dump file that is made from it.
pub fn elfcorehdr(input: &[u8]) {
    let _ = Elfcorehdr::total_len(input);
    for architecture in [Architecture::X86_64, Architecture::Arm64] {
        let Ok(core) = Elfcorehdr::parse(input, architecture) else {
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

/// A dump file of some pieces of memory, without the parts that a list for `exclude=` names.
///
/// The input is a page size, the length of the notes, the length of the list, and the list. Two
/// numbers for each piece of memory follow: the distance from the piece before it, and the length.
pub fn vmcore(mut input: &[u8]) {
    let page_len = PAGE_SIZE << (take_u64(&mut input) % 5);
    let notes_len = usize::from(take_u64(&mut input) as u16);
    let list_len = (take_u64(&mut input) as usize).min(input.len());
    let (list, mut pieces) = input.split_at(list_len);
    let Ok(excluded) = Excluded::parse(list, page_len) else {
        return;
    };
    let mut loads = Vec::new();
    let mut end: u64 = 0;
    while !pieces.is_empty() {
        let (gap, len) = (take_u64(&mut pieces), take_u64(&mut pieces));
        let start = end.checked_add(gap);
        let Some(memory) = start.and_then(|start| Range::from_start_len(start, len)) else {
            return;
        };
        end = memory.end();
        loads.push(Load {
            virtual_address: memory.start(),
            memory,
        });
    }
    let mut bytes = vec![0; encoded_len(1, loads.len())];
    let notes = Range::new(0x1000, 0x2000).expect("a range");
    if encode(&mut bytes, Architecture::X86_64, &[notes], &loads).is_err() {
        return;
    }
    let Ok(core) = Elfcorehdr::parse(&bytes, Architecture::X86_64) else {
        return;
    };
    if let Ok(layout) = Layout::new(&core, notes_len, page_len) {
        let mut header = vec![0; layout.header_len()];
        if layout.encode_header(&core, &mut header).is_ok() {
            go_through(&layout, &header, &excluded, page_len);
        }
    }
}

/// Goes through a dump file from run to run. There is no gap, the file has an end, and lseek(2)
/// finds the same runs.
fn go_through(layout: &Layout, header: &[u8], excluded: &Excluded, page_len: u64) {
    let mut offset = 0;
    let mut runs = 0;
    while let Some(piece) = layout.locate(header, offset) {
        let (kind, len) = match piece.source {
            Source::Header(at) => {
                assert!(at + piece.len as usize <= header.len());
                (Wanted::Data, piece.len)
            }
            Source::Notes(at) => {
                assert!(at + piece.len as usize <= layout.notes_area_len());
                (Wanted::Data, piece.len)
            }
            Source::Memory(address) => {
                let memory = Range::from_start_len(address, piece.len).expect("a range");
                let (kind, run) = match excluded.first_run(memory) {
                    Run::Memory(run) => (Wanted::Data, run),
                    Run::Zeros(run) => (Wanted::Hole, run),
                };
                assert_eq!(run.start(), address);
                assert!(run.end() <= memory.end());
                check_alike(run, kind, excluded, page_len);
                (kind, run.len())
            }
        };
        assert!(len > 0 && len % page_len == 0);
        let other = match kind {
            Wanted::Data => Wanted::Hole,
            Wanted::Hole => Wanted::Data,
        };
        assert_eq!(layout.seek(header, excluded, offset, kind), Some(offset));
        let next = layout.seek(header, excluded, offset, other);
        assert!(next.is_none_or(|next| next >= offset + len));
        offset += len;
        runs += 1;
    }
    assert_eq!(offset, layout.size());
    // The headers, the notes, and each piece of memory with its excluded parts.
    assert!(runs <= 2 + (header.len() / 56) * (2 * EXCLUDED_MAX + 1));
    assert_eq!(layout.seek(header, excluded, offset, Wanted::Hole), None);
}

/// Checks that pages all over a run are each served as the run is.
fn check_alike(run: Range, kind: Wanted, excluded: &Excluded, page_len: u64) {
    let step = (run.len() / OFFSETS).max(1).next_multiple_of(page_len);
    let pages = (run.start()..run.end()).step_by(step as usize);
    for page in pages.chain([run.end() - page_len]) {
        let page = Range::from_start_len(page, page_len).expect("a range");
        let found = match excluded.first_run(page) {
            Run::Memory(_) => Wanted::Data,
            Run::Zeros(_) => Wanted::Hole,
        };
        assert_eq!(found, kind, "{page}");
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

/// A file of makedumpfile's; the sub header follows the start of the header at once.
pub fn kdump_compressed(input: &[u8]) {
    let (sub_header, header) = input.split_at(input.len().min(SUB_HEADER_LEN));
    if let Ok(Some(header)) = Header::parse(header) {
        assert!(header.sub_header_offset().is_power_of_two());
    }
    if let Ok(extent) = notes(sub_header) {
        assert!(extent.offset > 0 && extent.len > 0);
    }
}

/// The notes of a dump, which have a crash report among them or not.
pub fn report(input: &[u8]) {
    if let Ok(report) = Report::find(input) {
        for line in lines(&report) {
            assert!(!line.to_string().is_empty());
        }
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
