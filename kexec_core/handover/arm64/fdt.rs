// SPDX-License-Identifier: GPL-2.0

//! Reading a flattened device tree (Devicetree Specification v0.4, chapter 5).
//!
//! [`Fdt::parse`] walks the whole tree once and refuses a malformed one. What is read afterwards
//! cannot fail any more, and no walk is recursive.

mod node;
pub(super) mod writer;

use core::fmt;
use core::mem::{offset_of, size_of};

use crate::types::bytes::{read_be_u32, read_be_u64, to_usize, write};
use crate::types::errno::Errno;
use crate::types::ranges::Range;
pub(super) use node::{is_meant, path_names};
pub use node::{take_number, Cells, Children, Node, CELL_LEN};

/// [`Header::magic`].
pub const MAGIC: u32 = 0xd00d_feed;
/// The version of the format that is read and written.
pub const VERSION: u32 = 17;
/// The oldest version that a reader of [`VERSION`] is compatible with.
pub const LAST_COMP_VERSION: u32 = 16;

/// Token: a node starts; its name follows.
pub const BEGIN_NODE: u32 = 1;
/// Token: a node ends.
pub const END_NODE: u32 = 2;
/// Token: a property; its length, its name's offset and its value follow.
pub const PROP: u32 = 3;
/// Token: to be skipped.
pub const NOP: u32 = 4;
/// Token: the structure block ends.
pub const END: u32 = 9;

/// Length of a token, and what tokens are aligned to.
pub const TOKEN_LEN: usize = 4;
/// Length of an entry of the memory reservation block: a 64-bit address and a 64-bit size.
pub const RESERVATION_LEN: usize = 16;
/// Nodes within nodes, as deep as the kernel reads them.
pub const DEPTH_MAX: usize = 64;
/// Longest name of a node or a property. The specification allows far less.
pub const NAME_LEN_MAX: usize = 1024;

/// The header. In memory, all fields are big-endian.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// [`MAGIC`].
    pub magic: u32,
    /// Length of the header and all blocks.
    pub totalsize: u32,
    /// Where the structure block starts.
    pub off_dt_struct: u32,
    /// Where the strings block starts.
    pub off_dt_strings: u32,
    /// Where the memory reservation block starts.
    pub off_mem_rsvmap: u32,
    /// Version of the format.
    pub version: u32,
    /// The oldest version that this one is compatible with.
    pub last_comp_version: u32,
    /// Physical ID of the boot CPU.
    pub boot_cpuid_phys: u32,
    /// Length of the strings block.
    pub size_dt_strings: u32,
    /// Length of the structure block.
    pub size_dt_struct: u32,
}

/// Length of a [`Header`].
pub const HEADER_LEN: usize = size_of::<Header>();

const _: () = {
    assert!(HEADER_LEN == 40);
    assert!(offset_of!(Header, totalsize) == 4);
    assert!(offset_of!(Header, off_mem_rsvmap) == 16);
    assert!(offset_of!(Header, boot_cpuid_phys) == 28);
    assert!(offset_of!(Header, size_dt_struct) == 36);
};

impl Header {
    /// Reads a header, whatever it says.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let field = |offset| read_be_u32(bytes, offset);
        Some(Self {
            magic: field(offset_of!(Self, magic))?,
            totalsize: field(offset_of!(Self, totalsize))?,
            off_dt_struct: field(offset_of!(Self, off_dt_struct))?,
            off_dt_strings: field(offset_of!(Self, off_dt_strings))?,
            off_mem_rsvmap: field(offset_of!(Self, off_mem_rsvmap))?,
            version: field(offset_of!(Self, version))?,
            last_comp_version: field(offset_of!(Self, last_comp_version))?,
            boot_cpuid_phys: field(offset_of!(Self, boot_cpuid_phys))?,
            size_dt_strings: field(offset_of!(Self, size_dt_strings))?,
            size_dt_struct: field(offset_of!(Self, size_dt_struct))?,
        })
    }

    /// The header as it is in memory.
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        for (offset, field) in [
            (offset_of!(Self, magic), self.magic),
            (offset_of!(Self, totalsize), self.totalsize),
            (offset_of!(Self, off_dt_struct), self.off_dt_struct),
            (offset_of!(Self, off_dt_strings), self.off_dt_strings),
            (offset_of!(Self, off_mem_rsvmap), self.off_mem_rsvmap),
            (offset_of!(Self, version), self.version),
            (offset_of!(Self, last_comp_version), self.last_comp_version),
            (offset_of!(Self, boot_cpuid_phys), self.boot_cpuid_phys),
            (offset_of!(Self, size_dt_strings), self.size_dt_strings),
            (offset_of!(Self, size_dt_struct), self.size_dt_struct),
        ] {
            write(&mut out, offset, &field.to_be_bytes());
        }
        out
    }
}

/// Why a device tree cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FdtError {
    /// There are too few bytes for a header.
    TooShort {
        /// How many bytes there are.
        len: usize,
    },
    /// The magic number is missing.
    Magic {
        /// What is there instead.
        found: u32,
    },
    /// The format's version is not one that is read.
    Version {
        /// The version.
        found: u32,
        /// The oldest version that it says to be compatible with.
        last_comp_version: u32,
    },
    /// The tree says that it is longer than it is.
    Truncated {
        /// How many bytes there are.
        len: usize,
        /// How many it says to have.
        totalsize: u32,
    },
    /// A block leaves the tree.
    Block {
        /// Its name.
        name: &'static str,
        /// Where it starts.
        offset: u32,
        /// Its length, where the header tells it.
        len: u32,
        /// The tree's length.
        totalsize: u32,
    },
    /// A memory reservation is not a range, or none closes the list.
    Reservation {
        /// Its number, from 0 on.
        index: usize,
    },
    /// There is a token of an unknown kind.
    Token {
        /// Where in the structure block.
        offset: usize,
        /// The token.
        found: u32,
    },
    /// The structure block ends within a token.
    Cut {
        /// Where in the structure block the token starts.
        offset: usize,
    },
    /// A name has no end, or is longer than [`NAME_LEN_MAX`].
    Name {
        /// Where in the structure block the token is that it belongs to.
        offset: usize,
    },
    /// Nodes do not nest.
    Nesting {
        /// Where in the structure block the token is that is out of place.
        offset: usize,
    },
    /// Nodes nest deeper than [`DEPTH_MAX`].
    Depth {
        /// Where in the structure block the node starts that is too deep.
        offset: usize,
    },
}

impl FdtError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        Errno::Inval
    }
}

impl fmt::Display for FdtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooShort { len } => write!(
                f,
                "the device tree has {len} bytes, but its header alone has {HEADER_LEN}"
            ),
            Self::Magic { found } => write!(
                f,
                "this is not a flattened device tree: it starts with {found:#010x}, not \
                 {MAGIC:#010x}"
            ),
            Self::Version {
                found,
                last_comp_version,
            } => write!(
                f,
                "the device tree has version {found}, compatible from {last_comp_version} on, \
                 but version {VERSION} is needed: convert it with dtc"
            ),
            Self::Truncated { len, totalsize } => write!(
                f,
                "the device tree is truncated: it has {len} bytes, but its header speaks of \
                 {totalsize}"
            ),
            Self::Block {
                name,
                offset,
                len,
                totalsize,
            } => write!(
                f,
                "the device tree's {name} block at {offset:#x} with {len:#x} bytes is misaligned \
                 or leaves the tree of {totalsize:#x} bytes: the tree is damaged"
            ),
            Self::Reservation { index } => write!(
                f,
                "the device tree's memory reservation {index} is not a range of addresses, or \
                 the list has no end: the tree is damaged"
            ),
            Self::Token { offset, found } => write!(
                f,
                "the device tree has the unknown token {found:#x} at {offset:#x} of its structure \
                 block: the tree is damaged"
            ),
            Self::Cut { offset } => write!(
                f,
                "the device tree's structure block ends within the token at {offset:#x}: the tree \
                 is damaged"
            ),
            Self::Name { offset } => write!(
                f,
                "the token at {offset:#x} of the device tree's structure block has a name without \
                 an end or of more than {NAME_LEN_MAX} bytes: the tree is damaged"
            ),
            Self::Nesting { offset } => write!(
                f,
                "the token at {offset:#x} of the device tree's structure block is out of place: \
                 one root is needed, with each node's properties before its subnodes"
            ),
            Self::Depth { offset } => write!(
                f,
                "the node at {offset:#x} of the device tree's structure block is nested deeper \
                 than {DEPTH_MAX}, which the kernel does not read either"
            ),
        }
    }
}

/// A property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Where in the strings block the name is.
    pub name_offset: u32,
    /// Its value.
    pub value: &'a [u8],
}

/// What the structure block is made of.
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
    const EMPTY: Self = Self {
        structure: &[],
        strings: &[],
        offset: 0,
    };

    /// The next token, or `None` at the end of the structure block, which is never passed.
    fn step(&mut self) -> Result<Option<Token<'a>>, FdtError> {
        loop {
            let offset = self.offset;
            let cut = FdtError::Cut { offset };
            let behind = offset.saturating_add(TOKEN_LEN);
            match read_be_u32(self.structure, offset).ok_or(cut)? {
                NOP => self.offset = behind,
                END => return Ok(None),
                END_NODE => {
                    self.offset = behind;
                    return Ok(Some(Token::EndNode));
                }
                BEGIN_NODE => {
                    let name = string(self.structure, behind).ok_or(FdtError::Name { offset })?;
                    let end = behind.saturating_add(name.len()).saturating_add(1);
                    self.offset = next_token(end).ok_or(cut)?;
                    return Ok(Some(Token::BeginNode(name)));
                }
                PROP => {
                    let len = read_be_u32(self.structure, behind).ok_or(cut)?;
                    let name_offset = behind.saturating_add(TOKEN_LEN);
                    let name_offset = read_be_u32(self.structure, name_offset).ok_or(cut)?;
                    let start = behind.saturating_add(2 * TOKEN_LEN);
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

/// The token that follows what ends at `end`.
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
    /// Reads the tree at the start of `bytes`.
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
        let bytes = bytes
            .get(..to_usize(totalsize.into()))
            .ok_or(FdtError::Truncated {
                len: bytes.len(),
                totalsize,
            })?;
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
            let offset = tokens.offset;
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
        Tokens {
            structure: self.structure,
            strings: self.strings,
            offset: 0,
        }
    }

    /// The entries of the memory reservation block.
    pub fn reservations(&self) -> impl Iterator<Item = Range> + 'a {
        self.reservations
            .chunks(RESERVATION_LEN)
            .map_while(|entry| reservation(entry).filter(|range| !range.is_empty()))
    }

    /// How long the tree is without room to grow, which firmware leaves in it.
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
