// SPDX-License-Identifier: GPL-2.0

//! Hexadecimal numbers as text, for programs without the core library's formatting.

/// Length of the longest number's text.
const LEN_MAX: usize = 18;

/// The text of a number: `0x…` without leading zeros.
#[derive(Clone, Copy, Debug)]
pub struct Hexadecimal {
    text: [u8; LEN_MAX],
    len: usize,
}

impl Hexadecimal {
    /// The text of `value`.
    pub fn new(value: u64) -> Self {
        let digits = 16_u32.saturating_sub(value.leading_zeros() / 4).max(1);
        let mut text = *b"0x0000000000000000";
        let mut shift = digits.saturating_mul(4);
        for place in text.iter_mut().skip(2).take(digits as usize) {
            shift = shift.saturating_sub(4);
            let digit = value.wrapping_shr(shift) & 15;
            *place = match digit as u8 {
                digit @ 0..=9 => digit.wrapping_add(b'0'),
                digit => digit.wrapping_sub(10).wrapping_add(b'a'),
            };
        }
        Self {
            text,
            len: (digits as usize).saturating_add(2),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        let text = self.text.get(..self.len).unwrap_or_default();
        core::str::from_utf8(text).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::format;

    #[test]
    fn the_text_is_that_of_the_core_library() {
        let shifted = (0..64).map(|shift| 1_u64 << shift);
        let numbers = [0, 9, 10, 0xabc_def0, 0x1234_5678_9abc_def0, u64::MAX];
        for number in shifted.chain(numbers) {
            assert_eq!(Hexadecimal::new(number).as_str(), format!("{number:#x}"));
        }
    }
}
