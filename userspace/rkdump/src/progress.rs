// SPDX-License-Identifier: GPL-2.0

//! How far a dump is: on a terminal one line that is written anew, and on a serial console or in a log a
//! line now and then.

use std::{
    io::{
        self,
        IsTerminal,
        Write, //
    },
    sync::atomic::{
        AtomicU64,
        Ordering, //
    },
    time::{
        Duration,
        Instant, //
    }, //
};

use crate::arguments::Progress as How;

/// On a terminal the line is written anew so often.
const TERMINAL_INTERVAL: Duration = Duration::from_secs(1);
/// A new line comes after this time, or after so many percent.
const LINES_INTERVAL: Duration = Duration::from_secs(5);
const LINES_PERCENT: u64 = 10;

/// A serial console: a terminal on which nobody sees a line that is written anew.
const CONSOLE: &str = "/dev/console";

/// What the workers have done so far.
#[derive(Debug, Default)]
pub struct Done {
    pages: AtomicU64,
}

impl Done {
    /// Counts pages that were saved.
    pub fn add(&self, pages: u64) {
        self.pages.fetch_add(pages, Ordering::Relaxed);
    }

    /// The pages so far.
    pub fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }
}

/// Shows how far a dump is.
pub struct Display {
    how: How,
    total: u64,
    page_len: u64,
    begin: Instant,
    shown: Instant,
    percent: u64,
    width: usize,
}

impl Display {
    /// Shows the progress through so many pages.
    pub fn new(how: How, total: u64, page_len: u64) -> Self {
        let now = Instant::now();
        Self {
            how: match how {
                How::Auto => automatic(),
                how => how,
            },
            total,
            page_len,
            begin: now,
            shown: now,
            percent: 0,
            width: 0,
        }
    }

    /// Shows what was done, if it is time to. Standard error may be gone, which is no reason to stop.
    pub fn update(&mut self, pages: u64) {
        let now = Instant::now();
        let percent = percent(pages, self.total);
        let due = match self.how {
            How::Auto | How::None => false,
            How::Terminal => now - self.shown >= TERMINAL_INTERVAL,
            How::Lines => {
                now - self.shown >= LINES_INTERVAL
                    || percent / LINES_PERCENT > self.percent / LINES_PERCENT
            }
        };
        if due {
            self.shown = now;
            self.percent = percent;
            let line = line(pages, self.total, self.page_len, now - self.begin);
            self.show(&line);
        }
    }

    /// Takes the last line from a terminal.
    pub fn finish(mut self) {
        if self.how == How::Terminal && self.width > 0 {
            self.show("");
            let _ = io::stderr().write_all(b"\r");
        }
    }

    fn show(&mut self, line: &str) {
        let text = match self.how {
            How::Terminal => format!("\r{line:width$}", width = self.width),
            _ => format!("{line}\n"),
        };
        self.width = line.len();
        let _ = io::stderr().write_all(text.as_bytes());
    }
}

/// What suits standard error.
fn automatic() -> How {
    let stderr = io::stderr();
    let on_console = nix::unistd::ttyname(&stderr).is_ok_and(|name| {
        // Serial lines, and what the kernel names a console by.
        let name = name.to_string_lossy();
        name == CONSOLE || name.starts_with("/dev/ttyS") || name.starts_with("/dev/ttyAMA")
    });
    match stderr.is_terminal() && !on_console {
        true => How::Terminal,
        false => How::Lines,
    }
}

fn percent(pages: u64, total: u64) -> u64 {
    match total {
        0 => 100,
        _ => (u128::from(pages) * 100 / u128::from(total)) as u64,
    }
}

/// One line: how much, how fast, and how long it will take if it goes on like that.
fn line(pages: u64, total: u64, page_len: u64, time: Duration) -> String {
    let seconds = time.as_secs_f64().max(0.001);
    let mib = |pages: u64| (pages * page_len) as f64 / f64::from(1 << 20);
    let rate = mib(pages) / seconds;
    let left = match pages {
        0 => "unknown".to_string(),
        _ => {
            let left = seconds * (total.saturating_sub(pages)) as f64 / pages as f64;
            duration(left)
        }
    };
    format!(
        "{:3} % of {:.0} MiB, {rate:.0} MiB/s, {left} left",
        percent(pages, total),
        mib(total)
    )
}

/// A time in words.
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_much_how_fast_and_how_long() {
        let gib = 1 << 18;
        for (pages, seconds, text) in [
            (0, 0, "  0 % of 1024 MiB, 0 MiB/s, unknown left"),
            (gib / 4, 2, " 25 % of 1024 MiB, 128 MiB/s, 6 s left"),
            (gib / 64, 10, "  1 % of 1024 MiB, 2 MiB/s, 10 min 30 s left"),
            (
                gib / 1024,
                60,
                "  0 % of 1024 MiB, 0 MiB/s, 17 h 3 min left",
            ),
            (gib, 8, "100 % of 1024 MiB, 128 MiB/s, 0 s left"),
        ] {
            assert_eq!(line(pages, gib, 4096, Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn an_empty_dump_is_done() {
        assert_eq!(percent(0, 0), 100);
    }
}
