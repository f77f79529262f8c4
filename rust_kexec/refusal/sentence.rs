// SPDX-License-Identifier: GPL-2.0

//! Sentences that people read, of a bounded length.

use core::fmt;
use kexec_core::uapi::MESSAGE_MAX;

/// A sentence, cut at [`MESSAGE_MAX`] bytes.
pub(crate) struct Sentence {
    bytes: [u8; MESSAGE_MAX],
    used: usize,
}

impl Sentence {
    /// Writes the sentence out.
    pub(crate) fn of(refusal: &impl fmt::Display) -> Self {
        let mut sentence = Self {
            bytes: [0; MESSAGE_MAX],
            used: 0,
        };
        // A sentence that is too long is cut; that is the only error there is.
        let _ = fmt::write(&mut sentence, format_args!("{refusal}"));
        sentence
    }

    /// The sentence as bytes.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }

    /// The sentence as text; a character that the end cut in two is left out.
    pub(crate) fn as_str(&self) -> &str {
        match core::str::from_utf8(self.as_bytes()) {
            Ok(text) => text,
            Err(error) => {
                let valid = self.as_bytes().get(..error.valid_up_to());
                core::str::from_utf8(valid.unwrap_or_default()).unwrap_or_default()
            }
        }
    }
}

impl fmt::Write for Sentence {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.used..).unwrap_or_default();
        let copied = room
            .iter_mut()
            .zip(text.as_bytes())
            .map(|(to, from)| *to = *from);
        let copied = copied.count();
        self.used += copied;
        if copied == text.len() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}
