// SPDX-License-Identifier: GPL-2.0

//! How a program reports: one line of JSON when it is ready, or a sentence when it fails.

use std::{
    fmt,
    io::{
        self,
        Write, //
    },
    process::ExitCode, //
};

use nix::errno::Errno;
use serde::Serialize;

/// The reason for which a program failed, as a sentence.
///
/// ```
/// use guest::report::Failure;
/// use nix::errno::Errno;
///
/// let failure = Failure::errno("cannot map the dump", Errno::EAGAIN);
/// assert_eq!(
///     failure.to_string(),
///     "cannot map the dump: Try again (EAGAIN)"
/// );
/// ```
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// A failure told by a sentence alone.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }

    /// What could not be done, and the errno by words and name.
    pub fn errno(what: impl fmt::Display, errno: Errno) -> Self {
        Self(format!("{what}: {} ({errno:?})", errno.desc()))
    }

    /// What could not be done, and what the system says about it.
    pub fn io(what: impl fmt::Display, error: &io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => match Errno::from_raw(number) {
                Errno::UnknownErrno => Self(format!("{what}: unknown error (errno {number})")),
                errno => Self::errno(what, errno),
            },
            None => Self(format!("{what}: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<lexopt::Error> for Failure {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

/// Prints `value` as one line of JSON.
pub fn print_line(value: &impl Serialize) -> Result<(), Failure> {
    let line = serde_json::to_string(value)
        .map_err(|error| Failure::new(format!("cannot make JSON of the report: {error}")))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::io("cannot write the report", &error))
}

/// The end of every program here: a failure goes to standard error after the program's name.
pub fn conclude(program: &str, result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{program}: {failure}");
            ExitCode::FAILURE
        }
    }
}
