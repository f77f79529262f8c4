// SPDX-License-Identifier: GPL-2.0

//! The certificate table, and the signatures in it.

use kexec_core::{
    signature::{
        der::DerError,
        pe::{
            CertificateError,
            PeError,
            PeImage, //
        }, //
    },
    types::errno::Errno, //
};

use super::{
    error,
    message,
    signed, //
};
use crate::{
    fixture::put,
    signature::pe_fixture::{
        certificate,
        der,
        PeFile, //
    }, //
};

#[test]
fn a_second_signature_is_checked_but_the_first_is_taken() {
    let second = der(0x30, b"another");
    let table = [certificate(&message()), certificate(&second)].concat();
    let file = PeFile::default().with_table(&table);
    assert_eq!(
        PeImage::parse(&file).unwrap().signature(),
        Some(&message()[..])
    );
}

#[test]
fn the_last_entry_needs_no_padding() {
    let mut table = certificate(&message());
    table.truncate(8 + message().len());
    assert_ne!(table.len() % 8, 0);
    let file = PeFile::default().with_table(&table);
    assert!(PeImage::parse(&file).unwrap().signature().is_some());
}

/// Every refusal of the certificate table, with the bytes that have to be written into a signed
/// file to get it.
#[test]
fn a_bad_certificate_table_is_refused_with_what_is_wrong() {
    let fixture = PeFile::default();
    let directory = fixture.certificate_directory();
    let good = signed();
    let table = fixture.assemble().len();
    let le = |number: usize| (number as u32).to_le_bytes();
    let len = good.len() - table;
    let cases: &[(usize, &[u8], &str)] = &[
        (
            directory,
            &le(0),
            "the certificate table has 0x130 bytes at 0x0, but only a table with neither a length \
             nor an offset is none: sign the kernel again",
        ),
        (
            directory + 4,
            &le(0),
            "the certificate table has 0x0 bytes at 0x800, but only a table with neither a length \
             nor an offset is none: sign the kernel again",
        ),
        (
            directory,
            &le(table + 4),
            "the certificate table is at 0x804, but has to be at a multiple of 8: sign the kernel \
             again",
        ),
        (
            directory,
            &le(0x1f8),
            "the certificate table at 0x1f8 overlaps the headers, which end at 0x200: sign the \
             kernel again",
        ),
        (
            directory + 4,
            &le(len + 1),
            "the certificate table ends at 0x931, but the file has 0x930 bytes, so that the \
             signature is cut off: sign the kernel again",
        ),
        (
            directory,
            &[le(0xffff_fff8), le(0xffff_ffff)].concat(),
            "the certificate table ends at 0x1fffffff7, but the file has 0x930 bytes, so that \
             the signature is cut off: sign the kernel again",
        ),
        (
            directory + 4,
            &le(len - 8),
            "the certificate table ends at 0x928, but the file has 0x930 bytes, and no signature \
             covers what follows the table: sign the kernel again",
        ),
        (
            table,
            &le(7),
            "the certificate table has an entry of 0x7 bytes at 0x0, but an entry has from 8 to \
             0x130 bytes there: sign the kernel again",
        ),
        (
            table,
            &le(len + 1),
            "the certificate table has an entry of 0x131 bytes at 0x0, but an entry has from 8 \
             to 0x130 bytes there: sign the kernel again",
        ),
        (
            table + 4,
            &[0x00, 0x01],
            "the certificate table has an entry of revision 0x0100, but 0x0200 (2.0) is needed: \
             sign the kernel again",
        ),
        (
            table + 6,
            &[0x01, 0x00],
            "the certificate table has an entry of type 0x0001, but 0x0002 (PKCS#7) is needed: \
             sign the kernel again",
        ),
        (
            table + 8,
            &[0x31],
            "the signature is not a PKCS#7 message: an element has the tag 0x31, not 0x30: sign \
             the kernel again",
        ),
    ];
    for (offset, field, sentence) in cases {
        let mut file = good.clone();
        put(&mut file, *offset, field);
        let found = error(&file);
        assert_eq!(found.to_string(), *sentence);
        assert_eq!(found.errno(), Errno::LibBad);
    }
}

#[test]
fn only_padding_follows_a_signature_in_its_entry() {
    let fixture = PeFile::default();
    for (padding, accepted) in [
        (&[0; 7][..], true),
        (&[], true),
        (&[0; 8], false),
        (&[0, 0, 1], false),
    ] {
        let contents = [&message()[..], padding].concat();
        let file = fixture.with_table(&certificate(&contents));
        match PeImage::parse(&file) {
            Ok(image) => {
                assert!(accepted, "{padding:?}");
                assert_eq!(image.signature(), Some(&message()[..]));
            }
            Err(error) => {
                assert!(!accepted, "{padding:?}");
                assert_eq!(
                    error.to_string(),
                    format!(
                        "{} bytes follow the signature in its entry, but only zeros up to the \
                         next multiple of 8 may: sign the kernel again",
                        padding.len()
                    )
                );
            }
        }
    }
}

#[test]
fn what_is_left_of_a_table_has_to_be_an_entry() {
    let mut table = certificate(&message());
    table.extend_from_slice(&[0; 4]);
    assert_eq!(
        error(&PeFile::default().with_table(&table)).to_string(),
        "the certificate table has 4 bytes left at 0x130, too few for an entry of 8 bytes or \
         more: sign the kernel again"
    );
}

#[test]
fn a_signature_is_as_long_as_the_kernel_takes_at_most() {
    let longest = der(0x30, &vec![0; 0xffff - 4]);
    let file = PeFile::default().with_table(&certificate(&longest));
    assert_eq!(
        PeImage::parse(&file).unwrap().signature(),
        Some(&longest[..])
    );

    let longer = der(0x30, &vec![0; 0x1_0000 - 4]);
    let found = error(&PeFile::default().with_table(&certificate(&longer)));
    assert_eq!(
        found.to_string(),
        "the signature has 65536 bytes, but 65535 at most are taken: sign the kernel again"
    );
    assert_eq!(found.errno(), Errno::MsgSize);
}

#[test]
fn a_cut_signature_is_refused() {
    let mut file = PeFile::default().with_table(&certificate(&der(0x30, b"")));
    let at = file.len() - 7;
    file[at] = 0x7f;
    assert_eq!(
        error(&file),
        PeError::Certificates(CertificateError::NotPkcs7 {
            error: DerError::Truncated {
                needed: 0x7f,
                len: 0
            }
        })
    );
}
