// SPDX-License-Identifier: GPL-2.0

//! A failure, as a sentence for people, and what it left.

use std::{
    fmt,
    io, //
};

use nix::errno::Errno;

/// A sentence, the kernel's errno if there is one, and whether there is a part of a dump.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    sentence: String,
    errno: Option<Errno>,
    after: String,
    incomplete: bool,
}

impl Failure {
    /// A failure that no system call reported.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            errno: None,
            after: String::new(),
            incomplete: false,
        }
    }

    /// A failed system call: `what` names the task, and the system's words follow.
    pub fn from_io(what: impl fmt::Display, error: &io::Error) -> Self {
        let errno = error.raw_os_error().map(Errno::from_raw);
        let sentence = match errno {
            Some(errno) => format!("{what}: {}", errno.desc()),
            None => format!("{what}: {error}"),
        };
        Self {
            errno,
            ..Self::new(sentence)
        }
    }

    /// Whether there was no room for more.
    pub fn is_full(&self) -> bool {
        matches!(
            self.errno,
            Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG)
        )
    }

    /// The same reason with more words after it.
    pub fn and(self, more: impl fmt::Display) -> Self {
        Self {
            after: format!(": {more}"),
            ..self
        }
    }

    /// The same, where a part of the dump is there and can be opened.
    pub fn leaves_a_part(self) -> Self {
        Self {
            incomplete: true,
            ..self
        }
    }

    /// Whether a part of the dump is there.
    pub fn is_incomplete(&self) -> bool {
        self.incomplete
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)?;
        if let Some(errno) = self.errno {
            // The Debug form is the name in errno(3).
            write!(f, " ({errno:?})")?;
        }
        f.write_str(&self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_error_gives_both_its_words_and_its_name() {
        let error = io::Error::from_raw_os_error(Errno::ENOSPC as i32);
        assert_eq!(
            Failure::from_io("cannot write /d", &error).to_string(),
            "cannot write /d: No space left on device (ENOSPC)"
        );
    }
}
