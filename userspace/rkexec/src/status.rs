// SPDX-License-Identifier: GPL-2.0

//! The module's status, for people and as JSON.

use std::fmt;

use kexec_core::types::digest::Algorithm;
use kexec_core::uapi::{
    Decompression, ElfcorehdrRecord, RegionRecord, Replacement, SegmentKind, SegmentRecord,
    SignatureState, Status, ROLE_CAPTURE, ROLE_PRODUCTION,
};
use serde::Serialize;

use crate::output::{hexadecimal, Address};

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
    entry: Option<Address>,
    decompression: Option<When>,
    /// The result of checking the kernel's signature.
    signature: Option<String>,
    segments: Vec<Segment>,
    /// Where an image goes that replaces this one and is as long: "beside" it or "instead" of it.
    replacement: Option<String>,
    memory: Option<Memory>,
}

/// When the kernel is decompressed, and why not at load.
#[derive(Debug, Serialize)]
pub struct When {
    when: String,
    reason: Option<&'static str>,
}

impl From<Decompression> for When {
    fn from(decompression: Decompression) -> Self {
        Self {
            when: decompression.name().into(),
            reason: decompression.reason(),
        }
    }
}

/// The machine's memory in the ELF core header, and so in a dump.
#[derive(Debug, Serialize)]
struct Memory {
    pieces: u32,
    without_room: u32,
    /// How often memory or CPUs came or went, and the ELF core header with them.
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
        Self {
            role: match status.role {
                ROLE_PRODUCTION => "production".into(),
                ROLE_CAPTURE => "capture".into(),
                number => format!("unknown ({number})"),
            },
            armed,
            region: Region::from_record(&status.region),
            low_region: Region::from_record(&status.low_region),
            entry: armed.then_some(Address(status.entry)),
            decompression: match Decompression::from_number(status.decompression) {
                Some(known) => Some(known.into()),
                // Nothing is loaded, or the module is older than this field.
                None if status.decompression == 0 => None,
                None => Some(When {
                    when: format!("unknown ({})", status.decompression),
                    reason: None,
                }),
            },
            signature: match (
                SignatureState::from_number(status.signature),
                status.signature,
            ) {
                (Some(state), _) => Some(state.name().into()),
                // Nothing is loaded, or the module is older than this field.
                (None, 0) => None,
                (None, number) => Some(format!("unknown ({number})")),
            },
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
            memory: (armed && status.size as usize >= size_of::<Status>())
                .then(|| Memory::from(&status.elfcorehdr)),
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "role        {}", self.role)?;
        writeln!(f, "armed       {}", if self.armed { "yes" } else { "no" })?;
        match &self.region {
            Some(region) => writeln!(f, "region      {region}")?,
            None => writeln!(f, "region      none")?,
        }
        if let Some(region) = &self.low_region {
            writeln!(f, "low region  {region}")?;
        }
        if let Some(entry) = self.entry {
            writeln!(f, "entry       {entry}")?;
        }
        if let Some(decompression) = &self.decompression {
            writeln!(f, "decompress  {decompression}")?;
        }
        if let Some(signature) = &self.signature {
            writeln!(f, "signature   {signature}")?;
        }
        for segment in &self.segments {
            writeln!(f, "{segment}")?;
        }
        if let Some(place) = &self.replacement {
            writeln!(f, "replacement {}", replacement(place))?;
        }
        if let Some(memory) = &self.memory {
            writeln!(f, "memory      {memory}")?;
        }
        Ok(())
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.when)?;
        match self.reason {
            Some(reason) => write!(f, ", because {reason}"),
            None => Ok(()),
        }
    }
}

/// What the place of the next image means.
fn replacement(place: &str) -> &str {
    if place == Replacement::Beside.name() {
        "beside this image, which stays armed until the next one is"
    } else if place == Replacement::Instead.name() {
        "in this image's place: a crash while it is copied is lost; a larger crashkernel= avoids that"
    } else {
        place
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} pieces; memory and CPUs that come and go are followed: {} changes since the load",
            self.pieces, self.replacements
        )?;
        if self.without_room > 0 {
            write!(
                f,
                "; {} more pieces have no room: load again",
                self.without_room
            )?;
        }
        if self.outdated {
            f.write_str("; the latest change could not be followed: load again")?;
        }
        Ok(())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = Address(self.start.0.saturating_add(self.len));
        write!(f, "{}-{end} ({})", self.start, Size(self.len))
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = Address(self.start.0.saturating_add(self.memory_len));
        let (kind, start, size) = (&self.kind, self.start, Size(self.file_len));
        write!(f, "segment     {kind:<15} {start}-{end} ({size}")?;
        match &self.digest {
            Some(Digest { algorithm, value }) => write!(f, ", {algorithm} {value})"),
            None => write!(f, ", no digest)"),
        }
    }
}

/// A number of bytes in the largest unit that leaves no fraction, as crashkernel= takes it.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, shift) = match self.0.trailing_zeros() {
            _ if self.0 == 0 => ("bytes", 0),
            30.. => ("GiB", 30),
            20.. => ("MiB", 20),
            10.. => ("KiB", 10),
            _ => ("bytes", 0),
        };
        write!(f, "{} {unit}", self.0 >> shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;
    use serde_json::json;

    fn empty() -> Status {
        Status {
            role: ROLE_PRODUCTION,
            region: armed().region,
            ..Status::default()
        }
    }

    fn armed() -> Status {
        let mut status = Status {
            role: ROLE_PRODUCTION,
            armed: 1,
            segment_count: 2,
            region: RegionRecord {
                start: 0x6f00_0000,
                len: 256 << 20,
            },
            entry: 0x7000_0200,
            signature: SignatureState::UnknownSigner as u32,
            decompression: Decompression::AtLoad as u32,
            replacement: Replacement::Beside as u32,
            elfcorehdr: ElfcorehdrRecord {
                pieces: 7,
                replacements: 3,
                ..ElfcorehdrRecord::default()
            },
            ..Status::default()
        };
        status.segments[0] = SegmentRecord {
            kind: SegmentKind::Kernel as u32,
            start: 0x7000_0000,
            file_len: 0x0012_3457,
            memory_len: 0x20_0000,
            algorithm: Algorithm::Sha256 as u32,
            digest: [0xab; 32],
        };
        status.segments[1] = SegmentRecord {
            kind: 99,
            start: 0x6f00_1000,
            file_len: 4096,
            memory_len: 4096,
            ..SegmentRecord::default()
        };
        status
    }

    #[test]
    fn json_names_everything_that_is_loaded() {
        let report = Report::from(&armed());
        assert_eq!(
            serde_json::to_value(&report).expect("a report is always JSON"),
            json!({
                "role": "production",
                "armed": true,
                "region": {"start": "0x6f000000", "len": 268_435_456},
                "low_region": null,
                "entry": "0x70000200",
                "decompression": {"when": "at load", "reason": null},
                "signature": "unknown signer",
                "segments": [
                    {
                        "kind": "kernel",
                        "start": "0x70000000",
                        "file_len": 0x0012_3457,
                        "memory_len": 0x20_0000,
                        "digest": {"algorithm": "SHA-256", "value": "ab".repeat(32)},
                    },
                    {
                        "kind": "unknown (99)",
                        "start": "0x6f001000",
                        "file_len": 4096,
                        "memory_len": 4096,
                        "digest": null,
                    },
                ],
                "replacement": "beside",
                "memory": {
                    "pieces": 7,
                    "without_room": 0,
                    "replacements": 3,
                    "outdated": false,
                },
            })
        );
    }

    #[test]
    fn nothing_loaded_has_neither_entry_nor_segments() {
        let report = Report::from(&Status::default());
        let value = serde_json::to_value(&report).expect("a report is always JSON");
        assert_eq!(value["armed"], false);
        assert_eq!(value["entry"], json!(null));
        assert_eq!(value["decompression"], json!(null));
        assert_eq!(value["signature"], json!(null));
        assert_eq!(value["segments"], json!([]));
        assert_eq!(value["replacement"], json!(null));
        assert_eq!(value["memory"], json!(null));
        assert_eq!(value["role"], "unknown (0)");
    }

    #[test]
    fn more_segments_than_there_is_room_for_do_no_harm() {
        let status = Status {
            segment_count: u32::MAX,
            ..armed()
        };
        assert_eq!(Report::from(&status).segments.len(), status.segments.len());
    }

    #[test]
    fn people_read_names_ranges_and_sizes() {
        golden::assert_output("status.txt", &Report::from(&armed()).to_string());
        golden::assert_output("status-empty.txt", &Report::from(&empty()).to_string());
    }

    #[test]
    fn a_kernel_that_decompresses_itself_says_why() {
        let text = |decompression| {
            Report::from(&Status {
                decompression,
                ..armed()
            })
            .to_string()
        };
        for (number, line) in [
            (Decompression::None as u32, "none"),
            (
                Decompression::NoRoom as u32,
                "at the crash, because the decompressed kernel has no place in the crash region",
            ),
            (99, "unknown (99)"),
        ] {
            let line = format!("\ndecompress  {line}\n");
            let text = text(number);
            assert!(text.contains(&line), "{text}");
        }
        assert!(!text(0).contains("decompress"));
    }

    #[test]
    fn where_the_next_image_goes_is_said() {
        let report = |replacement| {
            Report::from(&Status {
                replacement,
                ..armed()
            })
        };
        let instead = report(Replacement::Instead as u32);
        assert_eq!(instead.replacement.as_deref(), Some("instead"));
        golden::assert_output("status-instead.txt", &instead.to_string());
        // An older module's, and a newer one's.
        assert!(!report(0).to_string().contains("replacement"));
        assert!(report(9).to_string().contains("replacement unknown (9)\n"));
    }

    #[test]
    fn what_the_dump_would_lack_is_said() {
        let mut status = armed();
        status.elfcorehdr.without_room = 2;
        status.elfcorehdr.outdated = 1;
        let text = Report::from(&status).to_string();
        assert!(
            text.contains("; 2 more pieces have no room: load again"),
            "{text}"
        );
        assert!(text.contains("; the latest change could not"), "{text}");
    }
}
