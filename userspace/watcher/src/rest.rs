// SPDX-License-Identifier: GPL-2.0

//! Whether the guest has come to rest: for some seconds on end it has hardly computed.
//!
//! The seconds are the guest's own. On a host that has little time for it, a guest with something to do
//! looks busier, never idler, so that a slow host makes nothing look like rest.

use std::time::Duration;

/// The time between two figures.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long rest has to last.
const REST: Duration = Duration::from_secs(5);
/// The share of an interval that may be spent computing: 1 of this. An initrd that waits for a disk looks
/// for it again and again.
const SHARE: u32 = 5;
/// A tick of /proc/stat: USER_HZ is 100.
const TICK: Duration = Duration::from_millis(10);

/// The time that the guest's CPUs have computed, and when that was looked at.
#[derive(Clone, Copy, Debug)]
struct Figure {
    at: Duration,
    busy: Duration,
}

/// Follows the figures.
#[derive(Debug, Default)]
pub struct Rest {
    last: Option<Figure>,
    since: Option<Duration>,
}

impl Rest {
    /// Takes a figure of a moment: /proc/stat. Says whether the guest has come to rest.
    pub fn has_come(&mut self, at: Duration, stat: &str) -> bool {
        let Some(busy) = busy(stat) else {
            return false;
        };
        let new = Figure { at, busy };
        let last = *self.last.get_or_insert(new);
        let elapsed = at.saturating_sub(last.at);
        if elapsed >= INTERVAL {
            let computed = busy.saturating_sub(last.busy);
            self.since = match computed * SHARE <= elapsed {
                true => self.since.or(Some(last.at)),
                false => None,
            };
            self.last = Some(new);
        }
        self.since
            .is_some_and(|since| at.saturating_sub(since) >= REST)
    }
}

/// The time that all CPUs together have computed.
fn busy(stat: &str) -> Option<Duration> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    // user, nice, system, idle, iowait, irq, softirq, steal; the rest is in these.
    let ticks: Vec<u32> = line
        .split_ascii_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let all: u32 = ticks.iter().sum();
    let idle = ticks.get(3)?;
    Some(TICK * (all - idle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stat(busy: u64) -> String {
        format!("cpu  {busy} 0 0 12345 0 0 0 0 0 0\ncpu0 1 2 3\n")
    }

    /// When the guest has come to rest, if each second has so many ticks.
    fn rests_after(ticks: &[u64]) -> Option<usize> {
        let mut rest = Rest::default();
        let mut all = 0;
        rest.has_come(Duration::ZERO, &stat(0));
        for (second, ticks) in (1..).zip(ticks) {
            all += ticks;
            if rest.has_come(Duration::from_secs(second), &stat(all)) {
                return Some(second as usize);
            }
        }
        None
    }

    #[test]
    fn five_quiet_seconds_are_rest() {
        assert_eq!(rests_after(&[1, 0, 20, 1, 0, 0]), Some(5));
    }

    #[test]
    fn work_starts_the_count_again() {
        assert_eq!(rests_after(&[90, 1, 1, 1, 30, 1, 1, 1, 1]), None);
        assert_eq!(rests_after(&[90, 1, 1, 1, 30, 1, 1, 1, 1, 1]), Some(10));
    }
}
