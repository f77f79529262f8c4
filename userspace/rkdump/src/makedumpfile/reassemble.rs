// SPDX-License-Identifier: GPL-2.0

//! `makedumpfile --reassemble`: the files of `--split` become one.

use std::{
    fs::metadata,
    os::unix::fs::MetadataExt,
    path::{
        Path,
        PathBuf, //
    }, //
};

use dumpfile::{
    kdump::{
        reader::KdumpFile,
        reassemble::{
            Parts,
            ReassembleError, //
        }, //
    },
    source::DumpFile, //
};

use crate::{
    failure::Failure,
    target::file::FileTarget, //
};

/// Writes one file with what the parts have, which may be given in any order.
pub fn reassemble(parts: &[PathBuf], target: &Path, force: bool) -> Result<(), Failure> {
    let mut files = Vec::with_capacity(parts.len());
    for path in parts {
        let name = path.display();
        if is_same(path, target) {
            return Err(Failure::new(format!(
                "{name} is a part of the dump, which is read while the whole is written: name another file"
            )));
        }
        let source = DumpFile::open(path)
            .map_err(|error| Failure::from_io(format_args!("cannot open {name}"), &error))?;
        let file = KdumpFile::open(source);
        files.push(file.map_err(|error| Failure::new(format!("{name}: {error}")))?);
    }
    let failed = |error: ReassembleError| match (error.part(), &error) {
        (Some(part), _) => Failure::new(format!("{}: {error}", parts[part].display())),
        (None, ReassembleError::Write(error)) => {
            Failure::from_io(format_args!("cannot write {}", target.display()), error)
        }
        (None, error) => Failure::new(error.to_string()),
    };
    let whole = Parts::new(&files).map_err(failed)?;
    let file = FileTarget::create(target, force, None)?;
    whole
        .write(&file)
        .map_err(|error| failed(error).leaves_a_part())
}

/// Whether both paths are of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    let identity = |path| metadata(path).map(|found| (found.dev(), found.ino()));
    matches!((identity(one), identity(other)), (Ok(one), Ok(other)) if one == other)
}
