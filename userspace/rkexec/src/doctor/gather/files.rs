// SPDX-License-Identifier: GPL-2.0

//! The capture kernel and its initrd: the files that are named, or those in the usual places. Where an
//! image is armed they are recognised by its digests.

use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    }, //
};

use kexec_core::{
    image::unpack::Decompressed,
    types::digest::{
        xxh64,
        Algorithm, //
    },
    uapi::{
        SegmentKind,
        SegmentRecord,
        Status, //
    }, //
};
use sha2::{
    Digest,
    Sha256, //
};

use super::{
    initrd,
    kernel::{
        self,
        Opened, //
    }, //
};
use crate::{
    arguments::DoctorRequest,
    doctor::facts::{
        Initrd,
        Kernel,
        Which, //
    },
    estimate::possible_cpus,
    failure::Failure,
    initrd::{
        measure,
        Measured, //
    },
    inspect::read, //
};

/// The command line that a capture kernel is taken to have, for the memory that it needs.
const USUAL_COMMAND_LINE: &[u8] = b"nr_cpus=1";

/// The facts about the files.
pub struct Files {
    pub kernel: Which<Kernel>,
    pub initrd: Which<Initrd>,
    pub needed: Option<Result<u64, String>>,
}

/// The facts about the files of a running kernel of this release. `armed` is the status of an armed image
/// that they should be those of.
pub fn gather(
    release: &str,
    armed: Option<&Status>,
    request: &DoctorRequest,
    command_line: Option<&[u8]>,
) -> Result<Files, Failure> {
    let record = |kind| armed.and_then(|status| record(status, kind));
    let (initrd, measured) = match (armed, record(SegmentKind::Initrd)) {
        (Some(_), None) => (Which::None, Some(Measured::default())),
        (_, armed) => {
            let places = candidates(request.files.initrd.as_deref(), initrd_places(release))?;
            initrd(&places, armed, command_line)?
        }
    };
    let places = candidates(request.kernel.as_deref(), kernel_places(release))?;
    let mut others = Vec::new();
    for path in existing(&places) {
        let file = read("kernel", path)?;
        let memory = Decompressed::default();
        let opened = Opened::open(&file, &memory);
        let is_armed = match (&opened, record(SegmentKind::Kernel)) {
            (_, None) => true,
            (Ok(opened), Some(record)) => opened.is(command_line, |bytes| matches(bytes, record)),
            (Err(_), Some(_)) => false,
        };
        if !is_armed {
            others.push(path.display().to_string());
            continue;
        }
        let needed = match (&opened, &measured) {
            (Ok(opened), Some(measured)) => {
                let line = command_line.unwrap_or(USUAL_COMMAND_LINE);
                Some(opened.needed(measured, line, possible_cpus()?, request.dump_tool))
            }
            _ => None,
        };
        return Ok(Files {
            kernel: Which::Known(kernel::facts(path, opened, command_line)),
            initrd,
            needed,
        });
    }
    let kernel = match others.is_empty() {
        false => Which::Others(others),
        true => Which::Missing(shown(&places)),
    };
    Ok(Files {
        kernel,
        initrd,
        needed: None,
    })
}

/// The initrd, and what it measures if it is known.
fn initrd(
    places: &[PathBuf],
    armed: Option<&SegmentRecord>,
    command_line: Option<&[u8]>,
) -> Result<(Which<Initrd>, Option<Measured>), Failure> {
    let is_armed = |path: &&PathBuf| armed.is_none_or(|record| is_initrd(path, record));
    let Some(path) = existing(places).find(is_armed) else {
        let others: Vec<String> = shown(existing(places));
        return Ok(match others.is_empty() {
            false => (Which::Others(others), None),
            true => (Which::Missing(shown(places)), None),
        });
    };
    let name = path.display().to_string();
    let measured = measure(&name, &read("initrd", path)?);
    let contents = match &measured {
        Ok(measured) => Ok(initrd::contents(measured, command_line)),
        Err(failure) => Err(failure.sentence().into()),
    };
    let path = name;
    Ok((Which::Known(Initrd { path, contents }), measured.ok()))
}

/// The file that is named, which has to be there, or the usual places.
fn candidates(named: Option<&Path>, places: Vec<String>) -> Result<Vec<PathBuf>, Failure> {
    match named {
        None => Ok(places.into_iter().map(PathBuf::from).collect()),
        Some(path) => {
            let failed =
                |error| Failure::from_io(format!("cannot read {}", path.display()), &error);
            fs::metadata(path).map_err(failed)?;
            Ok(vec![path.into()])
        }
    }
}

/// Where distributions have the kernel that kdump loads.
fn kernel_places(release: &str) -> Vec<String> {
    vec![
        "/var/lib/kdump/vmlinuz".into(),
        format!("/boot/vmlinuz-{release}"),
        format!("/boot/Image-{release}"),
        format!("/lib/modules/{release}/vmlinuz"),
        "/boot/vmlinuz".into(),
    ]
}

/// Where distributions have its initrd. One that is made for kdump comes before one that is for any boot.
fn initrd_places(release: &str) -> Vec<String> {
    vec![
        "/var/lib/kdump/initrd.img".into(),
        format!("/var/lib/kdump/initramfs-{release}kdump.img"),
        "/var/lib/kdump/initrd".into(),
        format!("/boot/initramfs-{release}kdump.img"),
        format!("/boot/initrd-{release}-kdump"),
        format!("/boot/initrd.img-{release}"),
        format!("/boot/initramfs-{release}.img"),
        format!("/boot/initrd-{release}"),
        "/boot/initrd.img".into(),
        "/boot/initrd".into(),
    ]
}

fn existing(paths: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    paths.iter().filter(|path| path.is_file())
}

fn shown<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> Vec<String> {
    let shown = |path: &PathBuf| path.display().to_string();
    paths.into_iter().map(shown).collect()
}

fn record(status: &Status, kind: SegmentKind) -> Option<&SegmentRecord> {
    let count = usize::try_from(status.segment_count).unwrap_or_default();
    let mut records = status.segments.iter().take(count);
    records.find(|record| record.kind == kind as u32)
}

/// Whether a file is the armed initrd. Only one of its length is read.
fn is_initrd(path: &Path, record: &SegmentRecord) -> bool {
    let len = fs::metadata(path).map(|metadata| metadata.len());
    let same_len = len.is_ok_and(|len| len == record.file_len);
    same_len && fs::read(path).is_ok_and(|bytes| matches(&bytes, record))
}

/// Whether a segment has these bytes.
fn matches(bytes: &[u8], record: &SegmentRecord) -> bool {
    let digest = match Algorithm::from_number(record.algorithm) {
        Some(Algorithm::Xxh64) => xxh64(&[], bytes),
        Some(Algorithm::Sha256) => Sha256::digest(bytes).into(),
        None => return false,
    };
    bytes.len() as u64 == record.file_len && digest == record.digest
}
