// SPDX-License-Identifier: GPL-2.0

//! Flipped bits in a loaded image: each one is found before the capture kernel runs, and the report
//! names the right segment.
//!
//! The image is copied, and checked, by the code of the module and of the purgatory. Covered are the bytes
//! of each segment that were copied there, and of the elfcorehdr's segment the word that says which slot
//! is in force, that slot's record, and its header.
//!
//! `RUST_KEXEC_FLIP_SEED` replays the flips of the run that printed it.

mod random;

use kexec_core::{
    dump::elfcorehdr::{
        encode,
        encoded_len,
        slots::{
            self,
            Slots,
            Writer,
            SELECTION_LEN, //
        },
        Load, //
    },
    handover::{
        arm64::page_tables as arm64,
        check::{
            self,
            Damage, //
        },
        copy::{
            copy,
            Contents,
            Destination,
            Records, //
        },
        purgatory::{
            Head,
            Table,
            CONSOLE_PL011,
            TABLE_LEN, //
        },
        x86_64::page_tables as x86_64, //
    },
    image::KernelImage,
    plan::{
        Placement,
        Placer, //
    },
    types::{
        digest::{
            xxh64,
            Algorithm,
            DIGEST_LEN, //
        },
        elf::Architecture,
        granule::Granule,
        ranges::Range, //
    },
    uapi::SegmentKind, //
};
use sha2::{
    Digest,
    Sha256, //
};

use crate::fixture::{
    bzimage_file,
    range,
    verified,
    GIB,
    MIB, //
};
use random::Random;

const FLIPS: u64 = 1000;
const PAGE: u64 = 4096;
/// Length of the purgatory's code and stack.
const CODE_LEN: usize = 40 << 10;

/// The region's memory.
pub(super) struct Region {
    pub(super) range: Range,
    pub(super) bytes: Vec<u8>,
    /// A byte that changes as soon as it was published.
    pub(super) forgotten: Option<u64>,
}

impl Region {
    fn at(&self, range: Range) -> Option<std::ops::Range<usize>> {
        let start = range.start().checked_sub(self.range.start())? as usize;
        let within = self.range.encloses(&range);
        within.then_some(start..start + range.len() as usize)
    }

    fn flip(&mut self, address: u64, bit: u64) {
        self.bytes[(address - self.range.start()) as usize] ^= 1 << bit;
    }
}

fn digest(algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN] {
    match algorithm {
        Algorithm::Sha256 => Sha256::digest(bytes).into(),
        Algorithm::Xxh64 => xxh64(&[], bytes),
    }
}

impl Destination for Region {
    fn bytes(&mut self, range: Range) -> Option<&mut [u8]> {
        let at = self.at(range)?;
        self.bytes.get_mut(at)
    }

    fn publish(&mut self, range: Range) {
        if let Some(address) = self.forgotten.filter(|&address| range.contains(address)) {
            self.flip(address, 0);
        }
    }

    fn digest(&mut self, algorithm: Algorithm, bytes: &[u8]) -> [u8; DIGEST_LEN] {
        digest(algorithm, bytes)
    }

    fn digest_written(&mut self, algorithm: Algorithm, range: Range) -> [u8; DIGEST_LEN] {
        digest(algorithm, check::Memory::bytes(self, range).unwrap())
    }

    fn digest_compared(
        &mut self,
        algorithm: Algorithm,
        bytes: &[u8],
        copy: Range,
    ) -> Option<[u8; DIGEST_LEN]> {
        let is_equal = check::Memory::bytes(self, copy) == Some(bytes);
        is_equal.then(|| digest(algorithm, bytes))
    }
}

impl check::Memory for Region {
    fn bytes(&self, range: Range) -> Option<&[u8]> {
        self.bytes.get(self.at(range)?)
    }

    fn digest(&self, algorithm: Algorithm, bytes: &[u8]) -> Option<[u8; DIGEST_LEN]> {
        Some(digest(algorithm, bytes))
    }
}

impl slots::Memory for Region {
    fn write(&mut self, address: u64, bytes: &[u8]) {
        let range = Range::from_start_len(address, bytes.len() as u64).unwrap();
        Destination::bytes(self, range)
            .unwrap()
            .copy_from_slice(bytes);
    }

    fn store(&mut self, address: u64, value: u64) {
        self.write(address, &value.to_le_bytes());
    }
}

/// A part of the image that is covered.
struct Part {
    name: &'static str,
    kind: SegmentKind,
    bytes: Range,
}

/// A loaded image.
struct Loaded {
    region: Region,
    records: Records,
    slots: Slots,
    parts: Vec<Part>,
}

impl Loaded {
    /// An image for a crash, with an elfcorehdr that was replaced `changes` times, or one for a reboot.
    fn new(
        architecture: Architecture,
        algorithm: Algorithm,
        changes: Option<usize>,
        random: &mut Random,
    ) -> Self {
        let file = bzimage_file();
        let image = verified(&file);
        let range = range(256 * MIB, 288 * MIB);
        let tables_len = tables(architecture, range, 0).len() as u64;
        let initrd = random.bytes(48_123);
        let argument = random.bytes(4096 + 77);
        let header = |pieces: u64| {
            let load = |piece| Load {
                virtual_address: piece * GIB,
                memory: Range::from_start_len(piece * GIB, MIB).unwrap(),
            };
            let loads: Vec<Load> = (1..=pieces).map(load).collect();
            let notes = [Range::from_start_len(MIB, 512).unwrap()];
            let mut bytes = vec![0; encoded_len(1, loads.len())];
            encode(&mut bytes, architecture, &notes, &loads).unwrap();
            bytes
        };

        let mut placer = Placer::new(range).unwrap();
        let kernel = placer.place_kernel(&image, Placement::Lowest).unwrap();
        let (slot_len, slots_len) = Slots::lens(PAGE, PAGE).unwrap();
        let argument_kind = match architecture {
            Architecture::X86_64 => SegmentKind::BootParams,
            Architecture::Arm64 => SegmentKind::DeviceTree,
        };
        let purgatory_len = CODE_LEN as u64 + tables_len;
        let mut place = |kind, len| {
            let placed = placer.place(kind, len, len, PAGE, Placement::Highest, Range::ALL);
            placed.unwrap().memory.start()
        };
        let slots = changes.map_or(Slots::NONE, |_| Slots {
            start: place(SegmentKind::Elfcorehdr, slots_len),
            slot_len,
        });
        let argument_start = place(argument_kind, argument.len() as u64);
        let purgatory_start = place(SegmentKind::Purgatory, purgatory_len);
        place(SegmentKind::PurgatoryTable, TABLE_LEN as u64);
        place(SegmentKind::Initrd, initrd.len() as u64);
        let entry = kernel.memory.start() + image.entry_offset();
        let plan = placer.finish(entry, GIB).unwrap();

        let mut purgatory = random.bytes(CODE_LEN);
        Head::set_console(&mut purgatory, CONSOLE_PL011, 0x900_0000);
        let tables_start = purgatory_start + CODE_LEN as u64;
        purgatory.extend(tables(architecture, range, tables_start));

        let mut table = Table {
            entry,
            argument: argument_start,
            report: changes.map_or(0, |_| 0x1234_5000),
            elfcorehdr: slots,
            ..Table::default()
        };
        let mut region = Region {
            range,
            bytes: vec![0; range.len() as usize],
            forgotten: None,
        };
        let contents = |kind| {
            Some(match kind {
                SegmentKind::Kernel => Contents::Kernel(&image),
                SegmentKind::Initrd => Contents::Bytes(&initrd),
                SegmentKind::Purgatory => Contents::Bytes(&purgatory),
                kind if kind == argument_kind => Contents::Bytes(&argument),
                _ => return None,
            })
        };
        let mut records = Records::default();
        copy(
            &plan,
            &mut table,
            algorithm,
            &mut region,
            contents,
            &mut records,
        )
        .unwrap();
        let mut writer = Writer::new(slots);
        for pieces in changes.map_or(0..0, |changes| 0..changes + 1) {
            let header = header(3 + pieces as u64);
            let digest = digest(algorithm, &header);
            writer
                .put_in_force(&mut region, &header, algorithm, digest)
                .unwrap();
        }

        let mut parts: Vec<Part> = Vec::new();
        let mut part = |name, kind, start, len| {
            let bytes = Range::from_start_len(start, len).unwrap();
            parts.push(Part { name, kind, bytes });
        };
        for record in records.as_slice() {
            let kind = SegmentKind::from_number(record.kind).unwrap();
            let (start, len) = (record.start, record.file_len);
            match kind {
                SegmentKind::Elfcorehdr => {}
                SegmentKind::Purgatory => {
                    let code_len = CODE_LEN as u64;
                    part("purgatory's code", kind, start, code_len);
                    part("page tables", kind, start + code_len, len - code_len);
                }
                kind => part(kind.name(), kind, start, len),
            }
        }
        if let Some(changes) = changes {
            let selection = slots.selection().unwrap().start();
            let kind = SegmentKind::Elfcorehdr;
            let slot = writer.slot_in_force().start();
            let number = (slot - slots.start) / slot_len;
            let header_len = header(3 + changes as u64).len() as u64;
            part("header in force", kind, slot, header_len);
            part("word of the slots", kind, selection, 8);
            part("record in force", kind, selection + 8 + number * 56, 56);
        }
        Self {
            region,
            records,
            slots,
            parts,
        }
    }

    /// Both checks, in their order.
    fn damage(&self) -> Option<Damage> {
        let kind = SegmentKind::PurgatoryTable as u32;
        let mut records = self.records.as_slice().iter();
        let table = records.find(|record| record.kind == kind).unwrap().start;
        check::before_the_jump(self.records.as_slice(), &self.region)
            .and_then(|()| check::in_the_purgatory(table, &self.region).map(|_| ()))
            .err()
    }

    /// Flips a bit, and sees that it is found; then flips it back.
    fn flip_and_find(&mut self, part: usize, random: &mut Random) {
        let Part { name, kind, bytes } = self.parts[part];
        let address = bytes.start() + random.below(bytes.len());
        let bit = random.below(8);
        self.region.flip(address, bit);
        let found = self.damage().map(|damage| damage.kind);
        assert_eq!(found, Some(Some(kind)), "bit {bit} at {address:#x}, {name}");
        if self.is_for_a_reboot() {
            let found = check::everything(self.records.as_slice(), &self.region);
            let found = found.map_err(|damage| damage.kind);
            assert_eq!(found, Err(Some(kind)), "bit {bit} at {address:#x}, {name}");
        }
        self.region.flip(address, bit);
    }

    fn is_for_a_reboot(&self) -> bool {
        self.slots == Slots::NONE
    }

    /// A part, in proportion to the parts' lengths.
    fn any_part(&self, random: &mut Random) -> usize {
        let total = self.parts.iter().map(|part| part.bytes.len()).sum();
        let mut at = random.below(total);
        let found = self.parts.iter().position(|part| {
            let within = at < part.bytes.len();
            at = at.wrapping_sub(part.bytes.len());
            within
        });
        found.unwrap()
    }
}

/// The page tables of an identity map of the region, and of pages outside of it.
fn tables(architecture: Architecture, region: Range, base: u64) -> Vec<u8> {
    let report = Range::from_start_len(8 * GIB, PAGE).unwrap();
    let entries: Vec<u64> = match architecture {
        Architecture::X86_64 => {
            let mut tables = vec![[0; x86_64::ENTRIES]; 12];
            let levels = x86_64::Levels::Four;
            let mut map = x86_64::IdentityMap::new(&mut tables, base, levels).unwrap();
            map.map(region).unwrap();
            map.map(report).unwrap();
            tables.into_iter().flatten().collect()
        }
        Architecture::Arm64 => {
            let mut tables = vec![0; 12 * 512];
            let mut map = arm64::IdentityMap::new(&mut tables, base, Granule::Kib4).unwrap();
            map.map(region, 0x704).unwrap();
            map.map(report, 0x704).unwrap();
            tables
        }
    };
    entries.into_iter().flat_map(u64::to_le_bytes).collect()
}

/// The images: both architectures, both algorithms, both slots; for a crash and for a reboot.
fn images(random: &mut Random) -> Vec<Loaded> {
    let mut image = |architecture, algorithm, changes| {
        let image = Loaded::new(architecture, algorithm, changes, random);
        assert_eq!(image.damage(), None);
        let whole = check::everything(image.records.as_slice(), &image.region);
        assert_eq!(whole, Ok(()));
        image
    };
    vec![
        image(Architecture::X86_64, Algorithm::DEFAULT, Some(0)),
        image(Architecture::Arm64, Algorithm::DEFAULT, Some(1)),
        image(Architecture::X86_64, Algorithm::Sha256, Some(1)),
        image(Architecture::Arm64, Algorithm::Sha256, Some(2)),
        image(Architecture::X86_64, Algorithm::DEFAULT, None),
        image(Architecture::Arm64, Algorithm::Sha256, None),
    ]
}

#[test]
fn a_flipped_bit_anywhere_is_found() {
    let random = &mut Random::seeded();
    let mut images = images(random);
    let count = images.len() as u64;
    for flip in 0..FLIPS {
        let image = &mut images[(flip % count) as usize];
        let part = image.any_part(random);
        image.flip_and_find(part, random);
    }
}

#[test]
fn a_flipped_bit_in_each_part_is_found() {
    let random = &mut Random::seeded();
    for mut image in images(random) {
        for flip in 0..(FLIPS / 4) as usize {
            let part = flip % image.parts.len();
            image.flip_and_find(part, random);
        }
    }
}

#[test]
fn what_nobody_reads_may_change() {
    let random = &mut Random::seeded();
    for mut image in images(random) {
        let padded = image.records.as_slice().iter();
        let padded = padded.filter(|record| record.file_len < record.memory_len);
        let padded = padded.filter(|record| record.kind != SegmentKind::Elfcorehdr as u32);
        let mut addresses: Vec<u64> = padded
            .map(|record| record.start + record.file_len)
            .collect();
        if !image.is_for_a_reboot() {
            let selection = image.slots.selection().unwrap();
            addresses.push(selection.start() + SELECTION_LEN as u64);
        }
        assert!(addresses.len() > 2);
        for address in addresses {
            image.region.flip(address, 0);
            assert_eq!(image.damage(), None, "{address:#x}");
        }
    }
}

#[test]
fn a_record_that_is_missing_is_damage() {
    let random = &mut Random::seeded();
    for image in images(random) {
        let damage = check::before_the_jump(&[], &image.region).unwrap_err();
        assert_eq!(damage.kind, Some(SegmentKind::Purgatory));
    }
}

#[test]
fn the_sentence_says_what_is_damaged_and_what_follows() {
    let damage = Damage {
        kind: Some(SegmentKind::Purgatory),
        algorithm: Some(Algorithm::Xxh64),
        start: 0x3efc_d000,
        len: 0x12000,
    };
    let expected =
        "XXH64 of the purgatory does not match: memory at 0x3efcd000, 0x12000 bytes, was \
                    overwritten after the load. The capture kernel is not started: a dump that it \
                    wrote could not be trusted.";
    assert_eq!(damage.to_string(), expected);
}
