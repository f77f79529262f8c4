// SPDX-License-Identifier: GPL-2.0

//! What became of a guest.

use std::time::Duration;

use watcher::account::{
    Account,
    Stage, //
};

/// How the kernel begins the line of a panic.
const PANIC: &str = "Kernel panic - not syncing: ";
/// What is printed before a machine stays as it is: by panic(), and by what decompresses the kernel.
const STOPPED: [&str; 2] = ["---[ end Kernel panic", "-- System halted"];

/// What became of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// So many bytes of /proc/vmcore were read, after the service had started.
    Read {
        /// How that was seen.
        seen: String,
        /// The bytes.
        len: u64,
    },
    /// The initrd has no room.
    NoRoom,
    /// It did not come to that.
    Failed(String),
}

impl Outcome {
    /// The outcome of a guest that has ended: its last account, and what it printed.
    pub fn of(account: Option<Account>, console: &str) -> Self {
        match account {
            Some(account) if account.stage == Stage::Read => Self::Read {
                seen: account.sentence,
                len: account.read_len,
            },
            Some(account) if account.stage == Stage::Failed => Self::Failed(account.sentence),
            Some(account) => {
                let before = match account.stage {
                    Stage::Started => "before the initrd's service had started",
                    _ => "while /proc/vmcore was read",
                };
                Self::Failed(format!("it ended {before}: {}", reason(console)))
            }
            None => Self::Failed(reason(console)),
        }
    }

    /// The outcome of a guest that had to be ended.
    pub fn too_late(bound: Duration, console: &str) -> Self {
        Self::Failed(format!(
            "it did not end in {} s: {}",
            bound.as_secs(),
            reason(console)
        ))
    }
}

/// Whether a guest printed that it will stay as it is.
pub fn has_stopped(console: &str) -> bool {
    STOPPED.iter().any(|sign| console.contains(sign))
}

/// Why the guest ended, as far as it said so: its panic, or its last line.
fn reason(console: &str) -> String {
    let panic = console.lines().find_map(|line| line.split_once(PANIC));
    if let Some((_, why)) = panic {
        return format!("the kernel panicked: {}", why.trim());
    }
    let mut lines = console.lines().rev().map(str::trim);
    match lines.find(|line| !line.is_empty()) {
        Some(line) => format!("its last line is \"{line}\""),
        None => "it printed nothing".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(stage: Stage) -> Option<Account> {
        Some(Account {
            sequence: 1,
            stage,
            read_len: 5,
            sentence: "cp had read /proc/vmcore".into(),
        })
    }

    #[test]
    fn only_a_dump_that_was_read_is_a_success() {
        let read = Outcome::of(account(Stage::Read), "");
        let seen = "cp had read /proc/vmcore".to_owned();
        assert_eq!(read, Outcome::Read { seen, len: 5 });
        for (stage, sentence) in [
            (Stage::Failed, "cp had read /proc/vmcore"),
            (
                Stage::Serving,
                "it ended while /proc/vmcore was read: its last line is \"Rebooting\"",
            ),
            (
                Stage::Started,
                "it ended before the initrd's service had started: its last line is \"Rebooting\"",
            ),
        ] {
            let outcome = Outcome::of(account(stage), "[ 1.0] x\r\nRebooting\r\n\r\n");
            assert_eq!(outcome, Outcome::Failed(sentence.into()));
        }
    }

    #[test]
    fn a_panic_is_the_reason() {
        let console =
            "[    1.4] Kernel panic - not syncing: System is deadlocked on memory\r\nmore\r\n";
        let sentence = "the kernel panicked: System is deadlocked on memory";
        assert_eq!(Outcome::of(None, console), Outcome::Failed(sentence.into()));
        assert!(!has_stopped(console));
        assert!(has_stopped("Out of memory\n\n -- System halted"));
    }
}
