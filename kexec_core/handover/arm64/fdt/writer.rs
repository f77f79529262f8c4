// SPDX-License-Identifier: GPL-2.0

//! Writing a flattened device tree, block after block, in one pass.

use super::{
    header::{
        Header,
        BEGIN_NODE,
        END,
        END_NODE,
        HEADER_LEN,
        LAST_COMP_VERSION,
        MAGIC,
        PROP,
        TOKEN_LEN,
        VERSION, //
    },
    token::Property, //
};
use crate::types::{
    bytes::write,
    ranges::Range, //
};

/// A device tree under construction: first the memory reservations, then nodes and properties.
///
/// Bytes that the buffer has no room for are counted, but not written.
pub(in crate::handover::arm64) struct FdtWriter<'a> {
    out: &'a mut [u8],
    len: usize,
    structure: usize,
    strings: &'a [u8],
    names: &'static [&'static str],
}

impl<'a> FdtWriter<'a> {
    /// Starts a tree. Its strings block is `strings`, followed by those of `names` that are not in
    /// it. Only properties with these names can be written.
    pub(in crate::handover::arm64) fn new(
        out: &'a mut [u8],
        strings: &'a [u8],
        names: &'static [&'static str],
    ) -> Self {
        Self {
            out,
            len: HEADER_LEN,
            structure: 0,
            strings,
            names,
        }
    }

    /// Adds a memory reservation.
    pub(in crate::handover::arm64) fn reservation(&mut self, range: Range) {
        self.push(&range.start().to_be_bytes());
        self.push(&range.len().to_be_bytes());
    }

    /// Ends the memory reservations.
    pub(in crate::handover::arm64) fn start_structure(&mut self) {
        self.reservation(Range::default());
        self.structure = self.len;
    }

    /// Starts a node.
    pub(in crate::handover::arm64) fn begin_node(&mut self, name: &[u8]) {
        self.token(BEGIN_NODE);
        self.push(name);
        self.push(&[0]);
        self.pad();
    }

    /// Ends the innermost node.
    pub(in crate::handover::arm64) fn end_node(&mut self) {
        self.token(END_NODE);
    }

    /// Adds a property whose name is in the strings block that the tree was started with.
    pub(in crate::handover::arm64) fn kept_property(&mut self, property: &Property<'_>) {
        self.property_token(property.value.len(), property.name_offset);
        self.push(property.value);
        self.pad();
    }

    /// Adds a property whose value is made of these parts.
    pub(in crate::handover::arm64) fn property(&mut self, name: &'static str, value: &[&[u8]]) {
        let len = value
            .iter()
            .fold(0, |len: usize, part| len.saturating_add(part.len()));
        self.property_token(len, as_u32(self.name_offset(name)));
        for part in value {
            self.push(part);
        }
        self.pad();
    }

    /// Adds the strings and the header, and returns the length of the tree. The tree is complete if
    /// the buffer is as long.
    pub(in crate::handover::arm64) fn finish(mut self, boot_cpuid_phys: u32) -> usize {
        self.token(END);
        let strings = self.len;
        self.push(self.strings);
        for name in self.added_names() {
            self.push(name.as_bytes());
            self.push(&[0]);
        }
        let header = Header {
            magic: MAGIC,
            totalsize: as_u32(self.len),
            off_dt_struct: as_u32(self.structure),
            off_dt_strings: as_u32(strings),
            off_mem_rsvmap: as_u32(HEADER_LEN),
            version: VERSION,
            last_comp_version: LAST_COMP_VERSION,
            boot_cpuid_phys,
            size_dt_strings: as_u32(self.len.saturating_sub(strings)),
            size_dt_struct: as_u32(strings.saturating_sub(self.structure)),
        };
        write(self.out, 0, &header.encode());
        self.len
    }

    fn property_token(&mut self, len: usize, name_offset: u32) {
        self.token(PROP);
        self.push(&as_u32(len).to_be_bytes());
        self.push(&name_offset.to_be_bytes());
    }

    fn token(&mut self, token: u32) {
        self.push(&token.to_be_bytes());
    }

    fn push(&mut self, bytes: &[u8]) {
        write(self.out, self.len, bytes);
        self.len = self.len.saturating_add(bytes.len());
    }

    /// Fills up to the start of the next token.
    fn pad(&mut self) {
        let missing = self.len.wrapping_neg() & (TOKEN_LEN - 1);
        self.push([0; TOKEN_LEN].get(..missing).unwrap_or_default());
    }

    /// The names that the strings block does not have yet.
    fn added_names(&self) -> impl Iterator<Item = &'static str> + 'a {
        let strings = self.strings;
        let names = self.names.iter().copied();
        names.filter(move |name| find_string(strings, name).is_none())
    }

    fn name_offset(&self, name: &str) -> usize {
        find_string(self.strings, name).unwrap_or_else(|| {
            let before = self.added_names().take_while(|added| *added != name);
            before.fold(self.strings.len(), |offset, added| {
                offset.saturating_add(added.len()).saturating_add(1)
            })
        })
    }
}

/// The offset of a name in a strings block. The name can be the end of a longer one.
fn find_string(strings: &[u8], name: &str) -> Option<usize> {
    (0..strings.len()).find(|at| {
        let rest = strings.get(*at..).unwrap_or_default();
        matches!(rest.strip_prefix(name.as_bytes()), Some([0, ..]))
    })
}

/// A length or an offset as the format has it. The caller refuses a tree that is too long for it.
fn as_u32(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}
