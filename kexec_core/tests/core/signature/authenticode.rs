// SPDX-License-Identifier: GPL-2.0

//! The contents that a signature signs, assembled from the structures of Microsoft's "Windows
//! Authenticode Portable Executable Signature Format".

use kexec_core::{
    signature::{
        authenticode::{
            signed_contents,
            AuthenticodeError,
            DigestAlgorithm,
            IndirectData, //
        },
        der::{
            DerError,
            ObjectIdentifier,
            Reader, //
        }, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

use crate::signature::pe_fixture::der;

/// 1.3.6.1.4.1.311.2.1.15
const PE_IMAGE_DATA: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 15];
/// 2.16.840.1.101.3.4.2.1
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];

fn with(content_type: &[u8], algorithm: &[u8], digest: &[u8]) -> Vec<u8> {
    let data = der(
        0x30,
        &[
            der(0x06, content_type),
            der(
                0x30,
                &[der(0x03, &[0]), der(0xa0, &[0xa2, 2, 0x80, 0])].concat(),
            ),
        ]
        .concat(),
    );
    let identifier = der(0x30, &[der(0x06, algorithm), der(0x05, &[])].concat());
    let message_digest = der(0x30, &[identifier, der(0x04, digest)].concat());
    der(0x30, &[data, message_digest].concat())
}

#[test]
fn algorithm_and_digest_are_read() {
    for (last, algorithm, name, len) in [
        (1, DigestAlgorithm::Sha256, "sha256", 32),
        (2, DigestAlgorithm::Sha384, "sha384", 48),
        (3, DigestAlgorithm::Sha512, "sha512", 64),
    ] {
        let mut identifier = SHA256.to_vec();
        identifier[8] = last;
        let digest = vec![0x5a; len];
        let content = with(PE_IMAGE_DATA, &identifier, &digest);
        let parsed = IndirectData::parse(&content).unwrap();
        assert_eq!(parsed.algorithm(), algorithm);
        assert_eq!(parsed.algorithm().name(), name);
        assert_eq!(parsed.digest(), digest);
        assert_eq!(parsed.check(&digest), Ok(()));

        let mut other = digest.clone();
        other[len - 1] ^= 1;
        for computed in [&other[..], &digest[..len - 1], &[]] {
            assert_eq!(
                parsed.check(computed),
                Err(AuthenticodeError::Mismatch { algorithm })
            );
        }
    }
}

/// A PKCS#7 message that has these contents, of this type, and neither certificates nor signers.
fn message(outer: &[u8], inner: &[u8], contents: &[u8]) -> Vec<u8> {
    let contents = der(0x30, &[der(0x06, inner), der(0xa0, contents)].concat());
    let algorithms = der(0x31, &der(0x30, &der(0x06, SHA256)));
    let signed_data = [der(0x02, &[1]), algorithms, contents, der(0x31, &[])].concat();
    der(
        0x30,
        &[der(0x06, outer), der(0xa0, &der(0x30, &signed_data))].concat(),
    )
}

#[test]
fn the_contents_are_found_in_a_message() {
    // 1.2.840.113549.1.7.2 and .1, 1.3.6.1.4.1.311.2.1.4
    let signed_data = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    let data = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let indirect = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4];
    let contents = with(PE_IMAGE_DATA, SHA256, &[0x5a; 32]);
    let good = message(&signed_data, &indirect, &contents);
    assert_eq!(signed_contents(&good), Ok(&contents[..]));
    for (message, found) in [
        (message(&data, &indirect, &contents), &data),
        (message(&signed_data, &data, &contents), &data),
    ] {
        let found = ObjectIdentifier::new(found);
        let error = AuthenticodeError::ContentType { found };
        assert_eq!(signed_contents(&message), Err(error));
    }
    for len in 0..good.len() {
        assert!(signed_contents(&good[..len]).is_err(), "{len}");
    }
}

#[test]
fn what_old_versions_of_pesign_wrote_is_read() {
    let mut purpose = PE_IMAGE_DATA.to_vec();
    purpose[9] = 21;
    let content = with(&purpose, SHA256, &[0; 32]);
    assert!(IndirectData::parse(&content).is_ok());
}

#[test]
fn contents_that_vouch_for_nothing_are_refused_with_what_is_wrong() {
    // 1.3.6.1.4.1.311.2.1.4, 1.3.14.3.2.26 (SHA-1), and one that is longer than any known one.
    let indirect = [0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 4];
    let sha1 = [0x2b, 14, 3, 2, 26];
    let long = [&[0x81, 0x34][..], &[1; 18]].concat();
    let good = with(PE_IMAGE_DATA, SHA256, &[0; 32]);
    for (content, errno, sentence) in [
        (
            with(&indirect, SHA256, &[0; 32]),
            Errno::BadMsg,
            "the signature is not one of an EFI program: it signs an object of type \
             1.3.6.1.4.1.311.2.1.4: sign the kernel again, with sbsign for example",
        ),
        (
            with(PE_IMAGE_DATA, &sha1, &[0; 20]),
            Errno::NoPkg,
            "the signature has a digest of algorithm 1.3.14.3.2.26, but SHA-256, SHA-384 or \
             SHA-512 is needed: sign the kernel again with one of these",
        ),
        (
            with(PE_IMAGE_DATA, &long, &[0; 20]),
            Errno::NoPkg,
            "the signature has a digest of algorithm 2.100.1.1.1.1.1.1.1.1.1.1.1.1.1.1..., but \
             SHA-256, SHA-384 or SHA-512 is needed: sign the kernel again with one of these",
        ),
        (
            with(PE_IMAGE_DATA, SHA256, &[0; 31]),
            Errno::BadMsg,
            "the signature has a sha256 digest of 31 bytes, which has 32: sign the kernel again",
        ),
        (
            good[1..].to_vec(),
            Errno::BadMsg,
            "what the signature signs is not an Authenticode digest: an element has the tag 0x4c, \
             not 0x30: sign the kernel again, with sbsign for example",
        ),
        (
            [&good[..], b"more"].concat(),
            Errno::BadMsg,
            "what the signature signs is not an Authenticode digest: 4 bytes follow the last \
             element: sign the kernel again, with sbsign for example",
        ),
        (
            good[..good.len() - 1].to_vec(),
            Errno::BadMsg,
            "what the signature signs is not an Authenticode digest: an element has 76 more \
             bytes, but 75 are left: sign the kernel again, with sbsign for example",
        ),
    ] {
        let found = IndirectData::parse(&content).expect_err(sentence);
        assert_eq!(found.to_string(), sentence);
        assert_eq!(found.errno(), errno);
    }
    let mismatch = AuthenticodeError::Mismatch {
        algorithm: DigestAlgorithm::Sha512,
    };
    assert_eq!(mismatch.errno(), Errno::KeyRejected);
    assert_eq!(
        mismatch.to_string(),
        "the kernel is not the file that was signed: its sha512 digest is another one than the \
         signature has; get the file again, or sign it again if it was meant to change"
    );
}

#[test]
fn lengths_have_one_form() {
    for (bytes, expected) in [
        (&[0x04, 0x00][..], Ok(0)),
        (
            &[0x04, 0x81, 0x80],
            Err(DerError::Truncated {
                needed: 0x80,
                len: 0,
            }),
        ),
        (&[0x04, 0x80, 0, 0], Err(DerError::Length { found: 0x80 })),
        (&[0x04, 0x81, 0x7f], Err(DerError::Length { found: 0x81 })),
        (
            &[0x04, 0x82, 0x00, 0xff],
            Err(DerError::Length { found: 0x82 }),
        ),
        (
            &[0x04, 0x85, 1, 0, 0, 0, 0],
            Err(DerError::Length { found: 0x85 }),
        ),
        (&[0x04, 0xff], Err(DerError::Length { found: 0xff })),
        (
            &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff],
            Err(DerError::Truncated {
                needed: 0xffff_ffff,
                len: 0,
            }),
        ),
        (
            &[0x04, 0x82, 1],
            Err(DerError::Truncated { needed: 2, len: 1 }),
        ),
        (&[0x04], Err(DerError::Truncated { needed: 1, len: 0 })),
        (&[], Err(DerError::Truncated { needed: 1, len: 0 })),
    ] {
        let read = Reader::new(bytes).expect(0x04).map(<[u8]>::len);
        assert_eq!(read, expected, "{bytes:x?}");
    }
    assert_eq!(
        Reader::new(&[0x1f, 0x85, 0]).element(),
        Err(DerError::Tag {
            found: 0x1f,
            expected: 0x30
        })
    );
    assert_eq!(
        DerError::Length { found: 0x80 }.to_string(),
        "a length starts with 0x80, which is not DER's shortest form of a length below 4 GiB"
    );
}

#[test]
fn an_object_identifier_is_written_with_dots() {
    for (bytes, text) in [
        (
            &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2][..],
            "1.2.840.113549.1.7.2",
        ),
        (&[0x00], "0.0"),
        (&[0x27], "0.39"),
        (&[0x88, 0x37, 3], "2.999.3"),
        (&[], ""),
    ] {
        assert_eq!(ObjectIdentifier::new(bytes).to_string(), text);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..96)) {
        let _ = IndirectData::parse(&bytes);
        let _ = ObjectIdentifier::new(&bytes).to_string();
    }

    #[test]
    fn a_changed_byte_is_noticed_or_harmless(at in 0..80_usize, value in any::<u8>()) {
        let mut content = with(PE_IMAGE_DATA, SHA256, &[0x5a; 32]);
        let at = at % content.len();
        content[at] = value;
        if let Ok(parsed) = IndirectData::parse(&content) {
            prop_assert_eq!(parsed.digest().len(), parsed.algorithm().digest_len());
        }
    }
}
