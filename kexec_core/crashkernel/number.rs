// SPDX-License-Identifier: GPL-2.0

//! Numbers of bytes, as the kernel reads them: memparse() of lib/cmdline.c.

/// A number at the start of a text, and the rest of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number<'a> {
    /// The value, or none if it has more than 64 bits.
    pub(super) value: Option<u64>,
    /// What follows the number.
    pub(super) rest: &'a [u8],
}

/// Reads a number: decimal, octal after `0`, hexadecimal after `0x`, with one of the suffixes K, M, G, T,
/// P and E, in either case. None if the text does not start with one.
///
/// To older kernels (6.12) a suffix without digits is a 0, and a number of more than 64 bits is its last
/// 64; to newer ones (7.3) it is no number, and the largest one.
pub(super) fn number(text: &[u8]) -> Option<Number<'_>> {
    let (base, digits) = base(text);
    let mut value = Some(0_u64);
    let mut len = 0_usize;
    for byte in digits {
        let Some(digit) = char::from(*byte).to_digit(base) else {
            break;
        };
        value = value
            .and_then(|value| value.checked_mul(u64::from(base)))
            .and_then(|value| value.checked_add(u64::from(digit)));
        len = len.saturating_add(1);
    }
    if len == 0 {
        return None;
    }
    let rest = digits.get(len..)?;
    let Some(shift) = rest.first().and_then(shift) else {
        return Some(Number { value, rest });
    };
    Some(Number {
        value: value.and_then(|value| value.checked_mul(1 << shift)),
        rest: rest.get(1..)?,
    })
}

/// All of a text as a number of bytes, such as `512M`. None if it is something else, or too large.
pub fn size(text: &[u8]) -> Option<u64> {
    let found = number(text).filter(|found| found.rest.is_empty())?;
    found.value
}

/// The base that the digits of a number have, and the digits, which other bytes may follow.
fn base(text: &[u8]) -> (u32, &[u8]) {
    match text {
        [b'0', b'x' | b'X', digits @ ..] if digits.first().is_some_and(u8::is_ascii_hexdigit) => {
            (16, digits)
        }
        [b'0', ..] => (8, text),
        _ => (10, text),
    }
}

/// The power of two that a suffix stands for.
fn shift(suffix: &u8) -> Option<u32> {
    Some(match suffix.to_ascii_uppercase() {
        b'K' => 10,
        b'M' => 20,
        b'G' => 30,
        b'T' => 40,
        b'P' => 50,
        b'E' => 60,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_kernel_reads_them() {
        for (text, value, rest) in [
            ("256M", 256 << 20, ""),
            ("1g@16M", 1 << 30, "@16M"),
            ("0x1000", 0x1000, ""),
            ("0X1fK,high", 0x1f << 10, ",high"),
            ("010", 8, ""),
            ("08", 0, "8"),
            ("0x", 0, "x"),
            ("0xg", 0, "xg"),
            ("12 3", 12, " 3"),
            ("7E", 7 << 60, ""),
            ("2T-3P", 2 << 40, "-3P"),
            // Hexadecimal takes the E for a digit.
            ("0x1E", 0x1e, ""),
            ("64MB", 64 << 20, "B"),
        ] {
            let found = number(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (found.value, found.rest),
                (Some(value), rest.as_bytes()),
                "{text}"
            );
        }
        for text in ["", "x", "M", "-1", " 1", "\"1", ",", "@"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_number_of_more_than_64_bits_has_no_value() {
        for (text, rest) in [
            ("18446744073709551616", ""),
            ("16E,high", ",high"),
            ("0x10000000000000000-", "-"),
            ("99999999999999999999999K", ""),
        ] {
            let found = number(text.as_bytes()).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((found.value, found.rest), (None, rest.as_bytes()), "{text}");
        }
        let most = number(b"18446744073709551615").and_then(|found| found.value);
        assert_eq!(most, Some(u64::MAX));
    }
}
