// SPDX-License-Identifier: GPL-2.0

//! VMCOREINFO, and the time of the crash in it.

mod lines;

use kexec_core::{
    dump::{
        note::{
            encode,
            notes_len,
            NoteError, //
        },
        vmcoreinfo::{
            with_crashtime,
            with_crashtime_len,
            Vmcoreinfo,
            VmcoreinfoError, //
        }, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

const TEXT: &str = "OSRELEASE=6.12.117\n\
    BUILD-ID=0123456789abcdef0123456789abcdef01234567\n\
    PAGESIZE=4096\n\
    SYMBOL(init_uts_ns)=ffffffff82e1a940\n\
    SYMBOL(swapper_pg_dir)=ffffffff82e0a000\n\
    SIZE(page)=64\n\
    OFFSET(page.flags)=0\n\
    OFFSET(list_head.next)=8\n\
    LENGTH(zone.free_area)=11\n\
    NUMBER(phys_base)=-16777216\n\
    NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n\
    NUMBER(kimage_voffset)=0xffff800000000000\n\
    KERNELOFFSET=1e00000\n";

fn note(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; text.len() + 32];
    let len = encode(&mut bytes, b"VMCOREINFO", 0, text.as_bytes()).unwrap();
    bytes.truncate(len);
    bytes
}

/// The text of a note with a line for the time, and how to set it.
fn stamped(text: &str, seconds: u64) -> String {
    let note = note(text);
    let mut out = vec![0xaa; with_crashtime_len(note.len())];
    let (len, slot) = with_crashtime(&mut out, &note).unwrap();
    slot.write(&mut out, seconds);
    assert_eq!(notes_len(&out), Ok(len));
    assert!(out[len..].iter().all(|byte| *byte == 0));
    let text = Vmcoreinfo::parse(&out).unwrap().text().to_vec();
    String::from_utf8(text).unwrap()
}

#[test]
fn values_are_found_by_what_kernels_call_them() {
    let note = note(TEXT);
    let info = Vmcoreinfo::parse(&note).unwrap();
    assert_eq!(info.value("OSRELEASE"), Some("6.12.117"));
    assert_eq!(info.value("PAGESIZE"), Some("4096"));
    assert_eq!(info.symbol("swapper_pg_dir"), Some(0xffff_ffff_82e0_a000));
    assert_eq!(info.size("page"), Some(64));
    assert_eq!(info.offset("list_head.next"), Some(8));
    assert_eq!(info.length("zone.free_area"), Some(11));
    assert_eq!(info.number("KERNEL_IMAGE_SIZE"), Some(1 << 30));
    assert_eq!(info.number("phys_base"), Some(-0x100_0000));
    assert_eq!(info.number("kimage_voffset"), Some(-0x8000_0000_0000));

    assert_eq!(info.value("RELEASE"), None);
    assert_eq!(info.symbol("init_uts"), None);
    assert_eq!(info.symbol("page"), None);
    assert_eq!(info.offset("page"), None);
}

#[test]
fn another_note_is_refused() {
    let mut core = [0; 64];
    encode(&mut core, b"CORE", 1, b"regs").unwrap();
    let error = Vmcoreinfo::parse(&core).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a note of type 1 with a name of 4 bytes lies where VMCOREINFO should be"
    );
    assert_eq!(error.errno(), Errno::Inval);

    for nothing in [&[][..], &[0; 4096][..]] {
        assert_eq!(
            Vmcoreinfo::parse(nothing).unwrap_err(),
            VmcoreinfoError::Missing
        );
    }
    let note = note(TEXT);
    assert!(matches!(
        Vmcoreinfo::parse(&note[..note.len() - 4]),
        Err(VmcoreinfoError::Note(NoteError::PastEnd { .. }))
    ));
}

#[test]
fn the_time_follows_what_was_there() {
    assert_eq!(
        stamped(TEXT, 1_793_000_000),
        format!("{TEXT}CRASHTIME=1793000000\n")
    );
    assert_eq!(stamped("", 1_793_000_000), "CRASHTIME=1793000000\n");
    assert_eq!(
        stamped("OSRELEASE=6.12", 1_793_000_000),
        "OSRELEASE=6.12\nCRASHTIME=1793000000\n",
    );
}

#[test]
fn an_earlier_time_is_dropped() {
    assert_eq!(
        stamped("A=1\nCRASHTIME=17\nB=2\nCRASHTIME=18\n", 1_793_000_000),
        "A=1\nB=2\nCRASHTIME=1793000000\n"
    );
    assert_eq!(
        stamped("A=1\nCRASHTIME=17", 1_793_000_000),
        "A=1\nCRASHTIME=1793000000\n"
    );
    assert_eq!(
        stamped("NOCRASHTIME=1\n", 1_793_000_000),
        "NOCRASHTIME=1\nCRASHTIME=1793000000\n"
    );
}

#[test]
fn the_time_always_has_ten_digits() {
    let line = |seconds| stamped("", seconds);
    assert_eq!(line(0), "CRASHTIME=0000000000\n");
    assert_eq!(line(1_000_000_000), "CRASHTIME=1000000000\n");
    assert_eq!(line(9_999_999_999), "CRASHTIME=9999999999\n");
    assert_eq!(line(u64::MAX), "CRASHTIME=9999999999\n");
}

#[test]
fn a_time_written_into_too_little_is_cut() {
    let note = note("");
    let mut out = vec![0; with_crashtime_len(note.len())];
    let (len, slot) = with_crashtime(&mut out, &note).unwrap();
    for len in 0..len {
        slot.write(&mut out[..len], 1_793_000_000);
    }
}

#[test]
fn a_buffer_without_room_is_refused() {
    let note = note(TEXT);
    let (len, _) = with_crashtime(&mut vec![0; with_crashtime_len(note.len())], &note).unwrap();
    assert!(with_crashtime(&mut vec![0; len], &note).is_ok());
    let error = with_crashtime(&mut vec![0; len - 1], &note).unwrap_err();
    assert_eq!(error.errno(), Errno::NoMem);
}

proptest! {
    #[test]
    fn the_recommended_buffer_is_enough(
        lines in prop::collection::vec("(CRASHTIME|[A-Z]{1,4})=[0-9]{0,5}", 0..6),
        newline: bool,
        seconds: u64,
    ) {
        let mut text = lines.join("\n");
        if newline {
            text.push('\n');
        }
        let found = stamped(&text, seconds);
        let mut expected: String = text
            .split_inclusive('\n')
            .filter(|line| !line.starts_with("CRASHTIME="))
            .collect();
        if !expected.is_empty() && !expected.ends_with('\n') {
            expected.push('\n');
        }
        expected += &format!("CRASHTIME={:010}\n", seconds.min(9_999_999_999));
        prop_assert_eq!(found, expected);
    }
}
