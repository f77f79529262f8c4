// SPDX-License-Identifier: GPL-2.0

//! Options of the programs: numbers, options that must be given, and files that are named.
//!
//! ```
//! use guest::arguments::{number, required};
//! use lexopt::Arg::Long;
//!
//! let mut parser = lexopt::Parser::from_args(["--seed=0x10"]);
//! let mut seed = None;
//! while let Some(option) = parser.next()? {
//!     match option {
//!         Long("seed") => seed = Some(number(&mut parser)?),
//!         other => return Err(other.unexpected()),
//!     }
//! }
//! assert_eq!(required(seed, "--seed")?, 16);
//! # Ok::<(), lexopt::Error>(())
//! ```

use std::{
    fs::File,
    path::Path, //
};

use lexopt::ValueExt;

use crate::report::Failure;

/// The number after the option that `parser` is at: decimal, or hexadecimal after `0x`.
pub fn number(parser: &mut lexopt::Parser) -> Result<u64, lexopt::Error> {
    parser.value()?.parse_with(parse_number)
}

/// An option that must be given.
pub fn required<T>(value: Option<T>, option: &str) -> Result<T, lexopt::Error> {
    value.ok_or_else(|| format!("{option} is missing").into())
}

/// Opens a named file for reading.
pub fn open(path: &Path) -> Result<File, Failure> {
    File::open(path)
        .map_err(|error| Failure::io(format_args!("cannot open {}", path.display()), &error))
}

fn parse_number(text: &str) -> Result<u64, std::num::ParseIntError> {
    match text.strip_prefix("0x") {
        // from_str_radix would take a sign here.
        Some(digits) if !digits.starts_with('+') => u64::from_str_radix(digits, 16),
        _ => text.parse(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!(parse_number("4096"), Ok(4096));
        assert_eq!(parse_number("0x1000"), Ok(4096));
        assert_eq!(parse_number("0xffffffffffffffff"), Ok(u64::MAX));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "0x", "0x+1", "-1", "1k", "0x1_0", "0x1ffffffffffffffff"] {
            assert!(parse_number(text).is_err(), "{text}");
        }
    }
}
