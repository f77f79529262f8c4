// SPDX-License-Identifier: GPL-2.0

//! Reading bzImages, and refusing malformed ones.

mod verify;

use std::io::Cursor;

use kexec_core::{
    image::{
        x86_64::{
            bzimage::{
                BzImage,
                BzImageError, //
            },
            protocol::BootProtocol,
            setup_header::{
                XLF_5LEVEL,
                XLF_CAN_BE_LOADED_ABOVE_4G,
                XLF_KERNEL_64, //
            }, //
        },
        KernelImage, //
    },
    types::errno::Errno, //
};
use linux_loader::loader::KernelLoader;
use proptest::prelude::*;
use vm_memory::{
    Bytes,
    GuestAddress,
    GuestMemoryMmap, //
};

use crate::fixture::{
    bzimage_file,
    entry_conditions,
    put,
    range,
    KERNEL_VERSION,
    MIB,
    PROTECTED_MODE_LEN,
    SETUP_SECTS, //
};

const SETUP_LEN: usize = (SETUP_SECTS + 1) * 512;

/// Compares the values that the crate and linux-loader read from an image.
fn compare_with_linux_loader(file: &[u8]) {
    let ours = BzImage::parse(file).expect("the image is good");

    let at = GuestAddress(0x10_0000);
    let memory = GuestMemoryMmap::<()>::from_ranges(&[(at, file.len())]).unwrap();
    let loaded =
        linux_loader::loader::BzImage::load(&memory, Some(at), &mut Cursor::new(file), None)
            .unwrap();
    let header = loaded.setup_header.unwrap();

    assert_eq!(ours.version(), { header.version });
    assert_eq!(ours.init_size(), u64::from(header.init_size));
    assert_eq!(ours.kernel_alignment(), u64::from(header.kernel_alignment));
    assert_eq!(ours.pref_address(), { header.pref_address });
    assert_eq!(ours.cmdline_size(), { header.cmdline_size });
    assert_eq!(ours.initrd_addr_max(), u64::from(header.initrd_addr_max));
    let flag = |flag: u16| header.xloadflags & flag != 0;
    assert_eq!(
        ours.can_be_loaded_above_4g(),
        flag(XLF_CAN_BE_LOADED_ABOVE_4G)
    );
    assert_eq!(ours.supports_5level(), flag(XLF_5LEVEL));

    // linux-loader takes all of the file's rest for code; the header says how much of it is.
    let mut code = vec![0; ours.protected_mode().len()];
    memory.read_slice(&mut code, at).unwrap();
    assert!(ours.protected_mode() == code);
    assert_eq!(code.len(), header.syssize as usize * 16);
    let payload = header.payload_offset as usize..;
    assert!(
        ours.payload()
            == code
                .get(payload)
                .and_then(|p| p.get(..header.payload_length as usize))
    );
}

#[test]
fn linux_loader_reads_the_same_from_an_assembled_image() {
    compare_with_linux_loader(&bzimage_file());
}

#[test]
fn linux_loader_reads_the_same_from_a_real_image() {
    let Some(path) = std::env::var_os("RUST_KEXEC_BZIMAGE") else {
        return;
    };
    let file = std::fs::read(path).expect("RUST_KEXEC_BZIMAGE cannot be read");
    compare_with_linux_loader(&file);

    let image = BzImage::parse(&file).unwrap();
    let version = image.kernel_version().expect("a real image has a version");
    assert!(
        version.starts_with(|first: char| first.is_ascii_digit()),
        "{version}"
    );
    // The magic numbers of the compressions of `scripts/`, from boot.rst.
    let payload = image.payload().expect("a real image has a payload");
    let magics: [&[u8]; 6] = [
        &[0x1f, 0x8b],
        &[0x42, 0x5a],
        &[0x5d, 0x00],
        &[0xfd, 0x37],
        &[0x02, 0x21],
        &[0x28, 0xb5],
    ];
    assert!(magics.iter().any(|magic| payload.starts_with(magic)));
    image
        .verify(&entry_conditions(range(256 * MIB, 512 * MIB)))
        .expect("a real image fits 256 MiB");
}

#[test]
fn an_image_is_split_where_its_header_says() {
    let mut file = bzimage_file();
    file.extend_from_slice(b"a signature after the code");
    let image = BzImage::parse(&file).unwrap();
    assert_eq!(image.setup_header(), &file[0x1f1..0x26c]);
    assert_eq!(
        image.protected_mode(),
        &file[SETUP_LEN..SETUP_LEN + PROTECTED_MODE_LEN]
    );
    assert_eq!(
        image.payload(),
        Some(&file[SETUP_LEN + 0x400..SETUP_LEN + 0x7400])
    );
    assert_eq!(image.kernel_version(), Some(KERNEL_VERSION));
}

#[test]
fn zero_setup_sectors_stand_for_four() {
    let mut file = bzimage_file();
    file[0x1f1] = 0;
    let image = BzImage::parse(&file).unwrap();
    assert_eq!(
        image.protected_mode()[..],
        file[5 * 512..][..PROTECTED_MODE_LEN]
    );
}

#[test]
fn a_version_string_outside_the_setup_code_is_ignored() {
    for pointer in [0, SETUP_LEN as u16 - 0x200, u16::MAX] {
        let mut file = bzimage_file();
        put(&mut file, 0x20e, &pointer.to_le_bytes());
        assert_eq!(
            BzImage::parse(&file).unwrap().kernel_version(),
            None,
            "{pointer:#x}"
        );
    }
}

#[test]
fn an_image_without_a_payload_is_accepted() {
    let mut file = bzimage_file();
    put(&mut file, 0x248, &[0; 8]);
    assert_eq!(BzImage::parse(&file).unwrap().payload(), None);
}

/// Every refusal, with the bytes that have to be written into a good image to get it.
#[test]
fn a_bad_header_is_refused_with_what_is_wrong() {
    let cases: &[(usize, &[u8], BzImageError, &str)] = &[
        (
            0x1fe,
            &[0, 0],
            BzImageError::BootFlag { found: 0 },
            "the kernel is not a bzImage: the boot sector has the signature 0x0000, not 0xaa55: \
             give the vmlinuz below /boot",
        ),
        (
            0x202,
            b"Sdrh",
            BzImageError::Magic { found: 0x6872_6453 },
            "the kernel is not a bzImage: the setup header has the signature 0x68726453, not \
             0x53726448 (\"HdrS\"): give the vmlinuz below /boot",
        ),
        (
            0x206,
            &[0x0b, 0x02],
            BzImageError::Version { found: 0x020b },
            "the kernel has boot protocol 2.11, but 2.12 or newer is needed: is it older than \
             Linux 3.8?",
        ),
        (
            0x200,
            &[0xe9],
            BzImageError::HeaderEnd { found: 0x26c },
            "the kernel's setup header ends at 0x26c, but an end from 0x268 to 0x290 is \
             possible: the image is damaged",
        ),
        (
            0x201,
            &[0x65],
            BzImageError::HeaderEnd { found: 0x267 },
            "the kernel's setup header ends at 0x267, but an end from 0x268 to 0x290 is \
             possible: the image is damaged",
        ),
        (
            0x201,
            &[0x8f],
            BzImageError::HeaderEnd { found: 0x291 },
            "the kernel's setup header ends at 0x291, but an end from 0x268 to 0x290 is \
             possible: the image is damaged",
        ),
        (
            0x211,
            &[0xfe],
            BzImageError::NotLoadedHigh,
            "the kernel is a zImage (LOADED_HIGH is not set), but a bzImage is needed: make bzImage \
             builds one",
        ),
        (
            0x236,
            &[0xfe],
            BzImageError::NotKernel64,
            "the kernel has no 64-bit entry point (XLF_KERNEL_64 is not set): use one built for \
             x86_64",
        ),
        (
            0x1f4,
            &[0; 4],
            BzImageError::Empty,
            "the kernel's setup header speaks of no protected-mode code: the image is damaged",
        ),
        (
            0x1f4,
            &[0xff; 4],
            BzImageError::Truncated {
                len: SETUP_LEN + PROTECTED_MODE_LEN,
                expected: SETUP_LEN as u64 + 0xf_ffff_fff0,
            },
            "the kernel is truncated: the file has 41472 bytes, but its setup header speaks of \
             68719485424: get it again",
        ),
        (
            0x234,
            &[0],
            BzImageError::NotRelocatable,
            "the kernel is not relocatable, so it cannot run in reserved memory: use one built \
             with CONFIG_RELOCATABLE",
        ),
        (
            0x230,
            &[0, 0, 0x30, 0],
            BzImageError::Alignment { found: 0x30_0000 },
            "the kernel asks for an alignment of 0x300000, which is not a power of two: the \
             image is damaged",
        ),
        (
            0x260,
            &[0xff, 0x7f, 0, 0],
            BzImageError::InitSize {
                init_size: 0x7fff,
                len: 0x8000,
            },
            "the kernel says that it needs 0x7fff bytes (31.9 KiB) of memory, but its code has \
             0x8000 bytes (32 KiB): the image is damaged",
        ),
        (
            0x238,
            &[0; 4],
            BzImageError::CommandLine { found: 0 },
            "the kernel says that it takes command lines of 0 bytes (cmdline_size), but 1 to 65535 \
             are possible: the image is damaged",
        ),
        (
            0x238,
            &[0, 0, 1, 0],
            BzImageError::CommandLine { found: 0x1_0000 },
            "the kernel says that it takes command lines of 65536 bytes (cmdline_size), but 1 to \
             65535 are possible: the image is damaged",
        ),
        (
            0x24c,
            &[0; 4],
            BzImageError::Payload {
                offset: 0x400,
                payload_len: 0,
                len: 0x8000,
            },
            "the compressed kernel at 0x400 with 0x0 bytes is empty or leaves the protected-mode \
             code of 0x8000 bytes: the image is damaged",
        ),
        (
            0x24c,
            &[0x01, 0x7c, 0, 0],
            BzImageError::Payload {
                offset: 0x400,
                payload_len: 0x7c01,
                len: 0x8000,
            },
            "the compressed kernel at 0x400 with 0x7c01 bytes is empty or leaves the protected-mode \
             code of 0x8000 bytes: the image is damaged",
        ),
        (
            0x248,
            &[0xff; 8],
            BzImageError::Payload {
                offset: u32::MAX,
                payload_len: u32::MAX,
                len: 0x8000,
            },
            "the compressed kernel at 0xffffffff with 0xffffffff bytes is empty or leaves the \
             protected-mode code of 0x8000 bytes: the image is damaged",
        ),
    ];
    for (offset, bytes, error, sentence) in cases {
        let mut file = bzimage_file();
        put(&mut file, *offset, bytes);
        let found = BzImage::parse(&file).expect_err(sentence);
        assert_eq!(found, *error);
        assert_eq!(found.to_string(), *sentence);
        // As kexec_file_load answers in the same case.
        let errno = match found {
            BzImageError::InitSize { .. } | BzImageError::CommandLine { .. } => Errno::Inval,
            _ => Errno::NoExec,
        };
        assert_eq!(found.errno(), errno);
    }
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let file = bzimage_file();
    for len in 0..file.len() {
        let error = BzImage::parse(&file[..len]).expect_err("the file is cut");
        match error {
            BzImageError::TooShort { len: found } => assert!(found == len && len < 0x26c),
            BzImageError::Truncated {
                len: found,
                expected,
            } => {
                assert!(found == len && expected == file.len() as u64);
            }
            other => panic!("{len}: {other}"),
        }
    }
    assert_eq!(
        BzImage::parse(b"MZ").unwrap_err().to_string(),
        "the kernel is not a bzImage: the file has 2 bytes, too few for a setup header: get it \
         again"
    );
}

proptest! {
    /// An accepted image is consistent, with any header.
    #[test]
    fn accepted_images_are_consistent(
        changes in prop::collection::vec((0x1f1_usize..0x270, any::<u8>()), 0..6),
        len in 0..SETUP_LEN + PROTECTED_MODE_LEN + 64,
    ) {
        let mut file = bzimage_file();
        file.resize(len.max(0x270), 0);
        for (offset, byte) in changes {
            file[offset] = byte;
        }
        let Ok(image) = BzImage::parse(&file) else {
            return Ok(());
        };
        prop_assert!(!image.protected_mode().is_empty());
        prop_assert!(image.protected_mode().len() as u64 <= image.init_size());
        prop_assert!(image.kernel_alignment().is_power_of_two());
        prop_assert!(image.setup_header().len() <= 0x290 - 0x1f1);
        let flags = u16::from_le_bytes([file[0x236], file[0x237]]);
        prop_assert!(flags & XLF_KERNEL_64 != 0);
        let region = range(64 * MIB, 128 * MIB);
        if let Ok(image) = image.verify(&entry_conditions(region)) {
            prop_assert!(image.memory_len() <= region.len());
        }
    }
}
