// SPDX-License-Identifier: GPL-2.0

//! Compressed kernels: their framing, and where it is in an EFI zboot image. The streams are
//! assembled from RFC 1952 and RFC 8878; nothing here decompresses them.

use kexec_core::{
    image::{
        compressed::{
            Compressed,
            CompressedError,
            Compression, //
        },
        zboot::{
            Zboot,
            ZbootError, //
        }, //
    },
    types::errno::Errno, //
};
use proptest::prelude::*;

use crate::{
    fixture::put,
    signature::pe_fixture::PeFile, //
};

/// A gzip member whose trailer tells this length, with these flags and fields after the header.
fn gzip(flags: u8, fields: &[u8], len: u32) -> Vec<u8> {
    let mut member = vec![0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3];
    member.extend_from_slice(fields);
    member.extend_from_slice(&[0x5a; 40]);
    member.extend_from_slice(&0xdead_beef_u32.to_le_bytes());
    member.extend_from_slice(&len.to_le_bytes());
    member
}

/// The start of a zstd frame with this descriptor and these fields.
fn zstd(descriptor: u8, fields: &[u8]) -> Vec<u8> {
    [&[0x28, 0xb5, 0x2f, 0xfd, descriptor], fields, &[0x5a; 16]].concat()
}

/// A zboot image with this payload and these bytes after it.
fn zboot(compression: &[u8], payload: &[u8], after: &[u8]) -> Vec<u8> {
    let fixture = PeFile {
        machine: 0xaa64,
        sections: vec![(b".text", [payload, after].concat())],
        ..PeFile::default()
    };
    let mut file = fixture.assemble();
    put(&mut file, 2, &[0, 0]);
    put(&mut file, 4, b"zimg");
    put(&mut file, 8, &(fixture.headers_len() as u32).to_le_bytes());
    put(&mut file, 12, &(payload.len() as u32).to_le_bytes());
    put(&mut file, 24, compression);
    file
}

/// A good zboot image.
pub fn gzip_file() -> Vec<u8> {
    zboot(b"gzip", &gzip(0, &[], 0x8000), &[])
}

#[test]
fn gzip_s_optional_fields_are_skipped() {
    let fields = [&b"\x03\0xtr"[..], b"name\0", b"a comment\0", b"\xab\xcd"].concat();
    for (flags, fields) in [(0, &[][..]), (1, &[]), (0x1e, &fields), (8, b"vmlinux\0")] {
        let member = gzip(flags, fields, 0x8000);
        let parsed = Compressed::gzip(&member).unwrap();
        assert_eq!(parsed.compression(), Compression::Gzip);
        assert_eq!(parsed.decompressed_len(), Some(0x8000));
        assert_eq!(parsed.bytes(), member);
        // One byte less than the fields and the trailer need.
        let shortest = 10 + fields.len() + 7;
        let error = Compressed::gzip(&member[..shortest]).unwrap_err();
        assert!(matches!(error, CompressedError::TooShort { .. }), "{error}");
    }
}

#[test]
fn zstd_tells_its_length_in_four_ways_or_not() {
    for (descriptor, fields, len) in [
        (0x20, &[200][..], Some(200)),
        (0x60, &[0xff, 0xff], Some(0x1_00ff)),
        (0xa0, &[0, 0, 0x10, 0], Some(0x10_0000)),
        (0xe4, &[0, 0, 0x20, 0, 0, 0, 0, 0], Some(0x20_0000)),
        (0x00, &[0x88], None),
        (0x40, &[0x88, 0, 1], Some(0x200)),
        (0x23, &[0, 0, 0, 0, 9], Some(9)),
    ] {
        let frame = zstd(descriptor, fields);
        let parsed = Compressed::zstd(&frame).unwrap();
        assert_eq!(parsed.compression().name(), "zstd");
        assert_eq!(parsed.decompressed_len(), len, "{descriptor:#x}");
        for len in 4..5 + fields.len() {
            assert_eq!(
                Compressed::zstd(&frame[..len]),
                Err(CompressedError::TooShort {
                    compression: Compression::Zstd,
                    len
                })
            );
        }
    }
}

#[test]
fn bad_framing_is_refused_with_what_is_wrong() {
    let gib = 1 << 30;
    let mut method = gzip(0, &[], 1);
    method[2] = 7;
    let cases: Vec<(Result<Compressed<'_>, CompressedError>, Errno, &str)> = vec![
        (
            Compressed::gzip(b"\x1f\x8b"),
            Errno::NoExec,
            "the compressed kernel is truncated: its gzip data end after 2 bytes",
        ),
        (
            Compressed::gzip(b"\x1f\x8c\x08"),
            Errno::NoExec,
            "the compressed kernel does not start as gzip data do: the image is damaged",
        ),
        (
            Compressed::zstd(b"\x1f\x8b\x08"),
            Errno::NoExec,
            "the compressed kernel does not start as zstd data do: the image is damaged",
        ),
        (
            Compressed::gzip(&method),
            Errno::NoExec,
            "the kernel is compressed by gzip's method 7, but only 8 (deflate) is known: the \
             image is damaged",
        ),
    ];
    for (found, errno, sentence) in cases {
        let error = found.expect_err(sentence);
        assert_eq!(
            (error.to_string().as_str(), error.errno()),
            (sentence, errno)
        );
    }
    for (member, errno, sentence) in [
        (
            gzip(0x20, &[], 1),
            Errno::NoExec,
            "the compressed kernel has the gzip flags 0x20, of which some are not defined: \
             compress it again, without special options",
        ),
        (
            gzip(0, &[], 0),
            Errno::NoExec,
            "the compressed kernel says that it becomes 0 bytes: the image is damaged, or \
             something follows it in the file",
        ),
        (
            gzip(0, &[], gib + 1),
            Errno::NoExec,
            "the compressed kernel says that it becomes 0x40000001 bytes (1 GiB), but 0x40000000 \
             bytes (1 GiB) at most are taken: the image is damaged",
        ),
        (
            gzip(0, &[], 40 * 1032 + 1),
            Errno::NoExec,
            "the compressed kernel of 0x28 bytes says that it becomes 0xa141 bytes (40.3 KiB), \
             which is more than gzip can make of it: the image is damaged, or something follows \
             it in the file",
        ),
    ] {
        let error = Compressed::gzip(&member).expect_err(sentence);
        assert_eq!(
            (error.to_string().as_str(), error.errno()),
            (sentence, errno)
        );
    }
    assert!(Compressed::gzip(&gzip(0, &[], 40 * 1032)).is_ok());
    for (frame, errno, sentence) in [
        (
            zstd(0x28, &[1]),
            Errno::NoExec,
            "the compressed kernel has the zstd flags 0x28, of which some are not defined: \
             compress it again, without special options",
        ),
        (
            zstd(0x00, &[0x89]),
            Errno::NoMem,
            "the kernel is compressed by zstd with a window of 0x9000000 bytes (144 MiB), but \
             0x8000000 bytes (128 MiB) at most are taken: compress it again, without --long",
        ),
        (
            zstd(0x21, &[7, 1]),
            Errno::NoExec,
            "the kernel is compressed by zstd with a dictionary, which nobody has here: compress \
             it again, without -D",
        ),
        (
            zstd(0xe0, &[0xff; 8]),
            Errno::NoExec,
            "the compressed kernel says that it becomes 0xffffffffffffffff bytes (17179869183.9 \
             GiB), but 0x40000000 bytes (1 GiB) at most are taken: the image is damaged",
        ),
    ] {
        let error = Compressed::zstd(&frame).expect_err(sentence);
        assert_eq!(
            (error.to_string().as_str(), error.errno()),
            (sentence, errno)
        );
    }
}

#[test]
fn what_was_decompressed_has_to_have_the_length_that_was_told() {
    let member = gzip(0, &[], 0x8000);
    let told = Compressed::gzip(&member).unwrap();
    assert_eq!(told.check_decompressed(0x8000), Ok(()));
    for len in [0, 0x7fff, 0x8001] {
        let error = told.check_decompressed(len).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the compressed kernel does not become 0x8000 bytes (32 KiB), as it should: the image \
             is damaged, or something follows it in the file"
        );
    }
    let frame = zstd(0, &[0x88]);
    let untold = Compressed::zstd(&frame).unwrap();
    assert_eq!(untold.check_decompressed(1), Ok(()));
    assert_eq!(untold.check_decompressed(1 << 30), Ok(()));
    assert_eq!(untold.check_decompressed(0), Err(CompressedError::Empty));
    let len = (1 << 30) + 1;
    let error = untold.check_decompressed(len).unwrap_err();
    assert_eq!(error, CompressedError::TooLong { len });
    let damaged = CompressedError::Damaged {
        compression: Compression::Zstd,
    };
    assert_eq!(
        damaged.to_string(),
        "the compressed kernel cannot be decompressed: its zstd data are damaged; get it again"
    );
    assert_eq!(damaged.errno(), Errno::NoExec);
}

#[test]
fn a_zboot_image_names_its_payload() {
    let file = gzip_file();
    let image = Zboot::parse(&file).unwrap();
    assert_eq!(image.payload().bytes(), gzip(0, &[], 0x8000));
    assert_eq!(image.payload().decompressed_len(), Some(0x8000));

    // The kernel's build appends the length, because zstd does not know it.
    let frame = zstd(0x00, &[0x88]);
    let file = zboot(b"zstd", &frame, &0x12_3400_u32.to_le_bytes());
    let image = Zboot::parse(&file).unwrap();
    assert_eq!(image.payload().bytes(), frame);
    assert_eq!(image.payload().decompressed_len(), Some(0x12_3400));
}

#[test]
fn a_bad_zboot_image_is_refused_with_what_is_wrong() {
    let with = |offset: usize, field: &[u8]| {
        let mut file = gzip_file();
        put(&mut file, offset, field);
        file
    };
    let frame = zstd(0x60, &[0, 1]);
    for (file, errno, sentence) in [
        (
            with(4, b"zimh"),
            Errno::NoExec,
            "the kernel is not an EFI zboot image, which has \"zimg\" after its first 4 bytes",
        ),
        (
            with(0x84, &0x5064_u16.to_le_bytes()),
            Errno::NoExec,
            "the kernel is an EFI zboot image for riscv64, but arm64 is needed: give one built for \
             this machine",
        ),
        (
            with(0x84, &[0xcd, 0xab]),
            Errno::NoExec,
            "the kernel is an EFI zboot image for processor 0xabcd, but arm64 is needed: give one \
             built for this machine",
        ),
        (
            with(24, b"lzma\0"),
            Errno::NoExec,
            "the kernel is an EFI zboot image compressed by \"lzma\\x00\\x00\\x00\\x00\", but gzip \
             and zstd are known: use one built with CONFIG_KERNEL_GZIP or CONFIG_KERNEL_ZSTD",
        ),
        (
            with(8, &[0xff; 8]),
            Errno::NoExec,
            "the kernel is truncated: the file has 0x400 bytes, but its EFI zboot header speaks of \
             0xffffffff bytes at 0xffffffff",
        ),
        (
            with(0x80, b"NE"),
            Errno::LibBad,
            "the kernel is not an EFI program: the PE header has the magic number 0x0000454e, not \
             0x00004550 (\"PE\\0\\0\")",
        ),
        (
            with(12, &[11, 0]),
            Errno::NoExec,
            "the compressed kernel is truncated: its gzip data end after 11 bytes",
        ),
        (
            zboot(b"zstd", &frame, &0x201_u32.to_le_bytes()),
            Errno::NoExec,
            "the compressed kernel says that it becomes 0x200 bytes, but the length appended to it is \
             0x201: the image is damaged",
        ),
    ] {
        let error = Zboot::parse(&file).expect_err(sentence);
        assert_eq!((error.to_string().as_str(), error.errno()), (sentence, errno));
    }
    // The appended length would lie after the end of the file.
    let mut file = zboot(b"zstd", &zstd(0, &[0x88]), &[]);
    put(&mut file, 12, &0x1fd_u32.to_le_bytes());
    let error = Zboot::parse(&file).unwrap_err();
    assert_eq!(
        error,
        ZbootError::Payload {
            offset: 0x200,
            size: 0x201,
            len: 0x400
        }
    );
}

proptest! {
    #[test]
    fn any_framing_is_refused_or_bounded(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let mut bytes = bytes;
        let bounded = |len: Option<u64>| len.is_none_or(|len| (1..=1 << 30).contains(&len));
        let _ = (Compressed::gzip(&bytes), Compressed::zstd(&bytes));
        if bytes.len() >= 4 {
            put(&mut bytes, 0, &[0x1f, 0x8b, 8]);
            if let Ok(parsed) = Compressed::gzip(&bytes) {
                prop_assert!(bounded(parsed.decompressed_len()));
            }
            put(&mut bytes, 0, &[0x28, 0xb5, 0x2f, 0xfd]);
            if let Ok(parsed) = Compressed::zstd(&bytes) {
                prop_assert!(bounded(parsed.decompressed_len()));
            }
        }
    }

    #[test]
    fn a_mutated_zboot_image_does_not_panic(
        changes in prop::collection::vec((0..0x240_usize, any::<u8>()), 1..8)
    ) {
        let mut file = gzip_file();
        for (at, value) in changes {
            file[at] = value;
        }
        let _ = Zboot::parse(&file);
    }
}
