// SPDX-License-Identifier: GPL-2.0

//! The programs of the test guests in one file, which a guest unpacks twice: each has a link of its name to
//! it. `guest --install DIRECTORY` makes the links.

mod programs;

use std::{
    env,
    ffi::OsStr,
    io,
    os::unix::fs::symlink,
    path::{
        Path,
        PathBuf, //
    },
    process::ExitCode, //
};

use guest::report::{
    conclude,
    Failure, //
};
use lexopt::Arg::Long;

/// A program, which reads its own arguments.
type Main = fn() -> ExitCode;

/// The programs by their names.
const PROGRAMS: [(&str, Main); 11] = [
    ("agent", programs::agent::main),
    ("bpf-probe", programs::bpf_probe::main),
    ("device-request", programs::device_request::main),
    ("fragment", programs::fragment::main),
    ("kexec-file-load", programs::kexec_file_load::main),
    ("kexec-load", programs::kexec_load::main),
    ("page-uses", programs::page_uses::main),
    ("pattern", programs::pattern::main),
    ("spin", programs::spin::main),
    ("vmcore", programs::vmcore::main),
    ("without-capability", programs::without_capability::main),
];

fn main() -> ExitCode {
    let called = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let mut programs = PROGRAMS.iter();
    match programs.find(|(name, _)| called.file_name() == Some(OsStr::new(name))) {
        Some((_, program)) => program(),
        None => conclude("guest", run()),
    }
}

fn run() -> Result<(), Failure> {
    let mut parser = lexopt::Parser::from_env();
    match parser.next()? {
        Some(Long("install")) => {
            let directory = PathBuf::from(parser.value()?);
            install(&directory).map_err(|error| {
                let what = format_args!("cannot make links in {}", directory.display());
                Failure::io(what, &error)
            })
        }
        Some(argument) => Err(argument.unexpected().into()),
        None => Err(Failure::new("give --install DIRECTORY")),
    }
}

/// Makes the links to this program.
fn install(directory: &Path) -> io::Result<()> {
    let program = env::current_exe()?;
    let mut programs = PROGRAMS.iter();
    programs.try_for_each(|(name, _)| symlink(&program, directory.join(name)))
}
