// SPDX-License-Identifier: GPL-2.0

//! The module's status, for people and as JSON.

#[cfg(test)]
mod tests;
mod text;

use kexec_core::{
    handover::Purpose,
    types::digest::Algorithm,
    uapi::{
        Decompression,
        ElfcorehdrRecord,
        HookedBy,
        Protection,
        RebootPlace,
        RegionHolder,
        RegionRecord,
        RegionSource,
        Replacement,
        SegmentKind,
        SegmentRecord,
        SignatureState,
        Status,
        ROLE_CAPTURE,
        ROLE_PRODUCTION, //
    }, //
};
use serde::Serialize;
use std::mem::offset_of;

use crate::output::{
    hexadecimal,
    Address, //
};

/// The length of the status of a module that says what the elfcorehdr has.
const ELFCOREHDR_KNOWN: usize = offset_of!(Status, replacement);

/// The module's status with names instead of numbers.
///
/// Addresses are strings in hexadecimal, lengths are numbers of bytes. Missing values are null.
#[derive(Debug, Serialize)]
pub struct Report {
    role: String,
    /// An image is loaded and will be entered at a panic.
    pub armed: bool,
    region: Option<Region>,
    low_region: Option<Region>,
    /// More memory for the capture kernel, which no image is placed in.
    more_regions: Vec<Region>,
    /// Memory for the capture kernel that the running one uses as well, and that a dump does not have.
    shared_regions: Vec<Region>,
    /// How long a crash waits because of them, in milliseconds.
    shared_wait_ms: Option<u32>,
    /// Who has set the memory aside: "crashkernel=", "run time" for this module, or "region=" for the command
    /// line or firmware.
    source: Option<String>,
    /// Who has an image in the region.
    holder: Option<String>,
    /// From the first byte of the armed image to its last, in bytes.
    used: Option<u64>,
    /// The rest of the region.
    free: Option<u64>,
    write_protected: Option<bool>,
    entry: Option<Address>,
    decompression: Option<When>,
    /// The result of checking the kernel's signature.
    signature: Option<String>,
    segments: Vec<Segment>,
    /// Where an image goes that replaces this one and is as long: "beside" it or "instead" of it.
    replacement: Option<String>,
    memory: Option<Memory>,
    hooks: Option<Hooks>,
    /// The image that a reboot enters.
    for_reboot: Option<ForReboot>,
}

/// An image that a reboot enters.
#[derive(Debug, Serialize)]
struct ForReboot {
    /// Its memory when it is entered.
    memory: Region,
    entry: Address,
    /// Whether it is there already: "in its place", or "copied at the reboot".
    place: Option<String>,
    decompression: Option<When>,
    signature: Option<String>,
}

impl Report {
    /// Whether a kernel of this purpose is loaded.
    pub fn has(&self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::Crash => self.armed,
            Purpose::Reboot => self.for_reboot.is_some(),
        }
    }
}

/// By what the kernel's crash is noticed: "ftrace", "kprobes" or "panic notifiers".
#[derive(Debug, Serialize)]
struct Hooks {
    by: String,
    /// What is lost, and why: a sentence that begins with the name.
    lost: Option<&'static str>,
}

/// When the kernel is decompressed, and why not at load.
#[derive(Debug, Serialize)]
pub struct When {
    when: String,
    reason: Option<&'static str>,
}

impl When {
    fn from_number(number: u32) -> Option<Self> {
        match Decompression::from_number(number) {
            Some(known) => Some(known.into()),
            // Nothing is loaded, or the module is older than this field.
            None if number == 0 => None,
            None => Some(Self {
                when: format!("unknown ({number})"),
                reason: None,
            }),
        }
    }
}

/// What was found of a signature.
fn signature(number: u32) -> Option<String> {
    match (SignatureState::from_number(number), number) {
        (Some(state), _) => Some(state.name().into()),
        // Nothing is loaded, or the module is older than this field.
        (None, 0) => None,
        (None, number) => Some(format!("unknown ({number})")),
    }
}

impl From<Decompression> for When {
    fn from(decompression: Decompression) -> Self {
        Self {
            when: decompression.name().into(),
            reason: decompression.reason(),
        }
    }
}

/// The machine's memory in the elfcorehdr, and so in a dump.
#[derive(Debug, Serialize)]
struct Memory {
    pieces: u32,
    without_room: u32,
    /// How often memory or CPUs came or went, and the elfcorehdr with them.
    replacements: u32,
    outdated: bool,
}

#[derive(Debug, Serialize)]
struct Region {
    start: Address,
    len: u64,
}

#[derive(Debug, Serialize)]
struct Segment {
    kind: String,
    start: Address,
    file_len: u64,
    memory_len: u64,
    digest: Option<Digest>,
}

#[derive(Debug, Serialize)]
struct Digest {
    algorithm: String,
    value: String,
}

impl From<&Status> for Report {
    fn from(status: &Status) -> Self {
        let armed = status.armed != 0;
        let used = armed.then(|| status.used());
        Self {
            role: match status.role {
                ROLE_PRODUCTION => "production".into(),
                ROLE_CAPTURE => "capture".into(),
                number => format!("unknown ({number})"),
            },
            armed,
            region: Region::from_record(&status.region),
            low_region: Region::from_record(&status.low_region),
            more_regions: status
                .more_regions
                .iter()
                .take(usize::try_from(status.more_region_count).unwrap_or(usize::MAX))
                .filter_map(Region::from_record)
                .collect(),
            shared_regions: status
                .shared()
                .filter_map(|record| Region::from_record(&record))
                .collect(),
            shared_wait_ms: (status.shared_region_count > 0).then_some(status.shared_wait),
            source: match (RegionSource::from_number(status.source), status.source) {
                (Some(source), _) => Some(source.name().into()),
                // There is no region, or the module is older than this field.
                (None, 0) => None,
                (None, number) => Some(format!("unknown ({number})")),
            },
            holder: match (RegionHolder::from_number(status.holder), status.holder) {
                (Some(holder), _) => Some(holder.name().into()),
                // There is no region, or the module is older than this field.
                (None, 0) => None,
                (None, number) => Some(format!("unknown ({number})")),
            },
            used,
            free: used.map(|used| status.region.len.saturating_sub(used)),
            write_protected: Protection::from_number(status.protection)
                .map(|protection| protection == Protection::ReadOnly),
            entry: armed.then_some(Address(status.entry)),
            decompression: When::from_number(status.decompression),
            signature: signature(status.signature),
            segments: status
                .segments
                .iter()
                .take(usize::try_from(status.segment_count).unwrap_or(usize::MAX))
                .map(Segment::from)
                .collect(),
            replacement: match (
                Replacement::from_number(status.replacement),
                status.replacement,
            ) {
                (Some(place), _) => Some(place.name().into()),
                // Nothing is loaded, or the module is older than this field.
                (None, 0) => None,
                (None, number) => Some(format!("unknown ({number})")),
            },
            // An older module does not say.
            memory: (armed && status.size as usize >= ELFCOREHDR_KNOWN)
                .then(|| Memory::from(&status.elfcorehdr)),
            hooks: match HookedBy::from_number(status.hooks) {
                Some(known) => Some(Hooks {
                    by: known.name().into(),
                    lost: known.loss(),
                }),
                // Nothing is loaded, or the module is older than this field.
                None if status.hooks == 0 => None,
                None => Some(Hooks {
                    by: format!("unknown ({})", status.hooks),
                    lost: None,
                }),
            },
            for_reboot: Region::from_record(&status.reboot_image).map(|memory| ForReboot {
                memory,
                entry: Address(status.reboot_entry),
                place: match (
                    RebootPlace::from_number(status.reboot_place),
                    status.reboot_place,
                ) {
                    (Some(place), _) => Some(place.name().into()),
                    // The module is older than this field.
                    (None, 0) => None,
                    (None, number) => Some(format!("unknown ({number})")),
                },
                decompression: When::from_number(status.reboot_decompression),
                signature: signature(status.reboot_signature),
            }),
        }
    }
}

impl From<&ElfcorehdrRecord> for Memory {
    fn from(record: &ElfcorehdrRecord) -> Self {
        Self {
            pieces: record.pieces,
            without_room: record.without_room,
            replacements: record.replacements,
            outdated: record.outdated != 0,
        }
    }
}

impl Region {
    fn from_record(record: &RegionRecord) -> Option<Self> {
        (record.len != 0).then_some(Self {
            start: Address(record.start),
            len: record.len,
        })
    }
}

impl From<&SegmentRecord> for Segment {
    fn from(record: &SegmentRecord) -> Self {
        Self {
            kind: match SegmentKind::from_number(record.kind) {
                Some(kind) => kind.name().into(),
                None => format!("unknown ({})", record.kind),
            },
            start: Address(record.start),
            file_len: record.file_len,
            memory_len: record.memory_len,
            digest: Digest::from_record(record),
        }
    }
}

impl Digest {
    fn from_record(record: &SegmentRecord) -> Option<Self> {
        let value = &record.digest;
        match Algorithm::from_number(record.algorithm) {
            Some(algorithm) => Some(Self {
                algorithm: algorithm.name().into(),
                value: hexadecimal(&value[..algorithm.digest_len()]),
            }),
            None if record.algorithm == 0 => None,
            None => Some(Self {
                algorithm: format!("unknown ({})", record.algorithm),
                value: hexadecimal(value),
            }),
        }
    }
}
