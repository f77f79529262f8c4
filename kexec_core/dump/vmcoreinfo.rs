// SPDX-License-Identifier: GPL-2.0

//! VMCOREINFO: the note in which a kernel describes itself to readers of its dump, as lines of
//! `KEY=value`.

pub mod lines;

use core::fmt;

use crate::{
    dump::note::{
        desc_offset,
        note_len,
        write_head,
        Note,
        NoteError,
        Notes,
        NT_VMCOREINFO,
        VMCOREINFO_NAME, //
    },
    types::{
        bytes::write,
        errno::Errno, //
    }, //
};

/// The line with the time of the crash, in seconds since 1970. Without it, readers take the kernel
/// for one that has not crashed and ignore the saved registers.
const CRASHTIME: &[u8] = b"CRASHTIME=";

/// The number of digits of the time. From the year 2001 to 2286 the time has exactly this many.
const DIGITS: usize = 10;
/// The highest number of [`DIGITS`] digits.
const SECONDS_MAX: u64 = 9_999_999_999;

/// Length of the line with the time.
const CRASHTIME_LINE_LEN: usize = CRASHTIME.len() + DIGITS + 1;

/// Length of the note's name with its NUL.
const NAME_LEN: usize = VMCOREINFO_NAME.len() + 1;

/// Why a note cannot be used as VMCOREINFO.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmcoreinfoError {
    /// There is no note at all.
    Missing,
    /// The note is malformed, or the buffer has no room for it.
    Note(NoteError),
    /// The note has another name or type.
    OtherNote {
        /// The note's type.
        note_type: u32,
        /// Length of the note's name.
        name_len: usize,
    },
}

impl VmcoreinfoError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Missing | Self::OtherNote { .. } => Errno::Inval,
            Self::Note(error) => error.errno(),
        }
    }
}

impl From<NoteError> for VmcoreinfoError {
    fn from(error: NoteError) -> Self {
        Self::Note(error)
    }
}

impl fmt::Display for VmcoreinfoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "the kernel has no VMCOREINFO note, without which a dump cannot be read: it needs \
                 CONFIG_VMCORE_INFO"
            ),
            Self::Note(error) => write!(f, "VMCOREINFO: {error}"),
            Self::OtherNote {
                note_type,
                name_len,
            } => write!(
                f,
                "a note of type {note_type} with a name of {name_len} bytes lies where VMCOREINFO \
                 should be"
            ),
        }
    }
}

/// The VMCOREINFO of a kernel.
#[derive(Clone, Copy, Debug)]
pub struct Vmcoreinfo<'a> {
    text: &'a [u8],
}

impl<'a> Vmcoreinfo<'a> {
    /// Reads the note at the start of `note`.
    pub fn parse(note: &'a [u8]) -> Result<Self, VmcoreinfoError> {
        let Note {
            name,
            note_type,
            desc,
        } = Notes::new(note).next().ok_or(VmcoreinfoError::Missing)??;
        if name != VMCOREINFO_NAME || note_type != NT_VMCOREINFO {
            return Err(VmcoreinfoError::OtherNote {
                note_type,
                name_len: name.len(),
            });
        }
        Ok(Self { text: desc })
    }

    /// The lines of `KEY=value`, without the newlines.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.text.split_inclusive(|byte| *byte == b'\n')
    }

    /// The first value whose key satisfies `is_key`.
    fn find(&self, is_key: impl Fn(&[u8]) -> bool) -> Option<&'a str> {
        self.lines().find_map(|line| {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let equals = line.iter().position(|byte| *byte == b'=')?;
            if !is_key(line.get(..equals)?) {
                return None;
            }
            core::str::from_utf8(line.get(equals + 1..)?).ok()
        })
    }

    /// The value of a key as in `function(name)`.
    fn find_call(&self, function: &str, name: &str) -> Option<&'a str> {
        self.find(|key| {
            key.strip_prefix(function.as_bytes())
                .and_then(|key| key.strip_prefix(b"("))
                .and_then(|key| key.strip_suffix(b")"))
                == Some(name.as_bytes())
        })
    }

    /// The value of a key such as `OSRELEASE` or `PAGESIZE`.
    pub fn value(&self, key: &str) -> Option<&'a str> {
        self.find(|found| found == key.as_bytes())
    }

    /// The value of `NUMBER(name)`, which kernels write in decimal or, with `0x`, in hexadecimal.
    pub fn number(&self, name: &str) -> Option<i64> {
        let text = self.find_call("NUMBER", name)?;
        match text.strip_prefix("0x") {
            Some(digits) => {
                let number = u64::from_str_radix(digits, 16).ok()?;
                Some(i64::from_le_bytes(number.to_le_bytes()))
            }
            None => text.parse().ok(),
        }
    }

    /// The value of `SYMBOL(name)`: a virtual address.
    pub fn symbol(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.find_call("SYMBOL", name)?, 16).ok()
    }

    /// The value of `SIZE(name)`: the length of a structure.
    pub fn size(&self, name: &str) -> Option<u64> {
        self.find_call("SIZE", name)?.parse().ok()
    }

    /// The value of `OFFSET(name)`: the offset of a structure's member.
    pub fn offset(&self, name: &str) -> Option<u64> {
        self.find_call("OFFSET", name)?.parse().ok()
    }

    /// The value of `LENGTH(name)`: the number of elements of an array.
    pub fn length(&self, name: &str) -> Option<u64> {
        self.find_call("LENGTH", name)?.parse().ok()
    }
}

/// The place of the time of the crash in a copy of the note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashTime {
    offset: usize,
}

impl CrashTime {
    /// Writes the time into the copy that [`with_crashtime`] made. This cannot fail, because it
    /// happens in the crash.
    pub fn write(&self, out: &mut [u8], seconds: u64) {
        let mut digits = [b'0'; DIGITS];
        let mut rest = seconds.min(SECONDS_MAX);
        for digit in digits.iter_mut().rev() {
            // A remainder of ten fits a byte.
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        write(out, self.offset, &digits);
    }
}

/// Length of the buffer that [`with_crashtime`] needs for a note of `note_len` bytes.
pub const fn with_crashtime_len(note_len: usize) -> usize {
    // The line itself, and filling up to a multiple of four bytes.
    note_len.saturating_add(CRASHTIME_LINE_LEN + 1 + 3)
}

/// Copies the note at the start of `note` to `out`, with a line for the time of the crash, and
/// returns the length of the copy and the place of the time. The rest of `out` is cleared.
pub fn with_crashtime(out: &mut [u8], note: &[u8]) -> Result<(usize, CrashTime), VmcoreinfoError> {
    let info = Vmcoreinfo::parse(note)?;
    let kept = || {
        info.lines()
            .filter(|line| !line.starts_with(CRASHTIME))
            .flatten()
    };
    // The last line may lack its newline.
    let newline: &[u8] = match kept().last() {
        None | Some(b'\n') => b"",
        Some(_) => b"\n",
    };
    let head_len = kept().fold(newline.len(), |len, _| len.saturating_add(1));
    let desc_len = head_len.saturating_add(CRASHTIME_LINE_LEN);
    let needed = note_len(NAME_LEN, desc_len);
    if needed > out.len() || u32::try_from(needed).is_err() {
        return Err(NoteError::Buffer {
            needed,
            len: out.len(),
        }
        .into());
    }

    out.fill(0);
    write_head(out, VMCOREINFO_NAME, NT_VMCOREINFO, desc_len);
    let desc = out.get_mut(desc_offset(NAME_LEN)..).unwrap_or_default();
    let text = kept().chain(newline).chain(CRASHTIME);
    for (to, from) in desc
        .iter_mut()
        .zip(text.chain(&[b'0'; DIGITS]).chain(b"\n"))
    {
        *to = *from;
    }
    let offset = desc_offset(NAME_LEN)
        .saturating_add(head_len)
        .saturating_add(CRASHTIME.len());
    Ok((needed, CrashTime { offset }))
}
