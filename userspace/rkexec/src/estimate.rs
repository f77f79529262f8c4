// SPDX-License-Identifier: GPL-2.0

//! `rkexec estimate`: how much memory a capture kernel needs, with its initrd and its command line.
//! With `--measure` guests say so.

mod measure;
mod report;

use std::{
    ffi::OsStr,
    fs, //
};

use kexec_core::{
    estimate::{
        estimate as estimated,
        BootOptions,
        Capture,
        Estimate, //
    },
    image::unpack::{
        Decompressed,
        Inner,
        Unpack, //
    },
    uapi::Decompression, //
};

use crate::{
    arguments::EstimateRequest,
    failure::Failure,
    initrd,
    inspect::{
        read,
        unpack::{
            inner,
            unpack, //
        },
        Kernel,
        Refusal,
        REGION, //
    },
    output, //
};
use measure::{
    measure,
    Guest, //
};
use report::Report;

/// The page length of a kernel that does not say.
const PAGE_LEN: u64 = 4096;

/// A parameter's name, as a kernel that knows it has it among its own.
const INITRAMFS_OPTIONS: &[u8] = b"initramfs_options=";

/// A capture kernel, as far as an estimate depends on it.
pub struct Estimated {
    /// What it was estimated for.
    pub capture: Capture,
    /// What it needs.
    pub estimate: Estimate,
    decompression: Decompression,
}

/// Shows how much memory a capture kernel needs.
pub fn estimate(request: &EstimateRequest) -> Result<(), Failure> {
    let file = read("kernel", &request.kernel)?;
    let given = match &request.boot.initrd {
        Some(path) => Some((path.display().to_string(), read("initrd", path)?)),
        None => None,
    };
    let cpus = match request.cpus {
        Some(cpus) => cpus,
        None => possible_cpus()?,
    };

    let memory = Decompressed::default();
    let mut unpacked = Unpack::new(&file);
    unpack(&mut unpacked, &memory).map_err(Refusal::from)?;
    let initrd = match (&given, unpacked.initrd()) {
        (Some((name, bytes)), _) => initrd::measure(name, bytes)?,
        (None, Some(bytes)) => initrd::measure("in the kernel's file", bytes)?,
        (None, None) => initrd::Measured::default(),
    };
    let command_line = request.boot.command_line.as_deref();
    let command_line = command_line.map(OsStr::as_encoded_bytes);
    let inner = inner(&unpacked, &memory).map_err(Refusal::from)?;
    let estimated = of(
        &unpacked,
        inner,
        &initrd,
        command_line,
        cpus,
        request.dump_tool,
    )?;
    let report = Report::new(
        &estimated.capture,
        &estimated.estimate,
        estimated.decompression,
        &initrd.compressions,
    );
    if !request.measure.measure {
        return output::print(&report, request.json);
    }
    let given = given.as_ref().map(|(_, bytes)| bytes.as_slice());
    let Some(packed) = given.or(unpacked.initrd()) else {
        return Err(Failure::new(
            "there is no initrd to boot the kernel with: give it with --initrd",
        ));
    };
    let guest = Guest {
        kernel: unpacked.bytes(),
        headers: &Kernel::parse(unpacked.bytes())?,
        initrd: packed,
        files: &initrd,
        command_line: command_line.or(unpacked.command_line()).unwrap_or_default(),
        cpus,
    };
    let Estimated {
        capture, estimate, ..
    } = &estimated;
    // The kernel and the initrd's files alone are this long.
    let floor = capture.kernel_len + capture.initrd.files_len;
    let measured = measure(&guest, request, estimate.crashkernel(), floor)?;
    output::print(&report.with(measured), request.json)
}

/// Estimates what an unpacked kernel needs on a machine with so many CPUs, with programs that allocate so
/// many bytes. Without a command line it is the one that comes with the kernel.
pub fn of<'a>(
    unpacked: &Unpack<'a>,
    inner: Inner<'a>,
    initrd: &initrd::Measured,
    command_line: Option<&[u8]>,
    cpus: u64,
    tool_len: u64,
) -> Result<Estimated, Failure> {
    let kernel = Kernel::parse(unpacked.bytes())?;
    let command_line = command_line.or(unpacked.command_line()).unwrap_or_default();
    let (kernel, decompression) = kernel.or_inner(inner, command_line, REGION);
    let page_len = kernel.needs().page_size.unwrap_or(PAGE_LEN);
    let mut options = BootOptions::read(command_line, cpus);
    let decompressed = match inner {
        Inner::Decompressed(bytes) => bytes,
        Inner::None | Inner::Compressed(_) => unpacked.bytes(),
    };
    if !contains(decompressed, INITRAMFS_OPTIONS) {
        options = options.without_initramfs_options();
    }
    let capture = Capture {
        architecture: kernel.machine(),
        page_len,
        kernel_len: kernel.needs().memory_len,
        initrd: initrd.lens(page_len),
        options,
        tool_len,
    };
    let estimate = estimated(&capture).map_err(Refusal::from)?;
    Ok(Estimated {
        capture,
        estimate,
        decompression,
    })
}

/// Whether a kernel has these bytes in it.
pub fn contains(kernel: &[u8], bytes: &[u8]) -> bool {
    let Some(first) = bytes.first() else {
        return true;
    };
    let mut rest = kernel;
    while let Some(at) = rest.iter().position(|byte| byte == first) {
        if rest[at..].starts_with(bytes) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

/// The CPUs that this machine could have.
pub fn possible_cpus() -> Result<u64, Failure> {
    const FILE: &str = "/sys/devices/system/cpu/possible";
    let text = fs::read_to_string(FILE)
        .map_err(|error| Failure::from_io(format_args!("cannot read {FILE}"), &error))?;
    // Ranges, such as 0-3 or 0,2-3.
    let last = text.trim().rsplit(['-', ',']).next();
    let last = last.and_then(|last| last.parse::<u64>().ok());
    last.map(|last| last.saturating_add(1)).ok_or_else(|| {
        Failure::new(format!(
            "{FILE} has no number of CPUs: give the number with --cpus"
        ))
    })
}
