// SPDX-License-Identifier: GPL-2.0

//! Inspection of kernel images: the format, the needs and the refusal, found by the module's own code.

mod kernel;
mod report;
mod signature;
pub mod unpack;

use std::{
    ffi::OsStr,
    fs,
    path::Path, //
};

use kexec_core::{
    handover::command_line::capture_command_line,
    image::{
        format::Format,
        unpack::{
            Decompressed,
            Unpack, //
        }, //
    },
    plan::{
        Placement,
        Placer, //
    },
    signature::pe::{
        PeImage,
        DOS_MAGIC, //
    },
    types::ranges::{
        Range,
        PAGE_SIZE, //
    },
    uapi::SegmentKind, //
};

use crate::{
    arguments::InspectRequest,
    failure::Failure,
    output, //
};
pub use kernel::Kernel;
pub use report::Refusal;
use report::{
    Report,
    Reports,
    Signature, //
};
use unpack::{
    inner,
    unpack, //
};

/// The assumed crash region. It is large and below 4 GiB, so that no kernel is refused for its place.
pub const REGION: Range = match Range::new(1 << 30, 3 << 30) {
    Some(region) => region,
    None => Range::ALL,
};

/// Inspects the files, and returns the exit status: 1 when one is refused, 255 when one cannot be
/// read.
pub fn inspect(request: &InspectRequest) -> Result<u8, Failure> {
    let initrd = request
        .boot
        .initrd
        .as_deref()
        .map(|path| read("initrd", path));
    let initrd = initrd.transpose()?;
    let mut reports = Vec::new();
    for path in &request.files {
        reports.push(match read("kernel", path) {
            Ok(file) => report(path, &file, initrd.as_deref(), request),
            Err(failure) => Report::unreadable(path, &failure),
        });
    }
    let status = reports.iter().map(Report::exit_status).max();
    output::print(&Reports(reports), request.json)?;
    Ok(status.unwrap_or_default())
}

/// Reads a file whole.
pub fn read(what: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        Failure::from_io(
            format_args!("cannot read the {what} {}", path.display()),
            &error,
        )
    })
}

/// The report of one file. A refused file's report ends where the refusal was found.
fn report(path: &Path, file: &[u8], initrd: Option<&[u8]>, request: &InspectRequest) -> Report {
    let mut report = Report::new(path);
    if let Err(refusal) = fill(&mut report, file, initrd, request) {
        report.refusal = Some(refusal);
    }
    report
}

fn fill(
    report: &mut Report,
    file: &[u8],
    initrd: Option<&[u8]>,
    request: &InspectRequest,
) -> Result<(), Refusal> {
    let memory = Decompressed::default();
    let mut unpacked = Unpack::new(file);
    let result = unpack(&mut unpacked, &memory);
    report.formats = unpacked.formats().map(Format::name).collect();
    result?;

    let kernel = Kernel::parse(unpacked.bytes())?;
    report.architecture = Some(kernel.architecture());
    report.version = kernel.version(unpacked.bytes());
    report.needs = Some(kernel.needs());

    if let Some(found) = signature(&unpacked)? {
        report.signature = Some(found.signature);
        found.checked?;
    }

    let inner = inner(&unpacked, &memory)?;
    let given = request.boot.command_line.as_deref();
    let command_line = given.map(OsStr::as_encoded_bytes);
    let command_line = command_line.or(unpacked.command_line()).unwrap_or_default();
    let (kernel, decompression) = kernel.or_inner(inner, command_line, REGION);
    report.decompression = Some(decompression.into());
    place(&kernel, REGION, initrd.or(unpacked.initrd()), command_line)
}

/// A signature that was found in a file.
pub struct Signed {
    signature: Signature,
    /// Whether the file is the one that was signed.
    pub checked: Result<(), Refusal>,
}

/// The signature in a file.
pub fn signature(unpacked: &Unpack<'_>) -> Result<Option<Signed>, Refusal> {
    let signed = unpacked.whole();
    if !signed.starts_with(&DOS_MAGIC) {
        return Ok(None);
    }
    let image = PeImage::parse(signed)?;
    let Some(message) = image.signature() else {
        return Ok(None);
    };
    let message = signature::read(message)?;
    let checked = signature::check(&image, &message.content);
    Ok(Some(Signed {
        signature: message.summary(checked.is_ok()),
        checked,
    }))
}

/// Plans the segments as a load does, with the command line that results from it.
pub fn place(
    kernel: &Kernel<'_>,
    region: Range,
    initrd: Option<&[u8]>,
    command_line: &[u8],
) -> Result<(), Refusal> {
    let mut placer = Placer::new(region)?;
    let memory = kernel.place(&mut placer, region)?;
    let elfcorehdr = placer.place(
        SegmentKind::Elfcorehdr,
        PAGE_SIZE,
        PAGE_SIZE,
        PAGE_SIZE,
        Placement::Lowest,
        Range::ALL,
    )?;
    let limit = kernel.command_line_max();
    let mut out = vec![0; limit as usize + 1];
    // As on a machine with ACPI, where the command line gets one more parameter.
    let elfcorehdr = elfcorehdr.memory.start();
    capture_command_line(&mut out, command_line, elfcorehdr, true, limit)?;
    if let Some(initrd) = initrd {
        let limit = kernel.initrd_limit(memory);
        placer.place_initrd(initrd.len() as u64, Placement::Lowest, limit)?;
    }
    Ok(())
}
