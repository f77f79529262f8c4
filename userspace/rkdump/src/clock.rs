// SPDX-License-Identifier: GPL-2.0

//! The time of day, in UTC: an initrd knows no other.

use std::{
    fmt,
    time::{
        SystemTime,
        UNIX_EPOCH, //
    }, //
};

/// A moment, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    seconds: u64,
}

impl Moment {
    /// Now. A clock that is set before 1970 counts as 1970.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::from_seconds(since.map_or(0, |since| since.as_secs()))
    }

    /// A number of seconds after 1970 began.
    pub fn from_seconds(seconds: u64) -> Self {
        Self { seconds }
    }

    /// The seconds since 1970 began.
    pub fn seconds(self) -> u64 {
        self.seconds
    }

    /// Year, month and day.
    fn date(self) -> (u64, u64, u64) {
        // Counted from 1 March of the year 0, so that the leap day is a year's last.
        let days = self.seconds / 86_400 + 719_468;
        let era = days / 146_097;
        let day = days % 146_097;
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let first = (153 * month + 2) / 5;
        let (month, carry) = if month < 10 {
            (month + 3, 0)
        } else {
            (month - 9, 1)
        };
        (400 * era + year + carry, month, day - first + 1)
    }

    /// The digits that kdump-tools names a dump by: to the minute.
    pub fn stamp(self) -> String {
        let (year, month, day) = self.date();
        let minutes = self.seconds / 60 % 1_440;
        format!(
            "{year:04}{month:02}{day:02}{:02}{:02}",
            minutes / 60,
            minutes % 60
        )
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let seconds = self.seconds % 86_400;
        write!(
            f,
            "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_date_has_them() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_399, "2000-02-28 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_200, "2024-03-01 00:00:00 UTC"),
            (1_735_689_599, "2024-12-31 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(Moment::from_seconds(seconds).to_string(), text);
        }
        assert_eq!(Moment::from_seconds(1_795_797_506).stamp(), "202611271638");
    }
}
