// SPDX-License-Identifier: GPL-2.0

//! DER, the encoding of signatures and of signed contents (ITU-T X.690, section 10). Only definite
//! lengths and one-byte tags are supported.

use core::fmt;

/// Tag of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// Tag of an OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Tag of an OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Tag of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// Tag of a SET.
pub const SET: u8 = 0x31;
/// Tag of contents with the explicit tag \[0\].
pub const EXPLICIT_0: u8 = 0xa0;

/// The low bits of a tag's first byte if more bytes follow.
const MULTIBYTE_TAG: u8 = 0x1f;
/// Set in a length's first byte if the other bits count the bytes of the length.
const LONG_LENGTH: u8 = 0x80;
/// Most bytes of a length that are read.
const LENGTH_BYTES_MAX: usize = 4;

/// Why bytes are not the DER that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerError {
    /// The bytes end before the element does.
    Truncated {
        /// Bytes that the element still has.
        needed: usize,
        /// Bytes that are left.
        len: usize,
    },
    /// The element has another tag.
    Tag {
        /// The element's tag.
        found: u8,
        /// The tag it should have.
        expected: u8,
    },
    /// The length has a form that DER does not have, or more than four bytes.
    Length {
        /// The first byte of the length.
        found: u8,
    },
    /// Something follows the last element.
    Trailing {
        /// The number of bytes.
        len: usize,
    },
}

impl fmt::Display for DerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Truncated { needed, len } => {
                write!(f, "an element has {needed} more bytes, but {len} are left")
            }
            Self::Tag { found, expected } => write!(
                f,
                "an element has the tag {found:#04x}, not {expected:#04x}"
            ),
            Self::Length { found } => write!(
                f,
                "a length starts with {found:#04x}, which is not DER's shortest form of a length \
                 below 4 GiB"
            ),
            Self::Trailing { len } => write!(f, "{len} bytes follow the last element"),
        }
    }
}

/// An element: its tag and its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tag's only byte.
    pub tag: u8,
    /// The contents, which follow the length.
    pub contents: &'a [u8],
}

/// The elements of a byte string, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader of the elements in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The bytes that were not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    fn byte(&mut self) -> Result<u8, DerError> {
        let (first, rest) = self
            .rest
            .split_first()
            .ok_or(DerError::Truncated { needed: 1, len: 0 })?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, needed: usize) -> Result<&'a [u8], DerError> {
        let truncated = DerError::Truncated {
            needed,
            len: self.rest.len(),
        };
        let taken = self.rest.get(..needed).ok_or(truncated)?;
        self.rest = self.rest.get(needed..).ok_or(truncated)?;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, DerError> {
        let found = self.byte()?;
        if found & LONG_LENGTH == 0 {
            return Ok(found.into());
        }
        let invalid = DerError::Length { found };
        let count = usize::from(found & !LONG_LENGTH);
        if count == 0 || count > LENGTH_BYTES_MAX {
            return Err(invalid);
        }
        let bytes = self.bytes(count)?;
        // Four bytes at most: nothing is shifted out.
        let len = bytes
            .iter()
            .fold(0, |len: usize, byte| (len << 8) | usize::from(*byte));
        let shortest = bytes.first() != Some(&0) && len >= usize::from(LONG_LENGTH);
        if !shortest {
            return Err(invalid);
        }
        Ok(len)
    }

    /// Reads the next element, with any tag.
    pub fn element(&mut self) -> Result<Element<'a>, DerError> {
        let tag = self.byte()?;
        if tag & MULTIBYTE_TAG == MULTIBYTE_TAG {
            return Err(DerError::Tag {
                found: tag,
                expected: SEQUENCE,
            });
        }
        let len = self.length()?;
        Ok(Element {
            tag,
            contents: self.bytes(len)?,
        })
    }

    /// Reads the next element, which has to have this tag, and returns its contents.
    pub fn expect(&mut self, expected: u8) -> Result<&'a [u8], DerError> {
        // The tag is checked first, so that the error names a wrong tag before a wrong length.
        if let Some(found) = self.rest.first().copied().filter(|tag| *tag != expected) {
            return Err(DerError::Tag { found, expected });
        }
        Ok(self.element()?.contents)
    }

    /// Checks that everything was read.
    pub fn finish(&self) -> Result<(), DerError> {
        match self.rest.len() {
            0 => Ok(()),
            len => Err(DerError::Trailing { len }),
        }
    }
}

/// The first element of `bytes` with its tag and length, without the bytes after it.
pub fn first_element(bytes: &[u8], tag: u8) -> Result<&[u8], DerError> {
    let mut reader = Reader::new(bytes);
    reader.expect(tag)?;
    let len = bytes.len().saturating_sub(reader.rest.len());
    Ok(bytes.get(..len).unwrap_or(bytes))
}

/// The longest object identifier that [`ObjectIdentifier`] keeps whole.
const OBJECT_IDENTIFIER_MAX: usize = 16;

/// An object identifier, for sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ObjectIdentifier {
    bytes: [u8; OBJECT_IDENTIFIER_MAX],
    len: usize,
}

impl ObjectIdentifier {
    /// The object identifier with this encoding. Only the start of a longer one is kept.
    pub fn new(encoded: &[u8]) -> Self {
        let mut bytes = [0; OBJECT_IDENTIFIER_MAX];
        for (to, from) in bytes.iter_mut().zip(encoded) {
            *to = *from;
        }
        Self {
            bytes,
            len: encoded.len(),
        }
    }
}

impl fmt::Display for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // X.690, section 8.19: seven bits a byte, the first number holds two arcs.
        const MORE: u8 = 0x80;
        let mut first = true;
        let mut arc: u64 = 0;
        for byte in self.bytes.get(..self.len).unwrap_or(&self.bytes) {
            arc = arc.wrapping_shl(7) | u64::from(byte & !MORE);
            if byte & MORE != 0 {
                continue;
            }
            if first {
                let top = (arc / 40).min(2);
                write!(f, "{top}.{}", arc.wrapping_sub(top.wrapping_mul(40)))?;
                first = false;
            } else {
                write!(f, ".{arc}")?;
            }
            arc = 0;
        }
        if self.len > OBJECT_IDENTIFIER_MAX {
            f.write_str("...")?;
        }
        Ok(())
    }
}
