// SPDX-License-Identifier: GPL-2.0

//! ELF notes: a header of three 32-bit numbers, a name with its NUL, and the contents, the last
//! two filled up to a multiple of four bytes.

use core::fmt;

use crate::types::{
    bytes::{
        read_u32,
        to_usize,
        write, //
    },
    errno::Errno, //
};

/// Length of a note's header.
pub const NOTE_HEADER_LEN: usize = 12;
/// Note of a CPU's registers.
pub const NT_PRSTATUS: u32 = 1;
/// Type of the note named [`VMCOREINFO_NAME`].
pub const NT_VMCOREINFO: u32 = 0;
/// Name of the notes that every ELF core file has.
pub const CORE_NAME: &[u8] = b"CORE";
/// Name of the note that describes the kernel.
pub const VMCOREINFO_NAME: &[u8] = b"VMCOREINFO";

/// Why notes cannot be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// A note leaves the memory that it is in.
    PastEnd {
        /// The note's offset.
        offset: usize,
        /// Length of the note's name.
        name_len: u32,
        /// Length of the note's contents.
        desc_len: u32,
        /// Length of the memory.
        len: usize,
    },
    /// A note does not fit into the buffer.
    Buffer {
        /// Length of the note.
        needed: usize,
        /// Length of the buffer.
        len: usize,
    },
}

impl NoteError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::PastEnd { .. } => Errno::Inval,
            Self::Buffer { .. } => Errno::NoMem,
        }
    }
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::PastEnd {
                offset,
                name_len,
                desc_len,
                len,
            } => write!(
                f,
                "the note at offset {offset:#x}, with a name of {name_len:#x} and contents of \
                 {desc_len:#x} bytes, runs past the {len:#x} bytes that hold the notes"
            ),
            Self::Buffer { needed, len } => {
                write!(
                    f,
                    "a note needs {needed} bytes, but there is room for {len}"
                )
            }
        }
    }
}

/// `len` rounded up to a multiple of four, or the largest number if there is none.
const fn padded(len: usize) -> usize {
    match len.checked_next_multiple_of(4) {
        Some(len) => len,
        None => usize::MAX,
    }
}

/// Length of a note whose name has `name_len` bytes with its NUL.
pub const fn note_len(name_len: usize, desc_len: usize) -> usize {
    NOTE_HEADER_LEN
        .saturating_add(padded(name_len))
        .saturating_add(padded(desc_len))
}

/// Offset of the contents in a note whose name has `name_len` bytes with its NUL.
pub const fn desc_offset(name_len: usize) -> usize {
    NOTE_HEADER_LEN.saturating_add(padded(name_len))
}

/// Writes the parts of a note that precede its contents, and clears the rest of the note, as far
/// as `out` has room.
pub(crate) fn write_head(out: &mut [u8], name: &[u8], note_type: u32, desc_len: usize) {
    let name_len = name.len().saturating_add(1);
    for byte in out.iter_mut().take(note_len(name_len, desc_len)) {
        *byte = 0;
    }
    write(out, 0, &(name_len as u32).to_le_bytes());
    write(out, 4, &(desc_len as u32).to_le_bytes());
    write(out, 8, &note_type.to_le_bytes());
    write(out, NOTE_HEADER_LEN, name);
}

/// Writes a note to the start of `out` and returns its length. `name` has no NUL.
pub fn encode(
    out: &mut [u8],
    name: &[u8],
    note_type: u32,
    desc: &[u8],
) -> Result<usize, NoteError> {
    let name_len = name.len().saturating_add(1);
    let needed = note_len(name_len, desc.len());
    let fits = u32::try_from(needed).is_ok() && needed <= out.len();
    if !fits {
        return Err(NoteError::Buffer {
            needed,
            len: out.len(),
        });
    }
    write_head(out, name, note_type, desc.len());
    write(out, desc_offset(name_len), desc);
    Ok(needed)
}

/// One note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// The note's name, without the NUL.
    pub name: &'a [u8],
    /// The note's type. Its meaning depends on the name.
    pub note_type: u32,
    /// The note's contents.
    pub desc: &'a [u8],
}

/// The notes in a range of memory, up to a note without a name or to the memory's end.
///
/// After an error there are no further notes.
#[derive(Clone, Debug)]
pub struct Notes<'a> {
    bytes: &'a [u8],
    offset: usize,
    done: bool,
}

impl<'a> Notes<'a> {
    /// The notes that start at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            offset: 0,
            done: false,
        }
    }

    /// Length of the notes read so far.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl<'a> Iterator for Notes<'a> {
    type Item = Result<Note<'a>, NoteError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let rest = self.bytes.get(self.offset..)?;
        let head = rest.get(..NOTE_HEADER_LEN)?;
        let name_len = read_u32(head, 0)?;
        let desc_len = read_u32(head, 4)?;
        let note_type = read_u32(head, 8)?;
        if name_len == 0 {
            self.done = true;
            return None;
        }

        let (name_size, desc_size) = (to_usize(name_len.into()), to_usize(desc_len.into()));
        let len = note_len(name_size, desc_size);
        let parts = rest.get(..len).and_then(|note| {
            let name = note.get(NOTE_HEADER_LEN..)?.get(..name_size)?;
            let desc = note.get(desc_offset(name_size)..)?.get(..desc_size)?;
            Some((name, desc))
        });
        let Some((name, desc)) = parts else {
            self.done = true;
            return Some(Err(NoteError::PastEnd {
                offset: self.offset,
                name_len,
                desc_len,
                len: self.bytes.len(),
            }));
        };
        self.offset = self.offset.saturating_add(len);
        Some(Ok(Note {
            name: name.strip_suffix(b"\0").unwrap_or(name),
            note_type,
            desc,
        }))
    }
}

/// Length of the notes at the start of `bytes`, up to a note without a name.
pub fn notes_len(bytes: &[u8]) -> Result<usize, NoteError> {
    let mut notes = Notes::new(bytes);
    for note in notes.by_ref() {
        note?;
    }
    Ok(notes.offset())
}
