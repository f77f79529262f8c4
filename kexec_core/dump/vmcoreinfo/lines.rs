// SPDX-License-Identifier: GPL-2.0

//! The lines of a VMCOREINFO for a kernel that has none of its own. Readers know each of them from other
//! kernels (Documentation/admin-guide/kdump/vmcoreinfo.rst).

use super::{
    VmcoreinfoError,
    NAME_LEN, //
};
use crate::dump::note::{
    desc_offset,
    note_len,
    write_head,
    NoteError,
    Notes,
    NT_VMCOREINFO,
    VMCOREINFO_NAME, //
};
use core::fmt::{
    self,
    Write, //
};

/// One line, with its name where there can be several of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The kernel's release, as `uname -r` says it.
    Release(&'a str),
    /// The bytes of the kernel's build ID.
    BuildId(&'a [u8]),
    /// Bytes in a page.
    PageSize(u64),
    /// The kernel's address, less the one that it is linked to.
    KernelOffset(u64),
    /// The virtual address of a variable.
    Symbol(&'a str, u64),
    /// Bytes in a structure.
    Size(&'a str, u64),
    /// Bytes before a member of a structure.
    Offset(&'a str, u64),
    /// Elements of an array.
    Length(&'a str, u64),
    /// Any other number.
    Number(&'a str, i64),
    /// Any other number, in hexadecimal.
    Address(&'a str, u64),
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Release(release) => writeln!(f, "OSRELEASE={release}"),
            Self::BuildId(bytes) => {
                f.write_str("BUILD-ID=")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_str("\n")
            }
            Self::PageSize(size) => writeln!(f, "PAGESIZE={size}"),
            Self::KernelOffset(offset) => writeln!(f, "KERNELOFFSET={offset:x}"),
            Self::Symbol(name, address) => writeln!(f, "SYMBOL({name})={address:x}"),
            Self::Size(name, size) => writeln!(f, "SIZE({name})={size}"),
            Self::Offset(name, offset) => writeln!(f, "OFFSET({name})={offset}"),
            Self::Length(name, length) => writeln!(f, "LENGTH({name})={length}"),
            Self::Number(name, number) => writeln!(f, "NUMBER({name})={number}"),
            Self::Address(name, number) => writeln!(f, "NUMBER({name})={number:#x}"),
        }
    }
}

/// Writes a note of these lines to the start of `out`, and returns its length.
pub fn encode<'a>(
    out: &mut [u8],
    lines: impl Iterator<Item = Line<'a>>,
) -> Result<usize, VmcoreinfoError> {
    let len = out.len();
    let mut text = Text {
        room: out.get_mut(desc_offset(NAME_LEN)..).unwrap_or_default(),
        len: 0,
    };
    for line in lines {
        // It never fails: what has no room is counted.
        let _ = write!(text, "{line}");
    }
    let desc_len = text.len;
    let needed = note_len(NAME_LEN, desc_len);
    if needed > len {
        return Err(NoteError::Buffer { needed, len }.into());
    }
    let desc = desc_offset(NAME_LEN);
    write_head(
        out.get_mut(..desc).unwrap_or_default(),
        VMCOREINFO_NAME,
        NT_VMCOREINFO,
        desc_len,
    );
    let padding = out.get_mut(desc.saturating_add(desc_len)..needed);
    padding.unwrap_or_default().fill(0);
    Ok(needed)
}

/// The text that is written, as far as there is room.
struct Text<'a> {
    room: &'a mut [u8],
    len: usize,
}

impl Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.room.get_mut(self.len..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

/// Name and type of the note with a build ID.
const BUILD_ID_NAME: &[u8] = b"GNU";
const NT_GNU_BUILD_ID: u32 = 3;

/// The build ID among the notes of a kernel's own file.
pub fn build_id(notes: &[u8]) -> Option<&[u8]> {
    let mut found = Notes::new(notes).flatten();
    let note =
        found.find(|note| note.name == BUILD_ID_NAME && note.note_type == NT_GNU_BUILD_ID)?;
    Some(note.desc)
}
