// SPDX-License-Identifier: GPL-2.0

//! Whether the guest has come to rest: for some seconds on end it has hardly computed.
//!
//! The seconds are those that the kernel has counted as computing or idle. A guest that has something to do
//! while the host has no time for it is neither, so that a slow host makes nothing look like rest. The
//! clock goes on meanwhile, and would.

/// The seconds that rest has to last.
const REST: u32 = 5;
/// The ticks in a second of /proc/stat: USER_HZ.
const SECOND: u64 = 100;
/// The share of a second that may be spent computing: 1 of this. An initrd that waits for a disk looks for
/// it again and again.
const SHARE: u64 = 5;

/// What the kernel has counted since it booted, in ticks.
#[derive(Clone, Copy, Debug)]
struct Counted {
    /// Of all CPUs together.
    busy: u64,
    /// The average of a CPU, with what it was idle.
    all: u64,
}

/// Follows the counts.
#[derive(Debug, Default)]
pub struct Rest {
    last: Option<Counted>,
    quiet: u32,
}

impl Rest {
    /// Takes the counts of this moment: /proc/stat. Says whether the guest has come to rest.
    pub fn has_come(&mut self, stat: &str) -> bool {
        let Some(now) = counted(stat) else {
            return false;
        };
        let last = *self.last.get_or_insert(now);
        let all = now.all.saturating_sub(last.all);
        if all >= SECOND {
            // However much more than a second it is: an idle guest may have been kept waiting too.
            self.quiet = match now.busy.saturating_sub(last.busy) * SHARE <= all {
                true => self.quiet + 1,
                false => 0,
            };
            self.last = Some(now);
        }
        self.quiet >= REST
    }
}

fn counted(stat: &str) -> Option<Counted> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let cpus = stat.lines().filter(|line| line.starts_with("cpu")).count() - 1;
    // user, nice, system, idle, iowait, irq, softirq, steal; the rest is in these.
    let ticks: Vec<u64> = line
        .split_ascii_whitespace()
        .take(8)
        .map_while(|field| field.parse().ok())
        .collect();
    let all: u64 = ticks.iter().sum();
    Some(Counted {
        busy: all - ticks.get(3)?,
        all: all.checked_div(cpus as u64)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the guest has come to rest, if it is busy and idle for so many ticks from look to look.
    fn rests_after(ticks: &[(u64, u64)]) -> Option<usize> {
        let mut rest = Rest::default();
        let (mut busy, mut idle) = (0, 12345);
        let mut look = |(more_busy, more_idle): (u64, u64)| {
            busy += more_busy;
            idle += more_idle;
            rest.has_come(&format!("cpu  {busy} 0 0 {idle} 0 0 0 0 0 0\ncpu0 1 2 3\n"))
        };
        look((0, 0));
        (1..)
            .zip(ticks)
            .find_map(|(number, ticks)| look(*ticks).then_some(number))
    }

    #[test]
    fn five_quiet_seconds_are_rest() {
        let quiet = (10, 90);
        assert_eq!(rests_after(&[quiet; 4]), None);
        assert_eq!(rests_after(&[quiet; 5]), Some(5));
    }

    #[test]
    fn work_starts_the_count_again() {
        let (quiet, work) = ((10, 90), (30, 70));
        let ticks = [quiet, quiet, work, quiet, quiet, quiet, quiet, quiet];
        assert_eq!(rests_after(&ticks), Some(8));
    }

    #[test]
    fn a_guest_that_the_host_keeps_waiting_does_not_rest() {
        // While it has something to do, nothing is counted.
        assert_eq!(rests_after(&[(2, 0); 20]), None);
        // While it has not, all that counts as idle is one second.
        assert_eq!(rests_after(&[(0, 2000)]), None);
    }

    #[test]
    fn one_busy_cpu_of_many_is_no_rest() {
        let stat = |busy: u64, idle: u64| format!("cpu {busy} 0 0 {idle}\ncpu0 1\ncpu1 1\n");
        let mut rest = Rest::default();
        let rests = |second: u64| rest.has_come(&stat(30 * second, 170 * second));
        assert!(!(0..20).any(rests));
    }
}
