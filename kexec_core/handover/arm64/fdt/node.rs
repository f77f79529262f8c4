// SPDX-License-Identifier: GPL-2.0

//! The nodes of a device tree, their properties, and the numbers in those.

use super::token::{
    Property,
    Token,
    Tokens, //
};
use crate::types::bytes::to_usize;

/// A node of a device tree.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    pub(super) name: &'a [u8],
    pub(super) tokens: Tokens<'a>,
}

impl<'a> Node<'a> {
    /// The node of this name whose first token was read: `tokens` come after it.
    pub(in crate::handover::arm64) fn begun(name: &'a [u8], tokens: Tokens<'a>) -> Self {
        Self { name, tokens }
    }

    /// The node's name, with the unit address.
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// The node's properties.
    pub fn properties(&self) -> impl Iterator<Item = Property<'a>> {
        self.tokens.map_while(|token| match token {
            Token::Property(property) => Some(property),
            _ => None,
        })
    }

    /// The value of the property with this name.
    pub fn property(&self, name: &str) -> Option<&'a [u8]> {
        self.properties()
            .find(|property| property.name == name.as_bytes())
            .map(|property| property.value)
    }

    /// The value of a property that is one 32-bit number.
    pub fn number(&self, name: &str) -> Option<u32> {
        let value: &[u8; 4] = self.property(name)?.try_into().ok()?;
        Some(u32::from_be_bytes(*value))
    }

    /// The value of a property that is a string, without its NUL.
    pub fn string(&self, name: &str) -> Option<&'a [u8]> {
        self.property(name)?.split(|byte| *byte == 0).next()
    }

    /// Whether `compatible` names this device.
    pub fn is_compatible(&self, device: &str) -> bool {
        self.property("compatible").is_some_and(|value| {
            value
                .split(|byte| *byte == 0)
                .any(|d| d == device.as_bytes())
        })
    }

    /// Whether the device is there. It is, unless `status` says otherwise.
    pub fn is_available(&self) -> bool {
        matches!(self.string("status"), None | Some(b"okay" | b"ok"))
    }

    /// The cells of addresses and sizes in subnodes.
    pub fn cells(&self) -> Cells {
        // The kernel's own defaults, which are not those of the specification.
        Cells {
            address: self.number("#address-cells").unwrap_or(1),
            size: self.number("#size-cells").unwrap_or(1),
        }
    }

    /// The direct subnodes.
    pub fn children(&self) -> Children<'a> {
        Children {
            tokens: self.tokens,
            depth: 0,
        }
    }

    /// The first subnode that `name` stands for.
    pub fn child(&self, name: &[u8]) -> Option<Node<'a>> {
        self.children().find(|child| is_meant(child.name, name))
    }
}

/// Whether `wanted` stands for the node called `name`. A name without unit address stands for the
/// first node of that name, at any address.
pub(in crate::handover::arm64) fn is_meant(name: &[u8], wanted: &[u8]) -> bool {
    match name.strip_prefix(wanted) {
        Some([]) => true,
        Some([b'@', ..]) => !wanted.contains(&b'@'),
        _ => false,
    }
}

/// The direct subnodes of a node.
#[derive(Clone, Copy, Debug)]
pub struct Children<'a> {
    tokens: Tokens<'a>,
    depth: usize,
}

impl<'a> Iterator for Children<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.tokens.next()? {
                Token::BeginNode(name) => {
                    let depth = self.depth;
                    self.depth = depth.saturating_add(1);
                    if depth == 0 {
                        return Some(Node {
                            name,
                            tokens: self.tokens,
                        });
                    }
                }
                Token::EndNode if self.depth == 0 => self.tokens = Tokens::EMPTY,
                Token::EndNode => self.depth = self.depth.saturating_sub(1),
                Token::Property(_) => {}
            }
        }
    }
}

/// Length of a cell, the unit that numbers in properties are made of.
pub const CELL_LEN: usize = 4;

/// The numbers of cells in which subnodes write addresses and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cells {
    /// Cells of an address.
    pub address: u32,
    /// Cells of a size.
    pub size: u32,
}

/// Reads a number of `cells` cells at the start of `value`, and returns it with the rest of the
/// value. Of a number with more than two cells the upper ones are left out, as the kernel does.
pub fn take_number(value: &[u8], cells: u32) -> Option<(u64, &[u8])> {
    let len = to_usize(cells.into()).checked_mul(CELL_LEN)?;
    let number = value.get(..len)?.iter();
    let number = number.fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    Some((number, value.get(len..)?))
}

/// The names of the nodes on the way from the root, in a path that starts with `/`.
pub(in crate::handover::arm64) fn path_names(
    path: &[u8],
) -> Option<impl Iterator<Item = &[u8]> + '_> {
    let names = path.strip_prefix(b"/")?.split(|byte| *byte == b'/');
    Some(names.filter(|name| !name.is_empty()))
}
