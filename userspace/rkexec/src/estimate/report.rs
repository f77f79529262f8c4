// SPDX-License-Identifier: GPL-2.0

//! An estimate, for people and as JSON.

use std::fmt;

use kexec_core::{
    estimate::{
        BootOptions,
        Capture,
        Estimate,
        Part,
        PartKind,
        RootLimit, //
    },
    uapi::Decompression, //
};
use serde::Serialize;

use super::measure;

/// The parts of an estimate, and what they come to.
#[derive(Debug, Serialize)]
pub struct Report {
    parts: Vec<Line>,
    /// Bytes while the initrd is unpacked.
    unpacking: u64,
    /// Bytes while the dump is saved.
    saving: u64,
    /// What guests needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    measured: Option<measure::Report>,
    /// Bytes to reserve.
    crashkernel: u64,
}

#[derive(Debug, Serialize)]
struct Line {
    name: &'static str,
    unpacking: u64,
    saving: u64,
    /// Where the figure comes from.
    source: String,
}

impl Report {
    /// The report of an estimate. `compressions` are those of the initrd.
    pub fn new(
        capture: &Capture,
        estimate: &Estimate,
        decompression: Decompression,
        compressions: &[&str],
    ) -> Self {
        let line = |part: &Part| Line {
            name: part.kind.name(),
            unpacking: part.unpacking,
            saving: part.saving,
            source: source(part.kind, capture, decompression, compressions),
        };
        Self {
            parts: estimate.parts().map(line).collect(),
            unpacking: estimate.unpacking(),
            saving: estimate.saving(),
            measured: None,
            crashkernel: estimate.crashkernel(),
        }
    }

    /// The report with what was measured, which is what is to be reserved then.
    pub fn with(self, measured: measure::Report) -> Self {
        Self {
            crashkernel: measured.crashkernel(),
            measured: Some(measured),
            ..self
        }
    }
}

/// Where the figure of a part comes from.
fn source(
    kind: PartKind,
    capture: &Capture,
    decompression: Decompression,
    compressions: &[&str],
) -> String {
    let BootOptions {
        possible_cpus,
        started_cpus,
        root_limit,
        ..
    } = capture.options;
    match kind {
        PartKind::Kernel => match decompression {
            Decompression::AtLoad => "the segments of the kernel in the bzImage".into(),
            _ => "the kernel's headers".into(),
        },
        PartKind::Tables => "elfcorehdr, boot parameters, purgatory; allowed for".into(),
        PartKind::PageStructures => format!(
            "64 bytes for each page of {} KiB, in whole sections",
            capture.page_len >> 10
        ),
        PartKind::Cpus => format!("measured: {possible_cpus} possible, {started_cpus} started"),
        PartKind::SetUp => "measured with kernels of several sizes".into(),
        PartKind::Log => "log_buf_len=, with the descriptors of its records".into(),
        PartKind::PackedInitrd => format!("the file ({})", compressions.join(", ")),
        PartKind::Decompressor => "the window in the initrd's headers".into(),
        PartKind::Files => format!("unpacked here: {}", capture.initrd.file_count),
        PartKind::RootLimit => match root_limit {
            RootLimit::Percent(percent) => {
                format!("files may fill {percent} % of memory; initramfs_options=size= changes it")
            }
            RootLimit::Bytes(_) | RootLimit::None => "none".into(),
        },
        PartKind::DumpTool => "--dump-tool".into(),
        PartKind::Reserve => "allowed for: what the allocator keeps".into(),
    }
}

/// Bytes in MiB, rounded up to tenths.
struct Mib(u64);

impl fmt::Display for Mib {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = u128::from(self.0) * 10;
        let tenths = tenths.div_ceil(1 << 20);
        let text = format!("{}.{} MiB", tenths / 10, tenths % 10);
        f.pad(&text)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16}{:>12}{:>12}", "", "unpacking", "saving")?;
        for line in &self.parts {
            let (unpacking, saving) = (Mib(line.unpacking), Mib(line.saving));
            let (name, source) = (line.name, &line.source);
            writeln!(f, "{name:<16}{unpacking:>12}{saving:>12}  {source}")?;
        }
        let (unpacking, saving) = (Mib(self.unpacking), Mib(self.saving));
        writeln!(f, "{:<16}{unpacking:>12}{saving:>12}", "together")?;
        if let Some(measured) = &self.measured {
            write!(f, "{measured}")?;
        }
        writeln!(f, "use crashkernel={}M", self.crashkernel >> 20)
    }
}
