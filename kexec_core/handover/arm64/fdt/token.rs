// SPDX-License-Identifier: GPL-2.0

//! The tokens of a device tree's structure block.

use super::{
    error::FdtError,
    header::{
        BEGIN_NODE,
        END,
        END_NODE,
        NAME_LEN_MAX,
        NOP,
        PROP,
        TOKEN_LEN, //
    }, //
};
use crate::types::bytes::{
    read_be_u32,
    to_usize, //
};

/// A property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// The property's name.
    pub name: &'a [u8],
    /// Offset of the name in the strings block.
    pub name_offset: u32,
    /// The property's value.
    pub value: &'a [u8],
}

/// A token of the structure block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    /// A node with this name starts.
    BeginNode(&'a [u8]),
    /// A property of the innermost node.
    Property(Property<'a>),
    /// The innermost node ends.
    EndNode,
}

/// The tokens of a structure block, from some point on.
#[derive(Clone, Copy, Debug)]
pub struct Tokens<'a> {
    structure: &'a [u8],
    strings: &'a [u8],
    offset: usize,
}

impl<'a> Tokens<'a> {
    pub(super) const EMPTY: Self = Self {
        structure: &[],
        strings: &[],
        offset: 0,
    };

    /// The tokens of a structure block, whose names are in a strings block.
    pub(super) fn new(structure: &'a [u8], strings: &'a [u8]) -> Self {
        Self {
            structure,
            strings,
            offset: 0,
        }
    }

    /// Offset of the next token in the structure block.
    pub(super) fn offset(&self) -> usize {
        self.offset
    }

    /// The next token, or `None` at the end of the structure block. Reading stops there.
    pub(super) fn step(&mut self) -> Result<Option<Token<'a>>, FdtError> {
        loop {
            let offset = self.offset;
            let cut = FdtError::Cut { offset };
            let after = offset.saturating_add(TOKEN_LEN);
            match read_be_u32(self.structure, offset).ok_or(cut)? {
                NOP => self.offset = after,
                END => return Ok(None),
                END_NODE => {
                    self.offset = after;
                    return Ok(Some(Token::EndNode));
                }
                BEGIN_NODE => {
                    let name = string(self.structure, after).ok_or(FdtError::Name { offset })?;
                    let end = after.saturating_add(name.len()).saturating_add(1);
                    self.offset = next_token(end).ok_or(cut)?;
                    return Ok(Some(Token::BeginNode(name)));
                }
                PROP => {
                    let len = read_be_u32(self.structure, after).ok_or(cut)?;
                    let name_offset = after.saturating_add(TOKEN_LEN);
                    let name_offset = read_be_u32(self.structure, name_offset).ok_or(cut)?;
                    let start = after.saturating_add(2 * TOKEN_LEN);
                    let end = start.saturating_add(to_usize(len.into()));
                    let value = self.structure.get(start..end).ok_or(cut)?;
                    let name = string(self.strings, to_usize(name_offset.into()))
                        .ok_or(FdtError::Name { offset })?;
                    self.offset = next_token(end).ok_or(cut)?;
                    return Ok(Some(Token::Property(Property {
                        name,
                        name_offset,
                        value,
                    })));
                }
                found => return Err(FdtError::Token { offset, found }),
            }
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().ok().flatten()
    }
}

/// The offset of the token after a name or value that ends at `end`.
fn next_token(end: usize) -> Option<usize> {
    end.checked_next_multiple_of(TOKEN_LEN)
}

/// The string at `offset`, without its NUL.
fn string(bytes: &[u8], offset: usize) -> Option<&[u8]> {
    let rest = bytes.get(offset..)?;
    let longest = rest.get(..=NAME_LEN_MAX).unwrap_or(rest);
    let len = longest.iter().position(|byte| *byte == 0)?;
    rest.get(..len)
}
