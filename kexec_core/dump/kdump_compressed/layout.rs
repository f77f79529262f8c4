// SPDX-License-Identifier: GPL-2.0

//! The structures of a kdump-compressed file, as makedumpfile's `diskdump_mod.h` defines them for
//! machines of 64 bits, little-endian.

use crate::types::bytes::{
    read_u32,
    read_u64,
    write, //
};

/// The first eight bytes.
pub const SIGNATURE: [u8; 8] = *b"KDUMP   ";

/// The version whose files are written.
pub const VERSION: u32 = 6;

/// The number of blocks before `struct kdump_sub_header`.
pub const HEADER_BLOCKS: u64 = 1;

/// A page is compressed with zlib, or the file has such pages.
pub const COMPRESSED_ZLIB: u32 = 0x1;
/// A page is compressed with lzo, or the file has such pages.
pub const COMPRESSED_LZO: u32 = 0x2;
/// A page is compressed with snappy, or the file has such pages.
pub const COMPRESSED_SNAPPY: u32 = 0x4;
/// The writer of the file did not come to its end.
pub const COMPRESSED_INCOMPLETE: u32 = 0x8;
/// Page structures that stand for excluded pages only were left out.
pub const EXCLUDED_VMEMMAP: u32 = 0x10;
/// A page is compressed with zstd, or the file has such pages.
pub const COMPRESSED_ZSTD: u32 = 0x20;

// Offsets in `struct disk_dump_header`.
pub(super) const HEADER_VERSION: usize = 8;
const UTSNAME: usize = 12;
const TIMESTAMP: usize = 408;
const STATUS: usize = 424;
pub(super) const BLOCK_SIZE: usize = 428;
const SUB_HDR_SIZE: usize = 432;
const BITMAP_BLOCKS: usize = 436;
const MAX_MAPNR: usize = 440;
const NR_CPUS: usize = 460;

/// Length of `struct disk_dump_header` without the tasks that end it, of which there are none.
pub const DISK_DUMP_HEADER_LEN: usize = NR_CPUS + 4;

/// Length of each string of `struct new_utsname`.
pub const UTSNAME_FIELD_LEN: usize = 65;

/// `struct new_utsname`: sysname, nodename, release, version, machine, domainname.
pub type Utsname = [[u8; UTSNAME_FIELD_LEN]; 6];

// Offsets in `struct kdump_sub_header`.
const PHYS_BASE: usize = 0;
const DUMP_LEVEL: usize = 8;
const SPLIT: usize = 12;
const START_PFN: usize = 16;
const END_PFN: usize = 24;
const OFFSET_VMCOREINFO: usize = 32;
const SIZE_VMCOREINFO: usize = 40;
pub(super) const OFFSET_NOTE: usize = 48;
pub(super) const SIZE_NOTE: usize = 56;
const OFFSET_ERASEINFO: usize = 64;
const SIZE_ERASEINFO: usize = 72;
const START_PFN_64: usize = 80;
const END_PFN_64: usize = 88;
const MAX_MAPNR_64: usize = 96;

/// Length of `struct kdump_sub_header`.
pub const KDUMP_SUB_HEADER_LEN: usize = MAX_MAPNR_64 + 8;

// Offsets in `struct page_desc`.
const PAGE_OFFSET: usize = 0;
const PAGE_SIZE: usize = 8;
const PAGE_FLAGS: usize = 12;

/// Length of `struct page_desc`, which ends with 8 bytes that nobody uses.
pub const PAGE_DESCRIPTOR_LEN: usize = 24;

const _: () = {
    assert!(HEADER_VERSION == SIGNATURE.len());
    assert!(UTSNAME == HEADER_VERSION + 4);
    // struct timeval, two of 8, is aligned.
    assert!(TIMESTAMP == (UTSNAME + 6 * UTSNAME_FIELD_LEN).next_multiple_of(8));
    assert!(STATUS == TIMESTAMP + 2 * 8);
    assert!(BLOCK_SIZE == STATUS + 4);
    assert!(SUB_HDR_SIZE == BLOCK_SIZE + 4);
    assert!(BITMAP_BLOCKS == SUB_HDR_SIZE + 4);
    assert!(MAX_MAPNR == BITMAP_BLOCKS + 4);
    // total_ram_blocks, device_blocks, written_blocks and current_cpu have 4 bytes each.
    assert!(NR_CPUS == MAX_MAPNR + 4 + 4 * 4);
    assert!(DISK_DUMP_HEADER_LEN == 464);

    assert!(DUMP_LEVEL == PHYS_BASE + 8);
    assert!(SPLIT == DUMP_LEVEL + 4);
    assert!(START_PFN == SPLIT + 4);
    assert!(END_PFN == START_PFN + 8);
    assert!(OFFSET_VMCOREINFO == END_PFN + 8);
    assert!(SIZE_VMCOREINFO == OFFSET_VMCOREINFO + 8);
    assert!(OFFSET_NOTE == SIZE_VMCOREINFO + 8);
    assert!(SIZE_NOTE == OFFSET_NOTE + 8);
    assert!(OFFSET_ERASEINFO == SIZE_NOTE + 8);
    assert!(SIZE_ERASEINFO == OFFSET_ERASEINFO + 8);
    assert!(START_PFN_64 == SIZE_ERASEINFO + 8);
    assert!(END_PFN_64 == START_PFN_64 + 8);
    assert!(MAX_MAPNR_64 == END_PFN_64 + 8);
    assert!(KDUMP_SUB_HEADER_LEN == 104);

    assert!(PAGE_SIZE == PAGE_OFFSET + 8);
    assert!(PAGE_FLAGS == PAGE_SIZE + 4);
    assert!(PAGE_DESCRIPTOR_LEN == PAGE_FLAGS + 4 + 8);
};

/// `struct disk_dump_header`, without the fields that nobody fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskDumpHeader {
    /// `header_version`.
    pub version: u32,
    /// `utsname`.
    pub utsname: Utsname,
    /// `timestamp`: seconds and microseconds.
    pub timestamp: [u64; 2],
    /// `status`: the flags `COMPRESSED_` and [`EXCLUDED_VMEMMAP`].
    pub status: u32,
    /// `block_size`: the length of a page.
    pub block_len: u32,
    /// `sub_hdr_size`: the number of blocks with `struct kdump_sub_header` and the notes.
    pub sub_header_blocks: u32,
    /// `bitmap_blocks`: the number of blocks with both bitmaps.
    pub bitmap_blocks: u32,
    /// `max_mapnr`: the frame after the last one, or the largest number.
    pub frames_end: u32,
    /// `nr_cpus`.
    pub cpus: u32,
}

impl DiskDumpHeader {
    /// The header as the file has it.
    pub fn encode(&self) -> [u8; DISK_DUMP_HEADER_LEN] {
        let mut bytes = [0; DISK_DUMP_HEADER_LEN];
        write(&mut bytes, 0, &SIGNATURE);
        write(&mut bytes, HEADER_VERSION, &self.version.to_le_bytes());
        let strings = bytes.get_mut(UTSNAME..).unwrap_or_default();
        for (field, string) in strings
            .chunks_exact_mut(UTSNAME_FIELD_LEN)
            .zip(&self.utsname)
        {
            write(field, 0, string);
        }
        let [seconds, microseconds] = self.timestamp;
        write(&mut bytes, TIMESTAMP, &seconds.to_le_bytes());
        write(&mut bytes, TIMESTAMP + 8, &microseconds.to_le_bytes());
        write(&mut bytes, STATUS, &self.status.to_le_bytes());
        write(&mut bytes, BLOCK_SIZE, &self.block_len.to_le_bytes());
        write(
            &mut bytes,
            SUB_HDR_SIZE,
            &self.sub_header_blocks.to_le_bytes(),
        );
        write(&mut bytes, BITMAP_BLOCKS, &self.bitmap_blocks.to_le_bytes());
        write(&mut bytes, MAX_MAPNR, &self.frames_end.to_le_bytes());
        write(&mut bytes, NR_CPUS, &self.cpus.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`, if they are enough for one and begin with the
    /// signature.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..DISK_DUMP_HEADER_LEN)?;
        if !bytes.starts_with(&SIGNATURE) {
            return None;
        }
        let mut utsname: Utsname = [[0; UTSNAME_FIELD_LEN]; 6];
        let strings = bytes.get(UTSNAME..)?.chunks_exact(UTSNAME_FIELD_LEN);
        for (field, string) in utsname.iter_mut().zip(strings) {
            *field = *string.first_chunk()?;
        }
        Some(Self {
            version: read_u32(bytes, HEADER_VERSION)?,
            utsname,
            timestamp: [read_u64(bytes, TIMESTAMP)?, read_u64(bytes, TIMESTAMP + 8)?],
            status: read_u32(bytes, STATUS)?,
            block_len: read_u32(bytes, BLOCK_SIZE)?,
            sub_header_blocks: read_u32(bytes, SUB_HDR_SIZE)?,
            bitmap_blocks: read_u32(bytes, BITMAP_BLOCKS)?,
            frames_end: read_u32(bytes, MAX_MAPNR)?,
            cpus: read_u32(bytes, NR_CPUS)?,
        })
    }
}

/// `struct kdump_sub_header` of version 6, without the fields that version 6 has twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KdumpSubHeader {
    /// `phys_base`.
    pub phys_base: u64,
    /// `dump_level`.
    pub dump_level: u32,
    /// `split`: 1 if the file has a part of the frames only.
    pub split: u32,
    /// `offset_vmcoreinfo` and `size_vmcoreinfo`.
    pub vmcoreinfo: [u64; 2],
    /// `offset_note` and `size_note`.
    pub notes: [u64; 2],
    /// `offset_eraseinfo` and `size_eraseinfo`.
    pub eraseinfo: [u64; 2],
    /// `start_pfn_64`: the first frame of the part.
    pub part_start: u64,
    /// `end_pfn_64`: the frame after the part's last.
    pub part_end: u64,
    /// `max_mapnr_64`: the frame after the last one.
    pub frames_end: u64,
}

impl KdumpSubHeader {
    /// The structure as the file has it.
    pub fn encode(&self) -> [u8; KDUMP_SUB_HEADER_LEN] {
        let mut bytes = [0; KDUMP_SUB_HEADER_LEN];
        write(&mut bytes, PHYS_BASE, &self.phys_base.to_le_bytes());
        write(&mut bytes, DUMP_LEVEL, &self.dump_level.to_le_bytes());
        write(&mut bytes, SPLIT, &self.split.to_le_bytes());
        // makedumpfile cuts the numbers of earlier versions off at 32 bits, although they have 64.
        let short = |frame: u64| frame.min(u32::MAX.into()).to_le_bytes();
        write(&mut bytes, START_PFN, &short(self.part_start));
        write(&mut bytes, END_PFN, &short(self.part_end));
        for (place, [offset, len]) in [
            (OFFSET_VMCOREINFO, self.vmcoreinfo),
            (OFFSET_NOTE, self.notes),
            (OFFSET_ERASEINFO, self.eraseinfo),
        ] {
            write(&mut bytes, place, &offset.to_le_bytes());
            write(&mut bytes, place.saturating_add(8), &len.to_le_bytes());
        }
        write(&mut bytes, START_PFN_64, &self.part_start.to_le_bytes());
        write(&mut bytes, END_PFN_64, &self.part_end.to_le_bytes());
        write(&mut bytes, MAX_MAPNR_64, &self.frames_end.to_le_bytes());
        bytes
    }

    /// Reads the structure at the start of `bytes`, if they are enough for one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..KDUMP_SUB_HEADER_LEN)?;
        Some(Self {
            phys_base: read_u64(bytes, PHYS_BASE)?,
            dump_level: read_u32(bytes, DUMP_LEVEL)?,
            split: read_u32(bytes, SPLIT)?,
            vmcoreinfo: [
                read_u64(bytes, OFFSET_VMCOREINFO)?,
                read_u64(bytes, SIZE_VMCOREINFO)?,
            ],
            notes: [read_u64(bytes, OFFSET_NOTE)?, read_u64(bytes, SIZE_NOTE)?],
            eraseinfo: [
                read_u64(bytes, OFFSET_ERASEINFO)?,
                read_u64(bytes, SIZE_ERASEINFO)?,
            ],
            part_start: read_u64(bytes, START_PFN_64)?,
            part_end: read_u64(bytes, END_PFN_64)?,
            frames_end: read_u64(bytes, MAX_MAPNR_64)?,
        })
    }
}

/// `struct page_desc`: where a page is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PageDescriptor {
    /// `offset`; 0 if the page did not get there.
    pub offset: u64,
    /// `size`.
    pub len: u32,
    /// `flags`: a flag `COMPRESSED_`, or 0 for a page that is there as it was.
    pub flags: u32,
}

impl PageDescriptor {
    /// The descriptor as the file has it.
    pub fn encode(&self) -> [u8; PAGE_DESCRIPTOR_LEN] {
        let mut bytes = [0; PAGE_DESCRIPTOR_LEN];
        write(&mut bytes, PAGE_OFFSET, &self.offset.to_le_bytes());
        write(&mut bytes, PAGE_SIZE, &self.len.to_le_bytes());
        write(&mut bytes, PAGE_FLAGS, &self.flags.to_le_bytes());
        bytes
    }

    /// Reads the descriptor at the start of `bytes`, if they are enough for one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..PAGE_DESCRIPTOR_LEN)?;
        Some(Self {
            offset: read_u64(bytes, PAGE_OFFSET)?,
            len: read_u32(bytes, PAGE_SIZE)?,
            flags: read_u32(bytes, PAGE_FLAGS)?,
        })
    }
}
