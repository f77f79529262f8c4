// SPDX-License-Identifier: GPL-2.0

//! What is to be saved, how, and where.

use std::path::{
    Path,
    PathBuf, //
};

use dumpfile::codec::Codec;

use super::plan::LeftOut;
use crate::arguments::{
    self,
    Format,
    Progress,
    SaveRequest, //
};

/// A dump that is to be saved.
#[derive(Clone, Debug)]
pub struct Job {
    /// What is read.
    pub vmcore: PathBuf,
    /// Where it goes; several files have a part of the memory each.
    pub targets: Vec<PathBuf>,
    /// What is left out.
    pub left_out: LeftOut,
    /// How pages are compressed, and how hard.
    pub codec: Codec,
    pub level: Option<i32>,
    /// The format.
    pub format: Format,
    /// Whether it is written from front to back.
    pub flattened: bool,
    /// The number of threads, if it is given.
    pub threads: Option<usize>,
    /// Whether what is there is replaced.
    pub force: bool,
    /// The most that is written.
    pub size_limit: Option<u64>,
    /// Whether nothing is written.
    pub dry_run: bool,
    /// Whether the dump is read by read(2) only.
    pub without_mapping: bool,
    /// How progress is shown.
    pub progress: Progress,
    /// Where checksums go.
    pub manifest: Manifest,
}

/// Where checksums go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manifest {
    /// There are none.
    None,
    /// Beside each file; there are none of what is no file.
    Beside,
    /// To this file.
    File(PathBuf),
}

impl Job {
    /// Whether the dump goes to standard output.
    pub fn is_to_stdout(&self) -> bool {
        !self.dry_run && self.targets == [Path::new("-")]
    }
}

impl From<arguments::Codec> for Codec {
    fn from(codec: arguments::Codec) -> Self {
        match codec {
            arguments::Codec::Zstd => Self::Zstd,
            arguments::Codec::Zlib => Self::Zlib,
            arguments::Codec::Lzo => Self::Lzo,
            arguments::Codec::Snappy => Self::Snappy,
            arguments::Codec::None => Self::Raw,
        }
    }
}

impl From<&SaveRequest> for Job {
    fn from(request: &SaveRequest) -> Self {
        Self {
            vmcore: request.vmcore.clone(),
            targets: match request.split {
                Some(count) => (1..=count.get())
                    .map(|number| {
                        let mut name = request.target.clone().into_os_string();
                        name.push(format!("-{number}"));
                        name.into()
                    })
                    .collect(),
                None => vec![request.target.clone()],
            },
            left_out: LeftOut {
                dump_level: request.dump_level,
                unused_vmemmap: request.exclude_unused_vmemmap,
            },
            codec: request.compress.into(),
            level: request.level,
            format: request.format,
            flattened: request.flattened,
            threads: request.threads.map(|threads| threads.get()),
            force: request.force,
            size_limit: None,
            dry_run: request.dry_run,
            without_mapping: false,
            progress: request.progress,
            manifest: match &request.manifest {
                _ if request.no_manifest => Manifest::None,
                Some(path) => Manifest::File(path.clone()),
                None => Manifest::Beside,
            },
        }
    }
}
