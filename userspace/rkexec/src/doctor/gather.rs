// SPDX-License-Identifier: GPL-2.0

//! The facts, from /proc, /sys, the module and files. Nothing is judged here.

mod files;
mod initrd;
mod kernel;
mod log;
mod machine;
mod target;

use std::{
    ffi::OsStr,
    fs,
    path::Path, //
};

use self::files::Wanted;
use super::{
    facts::Facts,
    options::Options, //
};
use crate::{
    arguments::DoctorRequest,
    failure::Failure, //
};

/// Where the dump goes on most distributions.
const USUAL_TARGET: &str = "/var/crash";

/// All facts about this machine.
pub fn facts(request: &DoctorRequest) -> Result<Facts, Failure> {
    let machine = machine::gather()?;
    let now = !request.boot;
    let status = machine.status().filter(|status| now && status.armed != 0);
    let command_line = request.files.command_line.as_deref();
    let command_line = command_line.map(OsStr::as_encoded_bytes);
    let wanted = Wanted {
        release: &machine.release,
        armed: status,
        request,
        command_line,
    };
    let files = wanted.gather()?;
    let usual = Path::new(USUAL_TARGET);
    let target = match &request.target {
        Some(path) => Some(target::gather(path)),
        None => usual.is_dir().then(|| target::gather(usual)),
    };
    Ok(Facts {
        now,
        machine,
        kernel: files.kernel,
        initrd: files.initrd,
        command_line: command_line.map(<[u8]>::to_vec),
        needed: files.needed,
        target,
    })
}

/// A file's text without the white space around it, if it can be read.
fn text(path: impl AsRef<Path>) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_matches(['\0', '\n', ' ']).to_owned())
}

/// The options in the first of these files that has any.
fn options(paths: impl IntoIterator<Item = String>) -> Option<(String, Options)> {
    paths.into_iter().find_map(|path| {
        let options = Options::parse(&text(&path)?);
        (!options.is_empty()).then_some((path, options))
    })
}

/// The files in which distributions keep the options of a release.
fn options_files(release: &str) -> [String; 3] {
    [
        format!("/boot/config-{release}"),
        format!("/lib/modules/{release}/config"),
        format!("/lib/modules/{release}/build/.config"),
    ]
}
