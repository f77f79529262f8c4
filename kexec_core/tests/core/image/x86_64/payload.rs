// SPDX-License-Identifier: GPL-2.0

//! The kernel that is compressed in a bzImage: finding it, and entering it in the bzImage's place.

use kexec_core::{
    image::{
        compressed::{
            Compressed,
            CompressedError,
            Compression, //
        },
        unpack::{
            Decompressed,
            Inner,
            Unpack,
            UnpackError, //
        },
        x86_64::{
            bzimage::BzImage,
            kernel::Kernel,
            payload::{
                find,
                Parameters, //
            },
            protocol::BootProtocol,
            setup_header::{
                INIT_SIZE,
                KERNEL_ALIGNMENT,
                XLF_5LEVEL,
                XLF_5LEVEL_ENABLED,
                XLF_CAN_BE_LOADED_ABOVE_4G, //
            },
            verify::EntryConditions, //
        },
        KernelImage, //
    },
    types::ranges::Range,
    uapi::Decompression, //
};

use crate::{
    fixture::{
        bzimage_file,
        bzimage_with_payload,
        entry_conditions,
        put,
        range,
        without_xloadflags,
        GIB,
        MIB, //
    },
    image::elf_fixture::{
        arm64_vmlinux,
        segments,
        vmlinux,
        with_segments,
        START,
        X86_64, //
    }, //
};

/// Compressed data, as far as their first bytes tell, with a length after them.
fn payload(magic: &[u8], appended: u32) -> Vec<u8> {
    [magic, &[0x5a; 40], &appended.to_le_bytes()].concat()
}

fn found(payload: &[u8]) -> Result<Result<Compression, Decompression>, CompressedError> {
    let file = bzimage_with_payload(payload);
    let found = find(&BzImage::parse(&file).unwrap())?;
    Ok(found.map(|compressed| {
        assert_eq!(compressed.decompressed_len(), Some(0x1_2345));
        // All but the length.
        assert!(payload.starts_with(compressed.bytes()));
        compressed.compression()
    }))
}

const LZOP: &[u8] = b"\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x03\x09\x03\0\0\x0d\
                      \0\0\0\0\0\0\0\0\0\0\0\0\0";

#[test]
fn the_compression_is_told_by_the_first_bytes() {
    for (magic, expected) in [
        (&b"\x1f\x8b\x08\0\0\0\0\0\0\x03"[..], Ok(Compression::Gzip)),
        (b"\x28\xb5\x2f\xfd\x00\x88", Ok(Compression::Zstd)),
        (b"\xfd7zXZ\0", Ok(Compression::Xz)),
        (b"\x02\x21\x4c\x18", Ok(Compression::Lz4)),
        (LZOP, Ok(Compression::Lzo)),
        (b"BZh9", Err(Decompression::NotExported)),
        (b"\x5d\0\0\0\x04", Err(Decompression::NotExported)),
        (b"\x7fELF", Err(Decompression::Unknown)),
    ] {
        // What deflate can make of the payload depends on its length.
        let mut payload = payload(magic, 0x1_2345);
        payload.splice(magic.len()..magic.len(), [0x5a; 200]);
        assert_eq!(found(&payload), Ok(expected), "{magic:02x?}");
    }
    let file = bzimage_with_payload(b"");
    assert_eq!(
        find(&BzImage::parse(&file).unwrap()).unwrap(),
        Err(Decompression::NoPayload)
    );
    for short in [&b"B"[..], b"BZh", b"\x28\xb5\x2f\xfd"] {
        assert!(matches!(found(short), Ok(Err(Decompression::Unknown))));
    }
}

#[test]
fn a_framing_that_cannot_be_is_refused() {
    for (magic, appended, sentence) in [
        (&b"\xfd7zXZ\0"[..], 0, "becomes 0 bytes"),
        (b"\xfd7zXZ\0", 0x7fff_ffff, "1 GiB) at most"),
        (
            b"\x28\xb5\x2f\xfd\xa0\0\x10\0\0",
            0x1001,
            "appended to it is 0x1001",
        ),
        (b"\x1f\x8b\x09\0\0\0\0\0\0\x03", 5, "gzip's method 9"),
        (b"\x89LZO\0\r\n\x1a\n", 5, "lzop version"),
    ] {
        let error = found(&payload(magic, appended)).unwrap_err();
        assert!(error.to_string().contains(sentence), "{error}");
    }
}

/// Unpacks a bzImage with this payload, by a decompressor that knows the result.
fn unpacked(
    payload: &[u8],
    result: Result<Result<Vec<u8>, Decompression>, UnpackError>,
) -> Result<Result<Vec<u8>, Decompression>, UnpackError> {
    let file = bzimage_with_payload(payload);
    let memory = Decompressed::default();
    let unpack = Unpack::new(&file);
    let inner = unpack.inner(&memory, |_: &Compressed<'_>| result)?;
    Ok(match inner {
        Inner::None => unreachable!("a bzImage has one"),
        Inner::Decompressed(bytes) => Ok(bytes.to_vec()),
        Inner::Compressed(reason) => Err(reason),
    })
}

#[test]
fn the_decompressor_may_have_a_reason_but_not_another_length() {
    let payload = payload(b"\xfd7zXZ\0", 7);
    let contents = Ok(b"contain".to_vec());
    assert_eq!(unpacked(&payload, Ok(contents.clone())), Ok(contents));
    let reason = Err(Decompression::NoDecompressor);
    assert_eq!(unpacked(&payload, Ok(reason.clone())), Ok(reason));
    let error = unpacked(&payload, Ok(Ok(b"contai".to_vec()))).unwrap_err();
    assert!(error.to_string().contains("does not become 0x7 bytes"));
    let damaged = CompressedError::Damaged {
        compression: Compression::Xz,
    };
    let error = unpacked(&payload, Err(damaged.into()));
    assert_eq!(error, Err(damaged.into()));
}

#[test]
fn another_kernel_has_none_in_it_and_a_damaged_bzimage_is_refused() {
    let memory = Decompressed::<Vec<u8>>::default();
    let decompress = |_: &Compressed<'_>| -> Result<_, UnpackError> { unreachable!() };
    let file = vmlinux();
    let inner = Unpack::new(&file).inner(&memory, decompress);
    assert_eq!(inner, Ok(Inner::None));
    let file = &bzimage_file()[..0x1000];
    let error = Unpack::new(file).inner(&memory, decompress).unwrap_err();
    assert!(error.to_string().contains("truncated"), "{error}");
}

fn enter(
    bzimage: &[u8],
    inner: Inner<'_>,
    command_line: &[u8],
    conditions: &EntryConditions,
) -> (Decompression, bool, bool) {
    let kernel = Kernel::parse(bzimage).unwrap();
    let parameters = Parameters::read(command_line);
    let (kernel, decompression) = kernel.or_inner(inner, parameters, conditions);
    let is_vmlinux = matches!(kernel, Kernel::Vmlinux(_));
    assert_eq!(is_vmlinux, decompression == Decompression::AtLoad);
    assert_eq!(is_vmlinux, decompression.reason().is_none());
    let verified = kernel.verify(conditions).is_ok();
    (decompression, verified, kernel.supports_5level())
}

#[test]
fn the_kernel_in_a_bzimage_is_entered_or_there_is_a_reason() {
    let region = range(GIB, GIB + 64 * MIB);
    let good = vmlinux();
    let odd: Vec<_> = segments()
        .into_iter()
        .map(|mut segment| {
            segment.physical_address += 0x1000;
            segment
        })
        .collect();
    let odd = with_segments(X86_64, START + 0x1040, &odd);
    let arm64 = arm64_vmlinux();
    for (inner, command_line, region, expected, loads) in [
        (
            Inner::Decompressed(&good[..]),
            &b"quiet"[..],
            region,
            Decompression::AtLoad,
            true,
        ),
        (Inner::None, b"", region, Decompression::NoPayload, true),
        (
            Inner::Compressed(Decompression::OutOfMemory),
            b"",
            region,
            Decompression::OutOfMemory,
            true,
        ),
        (
            Inner::Decompressed(b"text"),
            b"",
            region,
            Decompression::NotElf,
            true,
        ),
        (
            Inner::Decompressed(&odd),
            b"",
            region,
            Decompression::NotElf,
            true,
        ),
        (
            Inner::Decompressed(&arm64),
            b"",
            region,
            Decompression::NotElf,
            true,
        ),
        (
            Inner::Decompressed(&good),
            b"quiet mem_encrypt=on",
            region,
            Decompression::MemoryEncryption,
            true,
        ),
        // Where the bzImage has no place either, it is the one that says so.
        (
            Inner::Decompressed(&good),
            b"",
            range(GIB, GIB + MIB / 2),
            Decompression::NoRoom,
            false,
        ),
    ] {
        let (decompression, verified, _) = enter(
            &bzimage_file(),
            inner,
            command_line,
            &entry_conditions(region),
        );
        assert_eq!((decompression, verified), (expected, loads));
    }
    // The header says less than the decompressed kernel needs.
    let mut small = bzimage_file();
    put(&mut small, INIT_SIZE, &0x8000_u32.to_le_bytes());
    let half = entry_conditions(range(GIB, GIB + MIB / 2));
    assert_eq!(
        enter(&small, Inner::Decompressed(&good), b"", &half),
        (Decompression::NoRoom, true, true)
    );
    // Nothing is put in the place of a vmlinux.
    let kernel = Kernel::parse(&good).unwrap();
    let conditions = entry_conditions(region);
    let (kernel, decompression) = kernel.or_inner(Inner::None, Parameters::default(), &conditions);
    assert_eq!(decompression, Decompression::None);
    assert!(matches!(kernel, Kernel::Vmlinux(_)));
}

#[test]
fn five_levels_are_kept_or_one_is_taken_off_where_that_can_be() {
    let below = range(3 * GIB, 4 * GIB);
    let above = range(3 * GIB, 5 * GIB);
    let both = XLF_5LEVEL | XLF_5LEVEL_ENABLED;
    let kernel = vmlinux();
    for (without, command_line, region, expected) in [
        (0, &b""[..], below, (Decompression::AtLoad, true, true)),
        (0, b"", above, (Decompression::AtLoad, true, true)),
        (
            0,
            b"a no5lvl b",
            below,
            (Decompression::AtLoad, true, false),
        ),
        // The bzImage's own code does it below 1 MiB.
        (0, b"no5lvl", above, (Decompression::Paging, true, true)),
        (
            XLF_5LEVEL_ENABLED,
            b"",
            below,
            (Decompression::AtLoad, true, false),
        ),
        (
            XLF_5LEVEL_ENABLED,
            b"",
            above,
            (Decompression::Paging, true, true),
        ),
        (both, b"", below, (Decompression::AtLoad, true, false)),
        // The bzImage cannot be entered with five levels.
        (both, b"", above, (Decompression::Paging, false, false)),
        (
            XLF_CAN_BE_LOADED_ABOVE_4G,
            b"",
            above,
            (Decompression::NoRoom, false, true),
        ),
    ] {
        let file = without_xloadflags(bzimage_file(), without);
        let conditions = EntryConditions {
            five_level_paging: true,
            region,
        };
        let inner = Inner::Decompressed(&kernel);
        assert_eq!(enter(&file, inner, command_line, &conditions), expected);
    }
}

#[test]
fn the_kernel_is_placed_as_its_bzimage_asks() {
    let mut file = bzimage_file();
    put(
        &mut file,
        KERNEL_ALIGNMENT,
        &(16 * MIB as u32).to_le_bytes(),
    );
    let bytes = vmlinux();
    let (kernel, _) = Kernel::parse(&file).unwrap().or_inner(
        Inner::Decompressed(&bytes),
        Parameters::default(),
        &entry_conditions(range(GIB, 2 * GIB)),
    );
    assert_eq!(kernel.alignment(), 16 * MIB);
    assert_eq!(kernel.limit(), Range::new(START, u64::MAX).unwrap());
    assert_eq!(
        (kernel.memory_len(), kernel.entry_offset()),
        (0x9_3010, 0x40)
    );
}

#[test]
fn parameters_are_words_of_their_own() {
    for (command_line, no5lvl, mem_encrypt, nokaslr) in [
        (&b""[..], false, false, false),
        (b"no5lvl", true, false, false),
        (b"a\tno5lvl\nmem_encrypt=on nokaslr", true, true, true),
        (b"no5lvl=1 xno5lvl no5lvlx nokaslr=1", false, false, false),
        (b"mem_encrypt=off mem_encrypt=one", false, false, false),
        (b"\"no5lvl\"", false, false, false),
    ] {
        let expected = Parameters {
            no5lvl,
            mem_encrypt,
            nokaslr,
        };
        assert_eq!(Parameters::read(command_line), expected);
    }
}

#[test]
fn every_number_has_a_name_and_every_reason_a_sentence() {
    for (index, decompression) in Decompression::ALL.into_iter().enumerate() {
        let number = decompression as u32;
        assert_eq!(number, index as u32 + 1);
        assert_eq!(Decompression::from_number(number), Some(decompression));
        let later = ["at the crash", "at the reboot"].contains(&decompression.name());
        assert_eq!(decompression.reason().is_some(), later);
    }
    assert_eq!(Decompression::from_number(0), None);
    assert_eq!(Decompression::from_number(13), None);
}
