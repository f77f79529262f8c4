// SPDX-License-Identifier: GPL-2.0

//! The memory of a machine, as far as the reservation depends on it.

use kexec_core::{
    plan::iomem::entries,
    types::ranges::Range, //
};

use crate::failure::Failure;

/// The memory of a machine.
#[derive(Debug)]
pub struct Memory {
    /// All RAM, in bytes.
    pub total: u64,
    /// What of it is free, in ascending order, where the addresses are known.
    ///
    /// That is what nothing else holds for good: the boot reserves before most of the kernel's own
    /// memory is taken. Memory that is reserved for a moment (the initrd's) is not known.
    pub free: Option<Vec<Range>>,
}

impl Memory {
    /// A machine of which only the size is known.
    pub fn of_size(total: u64) -> Self {
        Self { total, free: None }
    }

    /// The machine that the text of /proc/iomem describes.
    pub fn of_iomem(text: &[u8]) -> Result<Self, Failure> {
        let mut total = 0;
        let mut free: Vec<Range> = Vec::new();
        let mut in_ram = false;
        for entry in entries(text) {
            if entry.depth == 0 {
                in_ram = entry.name == b"System RAM";
                if in_ram {
                    total += entry.range.len();
                    free.push(entry.range);
                }
            } else if in_ram && entry.depth == 1 && entry.name != b"Crash kernel" {
                take(&mut free, entry.range);
            }
        }
        if total == 0 {
            return Err(Failure::new(
                "/proc/iomem shows no RAM: it shows addresses to root only. Be root, or give the \
                 machine's memory with --memory",
            ));
        }
        let free = Some(free);
        Ok(Self { total, free })
    }
}

/// Takes memory that something holds off the last piece.
fn take(free: &mut Vec<Range>, held: Range) {
    let Some(piece) = free.pop() else { return };
    for rest in [
        Range::new(piece.start(), held.start()),
        Range::new(held.end(), piece.end()),
    ] {
        free.extend(rest.filter(|rest| !rest.is_empty()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_something_holds_is_not_free() {
        let memory = Memory::of_iomem(
            b"00000000-00000fff : Reserved\n\
              00001000-0009fbff : System RAM\n\
              00100000-3fffffff : System RAM\n\
              \x20 01000000-01ffffff : Kernel code\n\
              \x20   01800000-018fffff : deeper\n\
              \x20 02000000-02ffffff : Kernel data\n\
              \x20 30000000-3fffffff : Crash kernel\n\
              fed00000-fed003ff : HPET 0\n",
        )
        .expect("it has RAM");
        assert_eq!(memory.total, 0x9ec00 + 0x3ff0_0000);
        let range = |start, end| Range::new(start, end).expect("in order");
        assert_eq!(
            memory.free,
            Some(vec![
                range(0x1000, 0x9fc00),
                range(0x10_0000, 0x100_0000),
                range(0x300_0000, 0x4000_0000),
            ])
        );
    }

    #[test]
    fn hidden_addresses_are_no_memory() {
        let text = b"00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n";
        let failure = Memory::of_iomem(text).expect_err("nothing is known");
        assert!(failure.sentence().contains("--memory"), "{failure}");
    }
}
