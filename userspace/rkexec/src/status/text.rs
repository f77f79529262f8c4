// SPDX-License-Identifier: GPL-2.0

//! The status as text for people.

use std::fmt;

use kexec_core::uapi::{
    RebootPlace,
    RegionSource,
    Replacement, //
};

use super::{
    Digest,
    Memory,
    Region,
    Report,
    Segment,
    When, //
};
use crate::output::{
    Address,
    Size, //
};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "role        {}", self.role)?;
        writeln!(f, "armed       {}", if self.armed { "yes" } else { "no" })?;
        write!(f, "{}", self.memory())?;
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
        if let Some(hooks) = &self.hooks {
            writeln!(f, "hooks       {}", hooks.lost.unwrap_or(&hooks.by))?;
        }
        if let Some(image) = &self.for_reboot {
            writeln!(f, "for a reboot: {}, entry {}", image.memory, image.entry)?;
            if let Some(place) = &image.place {
                writeln!(f, "image       {}", reboot_place(place))?;
            }
            if let Some(decompression) = &image.decompression {
                writeln!(f, "decompress  {decompression}")?;
            }
            if let Some(signature) = &image.signature {
                writeln!(f, "signature   {signature}")?;
            }
        }
        Ok(())
    }
}

impl Report {
    /// The lines about the memory for images.
    pub fn memory(&self) -> String {
        let mut lines = match &self.region {
            Some(region) => format!("region      {region}{}\n", source(self.source.as_deref())),
            None => "region      none\n".into(),
        };
        if let Some(region) = &self.low_region {
            lines += &format!("low region  {region}\n");
        }
        for region in &self.more_regions {
            lines += &format!("and         {region}, for the capture kernel to use\n");
        }
        for region in &self.shared_regions {
            lines += &format!(
                "shared      {region}, which the running kernel uses and no dump has; a crash waits {} s \
                 for devices that write to it\n",
                self.shared_wait_ms.unwrap_or_default() / 1000
            );
        }
        lines += &self.use_of_region();
        lines
    }

    /// The line about what is in the region.
    fn use_of_region(&self) -> String {
        let protection = match self.write_protected {
            Some(true) => ", write-protected",
            Some(false) => ", which is not write-protected: the log says why",
            None => "",
        };
        match (self.used, self.free, &self.holder) {
            (Some(used), Some(free), _) => {
                let (used, free) = (Size(used), Size(free));
                format!("used        {used} by the armed image{protection}; {free} free\n")
            }
            (_, _, Some(holder)) => format!("used        by {holder}\n"),
            _ => String::new(),
        }
    }
}

/// Where the region comes from, if it is not reserved at boot.
fn source(source: Option<&str>) -> &str {
    match source {
        Some(source) if source == RegionSource::RunTime.name() => ", taken at run time",
        Some(source) if source == RegionSource::Named.name() => ", named by region=",
        _ => "",
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

/// What it means where an image is that a reboot enters.
fn reboot_place(place: &str) -> &str {
    if place == RebootPlace::InPlace.name() {
        "in its place: the reboot copies nothing"
    } else if place == RebootPlace::Copied.name() {
        "scattered, for want of memory in one piece: the reboot copies it to its place"
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
