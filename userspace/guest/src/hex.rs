// SPDX-License-Identifier: GPL-2.0

//! Addresses and register values: strings in hexadecimal, since JSON readers may lose bits of a
//! large number.

use std::fmt;

use serde::{
    Serialize,
    Serializer, //
};

/// A number that is written as `0x…`.
///
/// ```
/// use guest::hex::Hex;
///
/// assert_eq!(Hex(0xffff_8880_0000_0001).to_string(), "0xffff888000000001");
/// assert_eq!(serde_json::to_string(&Hex(16))?, r#""0x10""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hex(pub u64);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
