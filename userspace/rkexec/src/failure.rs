// SPDX-License-Identifier: GPL-2.0

//! A failure, as a sentence for people.

use std::{
    fmt,
    io, //
};

use nix::errno::Errno;

/// A sentence, and the kernel's errno if there is one.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    sentence: String,
    errno: Option<Errno>,
}

impl Failure {
    /// A failure that no system call reported.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            errno: None,
        }
    }

    /// A failure with the errno that the kernel gave.
    pub fn with_errno(sentence: impl Into<String>, errno: Errno) -> Self {
        Self {
            sentence: sentence.into(),
            errno: Some(errno),
        }
    }

    /// The sentence.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The errno that the kernel gave.
    pub fn errno(&self) -> Option<Errno> {
        self.errno
    }

    /// The errno's name, as errno(3) lists it; nothing where there is none.
    pub fn errno_name(&self) -> String {
        self.errno
            .map(|errno| format!("{errno:?}"))
            .unwrap_or_default()
    }

    /// A failed system call: `what` names the task, and the system's words follow.
    pub fn from_io(what: impl fmt::Display, error: &io::Error) -> Self {
        match error.raw_os_error().map(Errno::from_raw) {
            Some(errno) => Self::with_errno(format!("{what}: {}", errno.desc()), errno),
            None => Self::new(format!("{what}: {error}")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        match self.errno {
            // The Debug form is the name in errno(3).
            Some(errno) => write!(f, " ({errno:?})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errno_is_named() {
        let failure = Failure::with_errno("the region is too small", Errno::EADDRNOTAVAIL);
        assert_eq!(
            failure.to_string(),
            "the region is too small (EADDRNOTAVAIL)"
        );
    }

    #[test]
    fn a_system_error_gives_both_its_words_and_its_name() {
        let error = io::Error::from_raw_os_error(Errno::ENOENT as i32);
        assert_eq!(
            Failure::from_io("cannot open the kernel /k", &error).to_string(),
            "cannot open the kernel /k: No such file or directory (ENOENT)"
        );
    }
}
