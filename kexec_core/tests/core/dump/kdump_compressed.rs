// SPDX-License-Identifier: GPL-2.0

use kexec_core::dump::kdump_compressed::{
    notes,
    Extent,
    Header,
    KdumpCompressedError,
    HEADER_LEN,
    SUB_HEADER_LEN, //
};

/// The start of a file of this version, with blocks of this length.
fn header(version: u32, block_len: u32) -> Vec<u8> {
    let mut file = vec![0xaa; HEADER_LEN];
    file[..8].copy_from_slice(b"KDUMP   ");
    file[8..12].copy_from_slice(&version.to_le_bytes());
    file[428..432].copy_from_slice(&block_len.to_le_bytes());
    file
}

fn sub_header(offset: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0xaa; SUB_HEADER_LEN];
    bytes[48..56].copy_from_slice(&offset.to_le_bytes());
    bytes[56..64].copy_from_slice(&len.to_le_bytes());
    bytes
}

#[test]
fn the_headers_lead_to_the_notes() {
    for (version, block_len) in [(4, 4096), (6, 4096), (6, 16384), (9, 65536)] {
        let header = Header::parse(&header(version, block_len)).unwrap().unwrap();
        assert_eq!(header.sub_header_offset(), u64::from(block_len));
    }
    let extent = Extent {
        offset: 0x1070,
        len: 0x4000,
    };
    assert_eq!(notes(&sub_header(0x1070, 0x4000)), Ok(extent));
}

#[test]
fn files_of_other_formats_are_left_to_others() {
    for file in [&b""[..], b"KDUMP", b"\x7fELF", b"DISKDUMP", b"makedumpfile"] {
        assert_eq!(Header::parse(file), Ok(None));
    }
}

#[test]
fn headers_that_lead_nowhere_are_refused() {
    let refused = |file: &[u8]| Header::parse(file).unwrap_err();
    assert_eq!(refused(&header(3, 4096)), KdumpCompressedError::Version(3));
    for len in [0, 1, 2048, 4095, 12288, 1 << 17, u32::MAX] {
        assert_eq!(
            refused(&header(6, len)),
            KdumpCompressedError::BlockLen(len)
        );
    }
    for len in [8, 11, 12, HEADER_LEN - 1] {
        let short = KdumpCompressedError::Short {
            needed: HEADER_LEN,
            len,
        };
        assert_eq!(refused(&header(6, 4096)[..len]), short);
    }
    for (offset, len) in [(0, 9), (9, 0), (0, 0)] {
        assert_eq!(
            notes(&sub_header(offset, len)),
            Err(KdumpCompressedError::NoNotes)
        );
    }
    let short = KdumpCompressedError::Short {
        needed: SUB_HEADER_LEN,
        len: SUB_HEADER_LEN - 1,
    };
    assert_eq!(notes(&sub_header(1, 1)[..SUB_HEADER_LEN - 1]), Err(short));
    let errors = [
        KdumpCompressedError::Version(3),
        KdumpCompressedError::BlockLen(3),
        short,
        KdumpCompressedError::NoNotes,
    ];
    for error in errors {
        assert!(error
            .to_string()
            .starts_with("the file is kdump-compressed"));
    }
}
