// SPDX-License-Identifier: GPL-2.0

//! What a command line asks for.

use super::{
    error::RequestError,
    number::number,
    rules::Rules, //
};
use crate::types::bytes::align_up;

const NAME: &[u8] = b"crashkernel=";
const HIGH: &[u8] = b",high";
const LOW: &[u8] = b",low";
const CMA: &[u8] = b",cma";

/// Sizes in ranges (`1G-4G:256M`) are chosen by the machine's memory rounded up to a multiple of this,
/// because firmware keeps some of it.
const RAM_UNIT: u64 = 128 << 20;

/// Memory that a command line asks the kernel to reserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Length of the region in bytes.
    pub len: u64,
    /// The address that the region has to have, where one is given.
    pub at: Option<u64>,
    /// Whether the region is looked for above 4 GiB first (`,high`).
    pub high: bool,
    /// Length of the second region, below 4 GiB, in bytes (`,low`), where it is given.
    pub low_len: Option<u64>,
    /// Bytes that the running kernel goes on to use, and the capture kernel as well (`,cma`). They are
    /// no part of the region.
    pub cma_len: u64,
}

/// What a command line asks for on a machine with `ram` bytes of memory; none if it does not have the
/// parameter.
///
/// The kernel looks for the parameter's name anywhere in the line, inside other words and quotes too,
/// and takes the last one of each kind.
pub fn request(
    command_line: &[u8],
    ram: u64,
    rules: &Rules,
) -> Result<Option<Request>, RequestError> {
    let cma_len = match rules.knows_cma {
        true => last(command_line, Some(CMA), rules).map_or(Ok(0), |value| suffixed(value, CMA)),
        false => Ok(0),
    };
    let found = if let Some(value) = last(command_line, None, rules) {
        plain(value, ram, rules)?
    } else if let Some(value) = last(command_line, Some(HIGH), rules) {
        let low = last(command_line, Some(LOW), rules);
        Request {
            len: suffixed(value, HIGH)?,
            at: None,
            high: true,
            low_len: low.map(|value| suffixed(value, LOW)).transpose()?,
            cma_len: 0,
        }
    } else {
        // These ask for memory besides the region, and reserve nothing without one.
        let alone = last(command_line, Some(LOW), rules).or(last(command_line, Some(CMA), rules));
        return match alone {
            Some(value) => Err(RequestError::Alone {
                column: value.column(),
            }),
            None => Ok(None),
        };
    };
    if found.len == 0 {
        return Err(RequestError::Nothing);
    }
    if found.len >= ram {
        return Err(RequestError::MoreThanRam {
            len: found.len,
            ram,
        });
    }
    Ok(Some(Request {
        cma_len: cma_len?,
        ..found
    }))
}

/// The value of a parameter, in the command line.
#[derive(Clone, Copy)]
struct Value<'a> {
    /// From the value's first byte to the command line's end.
    text: &'a [u8],
    /// The value's offset in the command line.
    offset: usize,
}

impl<'a> Value<'a> {
    /// The first byte's column, from 1 on.
    fn column(&self) -> usize {
        self.offset.saturating_add(1)
    }

    fn first(&self) -> Option<u8> {
        // A space ends the parameter. The kernel takes no other white space for an end.
        self.text.first().copied().filter(|byte| *byte != b' ')
    }

    /// What follows the first `len` bytes.
    fn after(&self, len: usize) -> Self {
        Self {
            text: self.text.get(len..).unwrap_or_default(),
            offset: self.offset.saturating_add(len),
        }
    }

    /// The bytes up to the parameter's end.
    fn word(&self) -> &'a [u8] {
        let len = self.text.iter().position(|byte| *byte == b' ');
        len.and_then(|len| self.text.get(..len))
            .unwrap_or(self.text)
    }

    fn number(&self) -> Result<(u64, Self), RequestError> {
        let column = self.column();
        let found = number(self.text).ok_or(RequestError::NoNumber {
            column,
            found: self.first(),
        })?;
        let value = found.value.ok_or(RequestError::TooLarge { column })?;
        let len = self.text.len().saturating_sub(found.rest.len());
        Ok((value, self.after(len)))
    }

    /// What follows this byte, which has to be the first.
    fn expect(&self, expected: char) -> Result<Self, RequestError> {
        match self.first() {
            Some(found) if char::from(found) == expected => Ok(self.after(1)),
            found => Err(RequestError::Expected {
                column: self.column(),
                expected,
                found,
            }),
        }
    }

    fn end(&self) -> Result<(), RequestError> {
        match self.first() {
            None => Ok(()),
            Some(found) => Err(RequestError::Unexpected {
                column: self.column(),
                found,
            }),
        }
    }
}

/// The last parameter with this suffix; without one, the last that has no suffix which the kernel knows.
fn last<'a>(command_line: &'a [u8], suffix: Option<&[u8]>, rules: &Rules) -> Option<Value<'a>> {
    let known: &[&[u8]] = match rules.knows_cma {
        true => &[HIGH, LOW, CMA],
        false => &[HIGH, LOW],
    };
    let wanted = |value: &Value<'_>| match suffix {
        Some(suffix) => value.word().ends_with(suffix),
        None => !known.iter().any(|suffix| value.word().ends_with(suffix)),
    };
    (0..command_line.len()).rev().find_map(|start| {
        let text = command_line.get(start..)?.strip_prefix(NAME)?;
        let offset = start.saturating_add(NAME.len());
        Some(Value { text, offset }).filter(wanted)
    })
}

/// A size with `,high`, `,low` or `,cma`.
fn suffixed(value: Value<'_>, suffix: &[u8]) -> Result<u64, RequestError> {
    let (len, rest) = value.number()?;
    let rest = match rest.text.starts_with(suffix) {
        true => rest.after(suffix.len()),
        false => rest,
    };
    rest.end()?;
    Ok(len)
}

/// `SIZE[@ADDRESS]`, or `RANGE:SIZE[,RANGE:SIZE...][@ADDRESS]`.
fn plain(value: Value<'_>, ram: u64, rules: &Rules) -> Result<Request, RequestError> {
    let (len, rest) = match value.word().contains(&b':') {
        true => by_ranges(value, ram)?,
        false => value.number()?,
    };
    if !rules.knows_cma && rest.word() == CMA {
        let column = value.column();
        return Err(RequestError::CmaUnknown { column });
    }
    let at = match rest.first() {
        Some(b'@') => {
            let (at, rest) = rest.after(1).number()?;
            rest.end()?;
            at
        }
        _ => {
            rest.end()?;
            0
        }
    };
    Ok(Request {
        len,
        // The kernel takes address 0 for none.
        at: Some(at).filter(|at| *at != 0),
        high: false,
        low_len: None,
        cma_len: 0,
    })
}

/// The bytes for this much memory, and what follows the last range. The kernel reads no range after the
/// one that its memory is in.
fn by_ranges(value: Value<'_>, ram: u64) -> Result<(u64, Value<'_>), RequestError> {
    // As much memory as there cannot be is in the last range.
    let ram = align_up(ram, RAM_UNIT).unwrap_or(u64::MAX);
    let mut rest = value;
    let mut found = None;
    loop {
        let (start, after) = rest.number()?;
        let after = after.expect('-')?;
        let (end, after) = match after.first() {
            Some(b':') => (u64::MAX, after),
            _ => after.number()?,
        };
        if end <= start {
            return Err(RequestError::EmptyRange {
                column: rest.column(),
                start,
                end,
            });
        }
        let sizes = after.expect(':')?;
        let (len, after) = sizes.number()?;
        if found.is_none() && len >= ram {
            return Err(RequestError::MoreThanRam { len, ram });
        }
        if start <= ram && ram < end {
            found = found.or(Some(len));
        }
        match after.first() {
            Some(b',') => rest = after.after(1),
            _ => {
                rest = after;
                break;
            }
        }
    }
    let len = found.ok_or(RequestError::NoRange { ram })?;
    Ok((len, rest))
}
