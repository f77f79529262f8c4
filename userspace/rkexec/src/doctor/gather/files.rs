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
    inspect::{
        read,
        Refusal, //
    }, //
};

/// The command line that a capture kernel is taken to have, for the memory that it needs.
const USUAL_COMMAND_LINE: &[u8] = b"nr_cpus=1";

/// The facts about the files.
pub struct Files {
    pub kernel: Which<Kernel>,
    pub initrd: Which<Initrd>,
    pub needed: Option<Result<u64, String>>,
}

/// An initrd, and what it measures if that is known.
type Found = (Which<Initrd>, Option<Measured>);

/// What is looked for.
pub struct Wanted<'a> {
    /// The release of the running kernel.
    pub release: &'a str,
    /// The status of an armed image that the files should be those of.
    pub armed: Option<&'a Status>,
    /// The files that are named.
    pub request: &'a DoctorRequest,
    /// The capture kernel's command line, if it is known.
    pub command_line: Option<&'a [u8]>,
}

impl Wanted<'_> {
    /// The facts about the files.
    pub fn gather(&self) -> Result<Files, Failure> {
        let mut initrd = self.initrd()?;
        let places = kernel_places(self.release);
        let places = candidates(self.request.kernel.as_deref(), places)?;
        let mut others = Vec::new();
        for path in existing(&places) {
            let file = read("kernel", path)?;
            let memory = Decompressed::default();
            let opened = Opened::open(&file, &memory);
            if !self.is_armed(&opened) {
                others.push(path.display().to_string());
                continue;
            }
            let mut needed = None;
            if let Ok(opened) = &opened {
                let own = opened.initrd().filter(|bytes| self.takes(bytes));
                if let Some(bytes) = own {
                    initrd = self.contents(&format!("in {}", path.display()), bytes);
                }
                needed = self.needed(opened, initrd.1.as_ref())?;
            }
            return Ok(Files {
                kernel: Which::Known(kernel::facts(path, opened, self.command_line)),
                initrd: initrd.0,
                needed,
            });
        }
        Ok(Files {
            kernel: match others.is_empty() {
                false => Which::Others(others),
                true => Which::Missing(shown(&places)),
            },
            initrd: initrd.0,
            needed: None,
        })
    }

    /// The armed image's segment of a kind.
    fn record(&self, kind: SegmentKind) -> Option<&SegmentRecord> {
        let status = self.armed?;
        let count = usize::try_from(status.segment_count).unwrap_or_default();
        let mut records = status.segments.iter().take(count);
        records.find(|record| record.kind == kind as u32)
    }

    /// Whether a kernel is the armed one, if one is armed.
    fn is_armed(&self, opened: &Result<Opened<'_>, Refusal>) -> bool {
        let Some(record) = self.record(SegmentKind::Kernel) else {
            return true;
        };
        let is_that =
            |opened: &Opened<'_>| opened.is(self.command_line, |bytes| matches(bytes, record));
        opened.as_ref().is_ok_and(is_that)
    }

    /// Whether the initrd in a unified kernel image is the one that counts.
    fn takes(&self, initrd: &[u8]) -> bool {
        match (self.armed, self.record(SegmentKind::Initrd)) {
            (None, _) => self.request.files.initrd.is_none(),
            (Some(_), record) => record.is_some_and(|record| matches(initrd, record)),
        }
    }

    fn needed(
        &self,
        kernel: &Opened<'_>,
        initrd: Option<&Measured>,
    ) -> Result<Option<Result<u64, String>>, Failure> {
        let Some(initrd) = initrd else {
            return Ok(None);
        };
        let line = self.command_line.unwrap_or(USUAL_COMMAND_LINE);
        let tool_len = self.request.dump_tool;
        Ok(Some(kernel.needed(
            initrd,
            line,
            possible_cpus()?,
            tool_len,
        )))
    }

    /// The initrd in a file of its own.
    fn initrd(&self) -> Result<Found, Failure> {
        let record = self.record(SegmentKind::Initrd);
        if self.armed.is_some() && record.is_none() {
            return Ok((Which::None, Some(Measured::default())));
        }
        let places = initrd_places(self.release);
        let places = candidates(self.request.files.initrd.as_deref(), places)?;
        let is_armed = |path: &&PathBuf| record.is_none_or(|record| is_initrd(path, record));
        if let Some(path) = existing(&places).find(is_armed) {
            let name = path.display().to_string();
            return Ok(self.contents(&name, &read("initrd", path)?));
        }
        let others: Vec<String> = shown(existing(&places));
        Ok(match others.is_empty() {
            false => (Which::Others(others), None),
            true => (Which::Missing(shown(&places)), None),
        })
    }

    fn contents(&self, name: &str, bytes: &[u8]) -> Found {
        let measured = measure(name, bytes);
        let contents = match &measured {
            Ok(measured) => Ok(initrd::contents(measured, self.command_line)),
            Err(failure) => Err(failure.sentence().into()),
        };
        let path = name.into();
        (Which::Known(Initrd { path, contents }), measured.ok())
    }
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
