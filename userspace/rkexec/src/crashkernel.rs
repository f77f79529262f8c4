// SPDX-License-Identifier: GPL-2.0

//! `rkexec crashkernel`: what `crashkernel=` asks for, and where a kernel would reserve it.

mod memory;

use std::{
    fmt,
    fs,
    path::Path, //
};

use kexec_core::{
    crashkernel::{
        request,
        reserve,
        Request,
        Reserved,
        Rules, //
    },
    types::{
        elf::Architecture,
        ranges::Range, //
    }, //
};
use nix::sys::utsname::uname;
use serde::Serialize;

use crate::{
    arguments::CrashkernelRequest,
    failure::Failure,
    output::{
        self,
        Address, //
    }, //
};
use memory::Memory;

/// What a kernel makes of a command line, for people and as JSON.
#[derive(Debug, Serialize)]
pub struct Report {
    asked: Option<Asked>,
    reserved: Option<Regions>,
    /// Why nothing is asked for or reserved.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct Asked {
    len: u64,
    at: Option<Address>,
    high: bool,
    low_len: Option<u64>,
    cma_len: u64,
}

#[derive(Debug, Serialize)]
struct Regions {
    region: Region,
    low_region: Option<Region>,
}

#[derive(Debug, Serialize)]
struct Region {
    start: Address,
    len: u64,
}

/// Shows what a kernel makes of a command line. The exit status is 0 if it reserves memory.
pub fn crashkernel(wanted: &CrashkernelRequest) -> Result<u8, Failure> {
    let line = match &wanted.line {
        Some(line) => line.as_encoded_bytes().to_vec(),
        None => running_line()?,
    };
    let memory = match wanted.memory {
        Some(bytes) => Memory::of_size(bytes),
        None => Memory::of_iomem(&read(&wanted.iomem)?)?,
    };
    let rules = rules(wanted.linux.as_deref(), wanted.arch.map(Architecture::from))?;
    let report = Report::new(&line, &memory, &rules);
    output::print(&report, wanted.json)?;
    Ok(report.reason.is_some().into())
}

/// Why the running kernel has reserved nothing, if its command line asks for memory.
pub fn reason_for_none() -> Option<String> {
    let line = running_line().ok()?;
    let memory = Memory::of_iomem(&fs::read("/proc/iomem").ok()?).ok()?;
    let report = Report::new(&line, &memory, &rules(None, None).ok()?);
    let has = |name: &[u8]| line.windows(name.len()).any(|part| part == name);
    has(b"crashkernel=").then(|| {
        report.reason.unwrap_or_else(|| {
            "the kernel found no place for it when it booted, and said so in its log: look there with \
             dmesg, and ask for less"
                .into()
        })
    })
}

/// The running kernel's command line.
fn running_line() -> Result<Vec<u8>, Failure> {
    let mut line = read(Path::new("/proc/cmdline"))?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(line)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::from_io(format!("cannot read {}", path.display()), &error);
    fs::read(path).map_err(failed)
}

/// The rules of a version of Linux on an architecture; those of the running one, if none are given.
fn rules(version: Option<&str>, architecture: Option<Architecture>) -> Result<Rules, Failure> {
    let name = uname().map_err(|errno| Failure::with_errno("uname failed", errno))?;
    let running = name.release().to_string_lossy();
    let is_running = version.is_none();
    let version = version.unwrap_or(&running);
    let mut numbers = version
        .split(|character: char| !character.is_ascii_digit())
        .map(str::parse);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        return Err(Failure::new(format!(
            "{version} is no version of Linux: give one such as 6.12"
        )));
    };
    let architecture = architecture.unwrap_or(match name.machine().to_str() {
        Some("aarch64") => Architecture::Arm64,
        _ => Architecture::X86_64,
    });
    let mut rules = Rules::of(architecture, major, minor);
    if is_running && architecture == Architecture::Arm64 && !has_low_zone() {
        rules.low_max = rules.high_max;
    }
    Ok(rules)
}

/// Whether the running kernel has a zone of low memory.
fn has_low_zone() -> bool {
    let zones = fs::read_to_string("/proc/zoneinfo").unwrap_or_default();
    zones.contains("zone      DMA") || zones.contains("zone    DMA32")
}

impl Report {
    fn new(line: &[u8], memory: &Memory, rules: &Rules) -> Self {
        let mut report = Self {
            asked: None,
            reserved: None,
            reason: None,
        };
        let asked = match request(line, memory.total, rules) {
            Ok(Some(asked)) => asked,
            Ok(None) => {
                report.reason = Some("the command line has no crashkernel=".into());
                return report;
            }
            Err(error) => {
                report.reason = Some(error.to_string());
                return report;
            }
        };
        report.asked = Some(Asked::from(asked));
        match memory
            .free
            .as_deref()
            .map(|free| reserve(&asked, free, rules))
        {
            Some(Ok(reserved)) => report.reserved = Some(reserved.into()),
            Some(Err(error)) => report.reason = Some(error.to_string()),
            None => {}
        }
        report
    }
}

impl From<Request> for Asked {
    fn from(request: Request) -> Self {
        Self {
            len: request.len,
            at: request.at.map(Address),
            high: request.high,
            low_len: request.low_len,
            cma_len: request.cma_len,
        }
    }
}

impl From<Reserved> for Regions {
    fn from(reserved: Reserved) -> Self {
        Self {
            region: reserved.region.into(),
            low_region: reserved.low.map(Region::from),
        }
    }
}

impl From<Range> for Region {
    fn from(range: Range) -> Self {
        Self {
            start: Address(range.start()),
            len: range.len(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(asked) = &self.asked {
            writeln!(f, "asked       {asked}")?;
        }
        if let Some(regions) = &self.reserved {
            writeln!(f, "region      {}", regions.region)?;
            if let Some(low) = &regions.low_region {
                writeln!(f, "low region  {low}")?;
            }
        }
        if let Some(reason) = &self.reason {
            writeln!(f, "nothing is reserved: {reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", output::Size(self.len))?;
        if let Some(at) = self.at {
            write!(f, " at {at}")?;
        }
        if self.high {
            f.write_str(", above 4 GiB if there is room")?;
        }
        if let Some(len) = self.low_len {
            write!(f, ", and then {} below", output::Size(len))?;
        }
        if self.cma_len > 0 {
            let size = output::Size(self.cma_len);
            write!(f, ", and {size} that the running kernel goes on to use")?;
        }
        Ok(())
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = Address(self.start.0.saturating_add(self.len));
        write!(f, "{}-{end} ({})", self.start, output::Size(self.len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden;

    const IOMEM: &[u8] = include_bytes!("../tests/input/iomem-6-gib.txt");

    fn report(line: &str) -> Report {
        let memory = Memory::of_iomem(IOMEM).expect("it has RAM");
        Report::new(
            line.as_bytes(),
            &memory,
            &Rules::of(Architecture::X86_64, 6, 12),
        )
    }

    #[test]
    fn what_is_asked_for_and_reserved_is_shown() {
        let lines = [
            "quiet crashkernel=256M",
            "crashkernel=512M,high crashkernel=128M,low",
            "crashkernel=1G-4G:128M,4G-:192M",
            "crashkernel=64M@0x10000000",
            "crashkernel=5G",
            "crashkernel=256M crashkernel=64M,cma",
            "crashkernel=256MB",
            "quiet",
        ];
        let text: String = lines
            .iter()
            .map(|line| format!("$ {line}\n{}", report(line)))
            .collect();
        golden::assert_output("crashkernel.txt", &text);
        let json = serde_json::to_string_pretty(&report(lines[1])).expect("it is text");
        golden::assert_output("crashkernel.json", &json);
    }

    #[test]
    fn without_addresses_only_the_request_is_shown() {
        let rules = Rules::of(Architecture::Arm64, 7, 3);
        let report = Report::new(b"crashkernel=256M", &Memory::of_size(1 << 30), &rules);
        assert!(report.reserved.is_none() && report.reason.is_none());
        assert_eq!(report.to_string(), "asked       256 MiB\n");
    }

    #[test]
    fn versions_are_numbers() {
        assert!(rules(Some("6.12.117-amd64"), None).is_ok_and(|rules| !rules.knows_cma));
        assert!(rules(Some("7.3"), None).is_ok_and(|rules| rules.knows_cma));
        assert!(rules(Some("six"), None).is_err());
        assert!(rules(None, Some(Architecture::Arm64)).is_ok());
    }
}
