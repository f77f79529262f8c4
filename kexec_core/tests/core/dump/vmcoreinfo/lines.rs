// SPDX-License-Identifier: GPL-2.0

use kexec_core::{
    dump::{
        note::{
            self,
            Notes, //
        },
        vmcoreinfo::{
            lines::{
                build_id,
                encode,
                Line, //
            },
            Vmcoreinfo, //
        }, //
    },
    types::errno::Errno, //
};

const LINES: [Line<'_>; 11] = [
    Line::Release("6.12.117"),
    Line::BuildId(&[0x0a, 0xb1, 0xff]),
    Line::PageSize(4096),
    Line::Symbol("swapper_pg_dir", 0xffff_ffff_82e0_a000),
    Line::Size("page", 64),
    Line::Offset("list_head.next", 0),
    Line::Length("zone.free_area", 11),
    Line::Number("phys_base", -0x100_0000),
    Line::Number("pgtable_l5_enabled", 1),
    Line::Address("kimage_voffset", 0xffff_8000_0000_0000),
    Line::KernelOffset(0x1e0_0000),
];

const TEXT: &str = "OSRELEASE=6.12.117\nBUILD-ID=0ab1ff\nPAGESIZE=4096\n\
    SYMBOL(swapper_pg_dir)=ffffffff82e0a000\nSIZE(page)=64\nOFFSET(list_head.next)=0\n\
    LENGTH(zone.free_area)=11\nNUMBER(phys_base)=-16777216\nNUMBER(pgtable_l5_enabled)=1\n\
    NUMBER(kimage_voffset)=0xffff800000000000\nKERNELOFFSET=1e00000\n";

#[test]
fn lines_are_written_as_kernels_write_them() {
    let mut out = [0xaa; 1024];
    let len = encode(&mut out, LINES.into_iter()).unwrap();
    let info = Vmcoreinfo::parse(&out[..len]).unwrap();
    assert_eq!(core::str::from_utf8(info.text()), Ok(TEXT));
    assert!(out[len..].iter().all(|byte| *byte == 0xaa));

    let mut notes = Notes::new(&out[..len]);
    assert!(notes.next().is_some_and(|note| note.is_ok()));
    assert_eq!(notes.next(), None);
    let mut expected = [0xbb; 1024];
    let expected_len = note::encode(&mut expected, b"VMCOREINFO", 0, TEXT.as_bytes()).unwrap();
    assert_eq!(out[..len], expected[..expected_len]);
}

#[test]
fn lines_without_room_are_refused() {
    let len = encode(&mut [0; 1024], LINES.into_iter()).unwrap();
    assert_eq!(encode(&mut vec![0; len], LINES.into_iter()), Ok(len));
    for shorter in 0..len {
        let error = encode(&mut vec![0; shorter], LINES.into_iter()).unwrap_err();
        assert_eq!(error.errno(), Errno::NoMem);
    }
}

#[test]
fn a_build_id_is_found_among_other_notes() {
    let mut notes = [0; 256];
    let mut end = 0;
    for (name, note_type, desc) in [
        (&b"Linux"[..], 3, &b"other"[..]),
        (b"GNU", 1, b"abi"),
        (b"GNU", 3, &[0xab; 20]),
        (b"GNU", 3, b"second"),
    ] {
        assert_eq!(build_id(&notes[..end]), None);
        end += note::encode(&mut notes[end..], name, note_type, desc).unwrap();
        if desc.len() == 20 {
            break;
        }
    }
    assert_eq!(build_id(&notes[..end]), Some(&[0xab; 20][..]));
    assert_eq!(build_id(&notes[..end - 1]), None);
    assert_eq!(build_id(&[]), None);
}
