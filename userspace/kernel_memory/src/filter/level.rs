// SPDX-License-Identifier: GPL-2.0

//! The dump level: which kinds of pages are left out, as makedumpfile's option `-d` counts them.

use std::{
    fmt,
    str::FromStr, //
};

/// A sum of what is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// Pages of zeros.
    pub const ZERO: u8 = 1;
    /// The page cache, but for pages with data of their file system's.
    pub const CACHE: u8 = 2;
    /// All of the page cache.
    pub const PRIVATE_CACHE: u8 = 4;
    /// The memory of processes.
    pub const USER: u8 = 8;
    /// Memory that nobody uses.
    pub const FREE: u8 = 16;

    /// All that can be left out.
    pub const MAX: Self = Self(31);

    /// A level of 0 to 31.
    pub fn new(level: u8) -> Result<Self, LevelError> {
        if level <= Self::MAX.0 {
            Ok(Self(level))
        } else {
            Err(LevelError)
        }
    }

    /// The number.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether one of these kinds is left out.
    pub fn has(self, kinds: u8) -> bool {
        self.0 & kinds != 0
    }
}

impl FromStr for Level {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        Self::new(text.parse().map_err(|_| LevelError)?)
    }
}

/// The level is not a number from 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelError;

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a dump level is a number from 0 to 31, the sum of 1 (pages of zeros), 2 (page cache), 4 \
             (page cache with private data too), 8 (memory of processes) and 16 (free memory)"
        )
    }
}

impl std::error::Error for LevelError {}
