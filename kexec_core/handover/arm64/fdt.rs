// SPDX-License-Identifier: GPL-2.0

//! Reading a flattened device tree (Devicetree Specification v0.4, chapter 5).
//!
//! [`Fdt::parse`] walks the whole tree once and refuses a malformed one. Reading the tree
//! afterwards cannot fail. No walk is recursive.

mod error;
mod header;
mod node;
mod token;
pub(super) mod writer;

use crate::types::{
    bytes::{
        read_be_u64,
        to_usize, //
    },
    ranges::Range, //
};

pub use error::FdtError;
pub use header::{
    Header,
    BEGIN_NODE,
    DEPTH_MAX,
    END,
    END_NODE,
    HEADER_LEN,
    LAST_COMP_VERSION,
    MAGIC,
    NAME_LEN_MAX,
    NOP,
    PROP,
    RESERVATION_LEN,
    TOKEN_LEN,
    VERSION, //
};
pub(super) use node::{
    is_meant,
    path_names, //
};
pub use node::{
    take_number,
    Cells,
    Children,
    Node,
    CELL_LEN, //
};
pub use token::{
    Property,
    Token,
    Tokens, //
};

/// A flattened device tree.
///
/// # Invariants
///
/// The blocks are well-formed: reading any of their tokens succeeds, nodes nest, and a node's
/// properties precede its subnodes.
#[derive(Clone, Copy, Debug)]
pub struct Fdt<'a> {
    header: Header,
    reservations: &'a [u8],
    structure: &'a [u8],
    strings: &'a [u8],
}

impl<'a> Fdt<'a> {
    /// Reads the tree at the start of `bytes`. The room to grow behind its blocks need not be there.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, FdtError> {
        let header = Header::decode(bytes).ok_or(FdtError::TooShort { len: bytes.len() })?;
        if header.magic != MAGIC {
            return Err(FdtError::Magic {
                found: header.magic,
            });
        }
        if header.version < VERSION || header.last_comp_version > VERSION {
            return Err(FdtError::Version {
                found: header.version,
                last_comp_version: header.last_comp_version,
            });
        }
        let totalsize = header.totalsize;
        let whole = to_usize(totalsize.into());
        if bytes.len() < header.end_of_blocks().min(whole) {
            return Err(FdtError::Truncated {
                len: bytes.len(),
                totalsize,
            });
        }
        let bytes = bytes.get(..whole).unwrap_or(bytes);
        let block = |name, offset: u32, len: Option<u32>, alignment: u32| {
            let start = to_usize(offset.into());
            let end = len.map_or(Some(bytes.len()), |len| {
                start.checked_add(to_usize(len.into()))
            });
            end.and_then(|end| bytes.get(start..end))
                .filter(|_| start >= HEADER_LEN && offset % alignment == 0)
                .ok_or(FdtError::Block {
                    name,
                    offset,
                    len: len.unwrap_or_default(),
                    totalsize,
                })
        };
        let tree = Self {
            header,
            reservations: block("memory reservation", header.off_mem_rsvmap, None, 8)?,
            structure: block(
                "structure",
                header.off_dt_struct,
                Some(header.size_dt_struct),
                4,
            )?,
            strings: block(
                "strings",
                header.off_dt_strings,
                Some(header.size_dt_strings),
                1,
            )?,
        };
        tree.check_reservations()?;
        tree.check_structure()?;
        // INVARIANT: just checked.
        Ok(tree)
    }

    fn check_reservations(&self) -> Result<(), FdtError> {
        let mut index = 0_usize;
        for entry in self.reservations.chunks(RESERVATION_LEN) {
            if read_be_u64(entry, 8) == Some(0) {
                return Ok(());
            }
            reservation(entry).ok_or(FdtError::Reservation { index })?;
            index = index.saturating_add(1);
        }
        Err(FdtError::Reservation { index })
    }

    fn check_structure(&self) -> Result<(), FdtError> {
        let mut tokens = self.tokens();
        let mut depth = 0_usize;
        let mut has_root = false;
        let mut within_properties = false;
        loop {
            let offset = tokens.offset();
            let nesting = FdtError::Nesting { offset };
            match tokens.step()? {
                Some(Token::BeginNode(_)) => {
                    if depth == 0 && has_root {
                        return Err(nesting);
                    }
                    if depth >= DEPTH_MAX {
                        return Err(FdtError::Depth { offset });
                    }
                    has_root = true;
                    within_properties = true;
                    depth = depth.saturating_add(1);
                }
                Some(Token::Property(_)) if within_properties => {}
                Some(Token::Property(_)) => return Err(nesting),
                Some(Token::EndNode) => {
                    within_properties = false;
                    depth = depth.checked_sub(1).ok_or(nesting)?;
                }
                None if depth == 0 && has_root => return Ok(()),
                None => return Err(nesting),
            }
        }
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The strings block.
    pub fn strings(&self) -> &'a [u8] {
        self.strings
    }

    /// All tokens, from the root's first to its last.
    pub fn tokens(&self) -> Tokens<'a> {
        Tokens::new(self.structure, self.strings)
    }

    /// The entries of the memory reservation block.
    pub fn reservations(&self) -> impl Iterator<Item = Range> + 'a {
        self.reservations
            .chunks(RESERVATION_LEN)
            .map_while(|entry| reservation(entry).filter(|range| !range.is_empty()))
    }

    /// How many of its first bytes have to be read of the tree with this header, of which there are
    /// [`HEADER_LEN`] bytes or more. Firmware leaves room to grow behind the blocks, up to a MiB.
    pub fn len_to_read(header: &[u8]) -> Option<usize> {
        Some(Header::decode(header)?.end_of_blocks())
    }

    /// The length of the tree without the room to grow that firmware leaves in it.
    pub fn contents_len(&self) -> usize {
        // An empty entry ends the reservations.
        let reservations = self
            .reservations()
            .fold(1, |count: usize, _| count.saturating_add(1));
        [self.structure.len(), self.strings.len()].into_iter().fold(
            HEADER_LEN.saturating_add(reservations.saturating_mul(RESERVATION_LEN)),
            usize::saturating_add,
        )
    }

    /// The root.
    pub fn root(&self) -> Node<'a> {
        let mut tokens = self.tokens();
        match tokens.next() {
            Some(Token::BeginNode(name)) => Node { name, tokens },
            _ => Node {
                name: &[],
                tokens: Tokens::EMPTY,
            },
        }
    }

    /// All nodes, each before its subnodes.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'a>> {
        let mut tokens = self.tokens();
        core::iter::from_fn(move || loop {
            if let Token::BeginNode(name) = tokens.next()? {
                return Some(Node { name, tokens });
            }
        })
    }

    /// The node with this path, such as `/chosen`. A name in it can lack its unit address.
    pub fn node(&self, path: &[u8]) -> Option<Node<'a>> {
        self.ancestor(path, usize::MAX)
    }

    /// The node `depth` levels below the root on the way to the one with this path.
    pub(super) fn ancestor(&self, path: &[u8], depth: usize) -> Option<Node<'a>> {
        path_names(path)?
            .take(depth)
            .try_fold(self.root(), |node, name| node.child(name))
    }
}

fn reservation(entry: &[u8]) -> Option<Range> {
    Range::from_start_len(read_be_u64(entry, 0)?, read_be_u64(entry, 8)?)
}
