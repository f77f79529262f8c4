// SPDX-License-Identifier: GPL-2.0

//! Every field of every header, set to the values at which arithmetic goes wrong. Whatever is
//! accepted has to keep its type's promises, and other readers have to read the same.

use kexec_core::{
    image::{
        arm64,
        elf_kernel::ElfKernel,
        uki::Uki,
        x86_64::{
            bzimage::BzImage,
            vmlinux::Vmlinux, //
        },
        zboot::Zboot,
        KernelImage, //
    },
    signature::pe::PeImage,
    types::elf, //
};
use object::{
    elf::FileHeader64,
    read::{
        elf::{
            FileHeader,
            ProgramHeader, //
        },
        pe::PeFile64, //
    },
    LittleEndian,
    Object,
    ObjectSection, //
};

use super::{
    elf_fixture,
    promises::keeps_promises,
    uki,
    zboot, //
};
use crate::{
    fixture::{
        bzimage_file,
        entry_conditions,
        put,
        range,
        GIB, //
    },
    signature::pe_fixture::{
        certificate,
        der,
        PeFile,
        OPTIONAL,
        PE, //
    }, //
};

/// A field: where it is, and how many bytes it has.
type Field = (usize, usize);

/// Calls `check` with the file for each value of each field, and returns how many were accepted.
fn sweep(good: &[u8], fields: &[Field], mut check: impl FnMut(&[u8]) -> bool) -> usize {
    assert!(check(good), "the file itself is good");
    let mut accepted = 0;
    for &(offset, len) in fields {
        let mut bytes = [0; 8];
        bytes[..len].copy_from_slice(&good[offset..offset + len]);
        let valid = u64::from_le_bytes(bytes);
        let max = u64::MAX >> (64 - 8 * len);
        let sign = max / 2 + 1;
        let mut values = vec![0, 1, 2, sign - 1, sign, sign + 1, max - 1, max];
        for distance in [1, 2, 7, 8, 0x1ff, 0x200, 0xfff, 0x1000] {
            values.push(valid.wrapping_add(distance) & max);
            values.push(valid.wrapping_sub(distance) & max);
        }
        values.extend((0..8 * len).map(|bit| valid ^ (1 << bit)));
        values.extend((0..8 * len).map(|bit| 1 << bit));
        for value in values {
            let mut file = good.to_vec();
            put(&mut file, offset, &value.to_le_bytes()[..len]);
            accepted += usize::from(check(&file));
        }
    }
    accepted
}

/// Fields of one length that follow each other.
fn run(start: usize, len: usize, count: usize) -> impl Iterator<Item = Field> {
    (0..count).map(move |index| (start + index * len, len))
}

#[test]
fn the_setup_header_s_fields() {
    // boot.rst, "The Real-Mode Kernel Header", in the order of the offsets.
    let fields = [
        (0x1f1, 1),
        (0x1f2, 2),
        (0x1f4, 4),
        (0x1f8, 2),
        (0x1fa, 2),
        (0x1fc, 2),
        (0x1fe, 2),
        (0x200, 1),
        (0x201, 1),
        (0x202, 4),
        (0x206, 2),
        (0x208, 4),
        (0x20c, 2),
        (0x20e, 2),
        (0x210, 1),
        (0x211, 1),
        (0x212, 2),
        (0x214, 4),
        (0x218, 4),
        (0x21c, 4),
        (0x220, 4),
        (0x224, 2),
        (0x226, 1),
        (0x227, 1),
        (0x228, 4),
        (0x22c, 4),
        (0x230, 4),
        (0x234, 1),
        (0x235, 1),
        (0x236, 2),
        (0x238, 4),
        (0x23c, 4),
        (0x240, 8),
        (0x248, 4),
        (0x24c, 4),
        (0x250, 8),
        (0x258, 8),
        (0x260, 4),
        (0x264, 4),
        (0x268, 4),
    ];
    let accepted = sweep(&bzimage_file(), &fields, |file| {
        let Ok(image) = BzImage::parse(file) else {
            return false;
        };
        keeps_promises(&image);
        let number = |at: usize, len: usize| {
            let mut bytes = [0; 8];
            bytes[..len].copy_from_slice(&file[at..at + len]);
            u64::from_le_bytes(bytes)
        };
        assert_eq!(image.init_size(), number(0x260, 4));
        assert_eq!(image.pref_address(), number(0x258, 8));
        assert_eq!(image.protected_mode().len() as u64, 16 * number(0x1f4, 4));
        assert!(number(0x206, 2) >= 0x20c && number(0x236, 2) & 1 == 1);
        let _ = (image.kernel_version(), image.payload());
        if let Ok(verified) = image.verify(&entry_conditions(range(GIB, 2 * GIB))) {
            assert!(verified.memory_len() <= GIB);
        }
        true
    });
    assert!(accepted > 300, "{accepted}");
}

#[test]
fn an_elf_kernel_s_fields() {
    let header = [
        (4, 1),
        (5, 1),
        (6, 1),
        (16, 2),
        (18, 2),
        (20, 4),
        (24, 8),
        (32, 8),
        (40, 8),
        (48, 4),
        (52, 2),
        (54, 2),
        (56, 2),
        (58, 2),
        (60, 2),
        (62, 2),
    ];
    let segments = (0..4).flat_map(|index| {
        let start = 64 + 56 * index;
        run(start, 4, 2).chain(run(start + 8, 8, 6))
    });
    let fields: Vec<_> = header.into_iter().chain(segments).collect();
    let accepted = sweep(&elf_fixture::vmlinux(), &fields, |file| {
        let Ok(kernel) = ElfKernel::parse(file, elf::Architecture::X86_64) else {
            return false;
        };
        let vmlinux = Vmlinux::parse(file).unwrap();
        keeps_promises(&vmlinux);
        assert!(kernel.entry_offset() < vmlinux.file_len());
        let _ = vmlinux.verify(&entry_conditions(range(GIB, 2 * GIB)));
        // `object` takes the headers' place from the file as we do.
        let theirs = FileHeader64::<LittleEndian>::parse(file).unwrap();
        let headers = theirs.program_headers(LittleEndian, file).unwrap();
        let loads = headers.iter().filter(|header| {
            header.p_type(LittleEndian).0 == 1 && header.p_memsz(LittleEndian) != 0
        });
        let memory = loads.fold((u64::MAX, 0), |(start, end), header| {
            let address = header.p_paddr(LittleEndian);
            (
                start.min(address),
                end.max(address + header.p_memsz(LittleEndian)),
            )
        });
        assert_eq!(memory, (kernel.memory().start(), kernel.memory().end()));
        true
    });
    assert!(accepted > 300, "{accepted}");
}

#[test]
fn an_arm64_image_s_fields() {
    let mut file = PeFile {
        machine: 0xaa64,
        ..PeFile::default()
    }
    .assemble();
    put(&mut file, 16, &(8_u64 << 20).to_le_bytes());
    put(&mut file, 24, &[0xa]);
    put(&mut file, 56, b"ARM\x64");
    let fields: Vec<_> = [(0, 4), (4, 4), (56, 4), (60, 4)]
        .into_iter()
        .chain(run(8, 8, 6))
        .collect();
    let conditions = arm64::verify::EntryConditions {
        page_sizes: arm64::verify::PageSizes {
            kib4: true,
            kib16: false,
            kib64: true,
        },
        region: range(GIB, 2 * GIB),
    };
    let accepted = sweep(&file, &fields, |file| {
        let Ok(image) = arm64::arm64_image::Image::parse(file) else {
            return false;
        };
        keeps_promises(&image);
        assert!(image.text_offset() < 2 << 20 && image.text_offset() % 4096 == 0);
        if let Ok(verified) = image.verify(&conditions) {
            assert!(verified.memory_len() <= GIB);
        }
        true
    });
    assert!(accepted > 300, "{accepted}");
}

/// All fields of a PE file's headers that are in its fixture.
fn pe_fields(fixture: &PeFile) -> Vec<Field> {
    let sections = (0..fixture.sections.len()).flat_map(|index| {
        let start = fixture.section_table() + 40 * index;
        run(start, 8, 1).chain(run(start + 8, 4, 8))
    });
    let directories = run(
        fixture.directories_start(),
        4,
        2 * fixture.directories as usize,
    );
    let mut fields = vec![(0, 2), (0x3c, 4), (PE, 4), (PE + 4, 2), (PE + 6, 2)];
    fields.extend(run(PE + 8, 4, 3).chain(run(PE + 20, 2, 2)));
    fields.extend([
        (OPTIONAL, 2),
        (OPTIONAL + 2, 1),
        (OPTIONAL + 3, 1),
        (OPTIONAL + 24, 8),
    ]);
    fields.extend(run(OPTIONAL + 4, 4, 5).chain(run(OPTIONAL + 32, 4, 2)));
    fields.extend(run(OPTIONAL + 40, 2, 6).chain(run(OPTIONAL + 52, 4, 4)));
    fields.extend(run(OPTIONAL + 68, 2, 2).chain(run(OPTIONAL + 72, 8, 4)));
    fields.extend(run(OPTIONAL + 104, 4, 2).chain(directories).chain(sections));
    fields
}

#[test]
fn a_pe_file_s_fields() {
    let fixture = PeFile::default();
    let table = fixture.assemble().len();
    let file = fixture.with_table(&certificate(&der(0x30, &[0x5a; 77])));
    let mut fields = pe_fields(&fixture);
    fields.extend([
        (table, 4),
        (table + 4, 2),
        (table + 6, 2),
        (table + 8, 1),
        (table + 9, 1),
    ]);
    let accepted = sweep(&file, &fields, |file| {
        let Ok(image) = PeImage::parse(file) else {
            return false;
        };
        let end = match image.signature() {
            Some(_) => table,
            None => file.len(),
        };
        if let Ok([headers, directories, rest]) = image.digest_ranges() {
            assert_eq!((headers, rest.end), (0..OPTIONAL + 64, end));
            assert!(directories.start == OPTIONAL + 68 && directories.end <= rest.start);
        }
        // `object` checks less; where it reads the sections, it reads the same.
        if let Ok(theirs) = PeFile64::parse(file) {
            for (ours, theirs) in image.sections().zip(theirs.sections()) {
                // It takes a name with a slash for an offset of a longer one.
                if let Ok(name) = theirs.name_bytes() {
                    assert_eq!(ours.name().as_bytes(), name);
                }
                let contents = image.contents(&ours);
                let len = contents.len().min(ours.virtual_size() as usize);
                assert!(theirs.data().is_ok_and(|data| data == &contents[..len]));
            }
        }
        true
    });
    assert!(accepted > 1000, "{accepted}");
}

#[test]
fn a_zboot_image_s_fields() {
    let file = zboot::gzip_file();
    let fields: Vec<_> = run(0, 4, 16)
        .chain([(0x200, 2), (0x202, 1), (0x203, 1)])
        .collect();
    let accepted = sweep(&file, &fields, |file| {
        let Ok(image) = Zboot::parse(file) else {
            return false;
        };
        let payload = image.payload().bytes();
        assert!(!payload.is_empty() && payload.len() < file.len());
        true
    });
    assert!(accepted > 100, "{accepted}");
}

#[test]
fn a_unified_kernel_image_s_fields() {
    let fixture = uki::uki();
    let accepted = sweep(&fixture.assemble(), &pe_fields(&fixture), |file| {
        let Ok(image) = Uki::parse(file) else {
            return false;
        };
        assert!(!image.linux().is_empty());
        true
    });
    assert!(accepted > 1000, "{accepted}");
}
