// SPDX-License-Identifier: GPL-2.0

//! How many threads work.

use std::{
    fs,
    num::NonZeroUsize,
    thread, //
};

/// What a worker needs: its buffers, its compressor, and the page tables of its window. `make benchdump` measures it.
const WORKER_LEN: u64 = 4 << 20;

/// What is left for the kernel, and for what it has to keep of the file until the disk has it.
const RESERVE: u64 = 16 << 20;

/// More make nothing faster: the disk or the memory is what is waited for.
const MOST: usize = 32;

/// The number of workers: as many as there are CPUs and memory for, and at least one.
pub fn count(asked: Option<usize>) -> usize {
    let cpus = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    asked.unwrap_or_else(|| suitable(cpus, available(&memory)))
}

fn suitable(cpus: usize, available: Option<u64>) -> usize {
    let room = available.map_or(cpus as u64, |available| {
        available.saturating_sub(RESERVE) / WORKER_LEN
    });
    cpus.min(MOST).min(room as usize).max(1)
}

/// The memory that programs can have without swapping, from /proc/meminfo.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal:          61328 kB\nMemFree:           30000 kB\n\
                           MemAvailable:      28672 kB\n";

    #[test]
    fn memory_and_cpus_limit_the_workers() {
        let mib = 1 << 20;
        for (cpus, available, expected) in [
            (1, Some(1 << 30), 1),
            (4, Some(1 << 30), 4),
            (8, Some(28 * mib), 3),
            (8, Some(3 * mib), 1),
            (640, Some(1 << 40), 32),
            (2, None, 2),
        ] {
            assert_eq!(suitable(cpus, available), expected, "{cpus} {available:?}");
        }
    }

    #[test]
    fn available_memory_is_read() {
        assert_eq!(available(MEMINFO), Some(28 << 20));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
