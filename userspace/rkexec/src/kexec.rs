// SPDX-License-Identifier: GPL-2.0

//! `rkexec` in the place of `kexec`: called by that name, it takes the command lines of kexec-tools 2.0.32,
//! for services that know nothing else, and ends with its exit status.
//!
//! Images are the module's, if it is there. Without it the kernel's own system calls are used: an update of the
//! kernel that comes without the module must not end kdump. So they are for a reboot that the module cannot
//! do on this kernel, or has no memory for.
//!
//! # Exit status
//!
//! | | |
//! |---|---|
//! | 0 | done; with `-S`, nothing is loaded |
//! | 1 | wrong usage, an option that is refused, or a missing region; with `-S`, something is loaded |
//! | 253 | the kernel has no kexec_file_load(2) |
//! | 255 | it failed; with `-S`, it is not known |

mod image;
mod options;
mod perform;
mod request;
mod system_calls;

use std::{
    ffi::{
        OsStr,
        OsString, //
    },
    path::Path,
    process::ExitCode, //
};

pub use system_calls::enter;

use request::{
    Parsed,
    Request, //
};

/// The name by which services call.
const NAME: &str = "kexec";

/// As this option says, whatever the name.
const COMPAT: &str = "--compat";

/// The words after the program's name, if they are for `kexec`.
pub fn words(mut words: impl Iterator<Item = OsString>) -> Option<Vec<OsString>> {
    let program = words.next()?;
    let mut words: Vec<_> = words.collect();
    if Path::new(&program).file_name() == Some(OsStr::new(NAME)) {
        return Some(words);
    }
    (words.first().is_some_and(|word| word == COMPAT)).then(|| {
        words.remove(0);
        words
    })
}

/// Does what `kexec` does.
pub fn main(words: Vec<OsString>) -> ExitCode {
    match Request::parse(words) {
        Ok(Parsed::Help) => {
            print!("{}", options::help(request::ARCHITECTURE));
            ExitCode::SUCCESS
        }
        Ok(Parsed::Version) => {
            println!("{}", version());
            ExitCode::SUCCESS
        }
        Ok(Parsed::Request(request)) => {
            for note in &request.notes {
                eprintln!("{NAME}: {note}");
            }
            ExitCode::from(perform::perform(&request))
        }
        Err(wrong) => {
            eprintln!("{NAME}: {}", wrong.sentence);
            ExitCode::from(wrong.status)
        }
    }
}

/// Callers look for the version that they know.
fn version() -> String {
    format!(
        "kexec-tools 2.0.32 (in its place: rkexec {})",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests;
