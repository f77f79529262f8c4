// SPDX-License-Identifier: GPL-2.0

//! The memory of a guest: what the capture kernel gets, and above it the crashed kernel's.

use kexec_core::{
    dump::{
        elfcorehdr::{
            encode,
            encoded_len,
            Load, //
        },
        note::{
            self,
            note_len,
            CORE_NAME,
            NT_PRSTATUS, //
        },
        prstatus::{
            ARM64_LEN,
            X86_64_LEN, //
        },
    },
    types::{
        elf::Architecture,
        ranges::Range, //
    }, //
};

use crate::failure::Failure;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Where RAM begins on QEMU's arm64 machine.
const ARM64_RAM: u64 = 1 << 30;
/// Where QEMU puts the initrd there, from the start of RAM, if RAM is twice as long or longer.
const ARM64_INITRD_MAX: u64 = 128 * MIB;
/// The elfcorehdr's room; pages have up to 64 KiB.
const ELFCOREHDR_LEN: u64 = 64 * KIB;
/// The room of the notes.
const NOTES_LEN: u64 = 64 * KIB;

/// A guest's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    architecture: Architecture,
    /// What the capture kernel gets.
    len: u64,
    /// All memory.
    pub total_len: u64,
    /// Where the elfcorehdr is.
    pub elfcorehdr: u64,
    /// The crashed kernel's notes.
    pub notes: Range,
    /// The crashed kernel's memory.
    pub old: Range,
}

impl Layout {
    /// The memory of a guest whose capture kernel gets `len` bytes, a multiple of 1 MiB; none if its initrd has
    /// no room in them.
    pub fn new(architecture: Architecture, len: u64, initrd_len: u64) -> Option<Self> {
        let (total_len, elfcorehdr, notes, old_len) = match architecture {
            // QEMU puts the initrd to the end of all memory, and the kernel copies it into its own. mem= counts
            // from address 0. So what a real region has for the elfcorehdr and boot parameters stands against
            // what is no RAM below 1 MiB.
            Architecture::X86_64 => {
                let initrd = initrd_len.next_multiple_of(MIB) + 4 * MIB;
                let old_len = 64 * MIB;
                (len + 2 * MIB + old_len + initrd, len, len + MIB, old_len)
            }
            // The kernel reads the elfcorehdr through its own mapping, so it has to be in its own memory; and it
            // would add memory that the initrd lies in to its own.
            Architecture::Arm64 => {
                let (start, old_len) = (ARM64_RAM + len, 15 * MIB);
                let total = len + MIB + old_len;
                let initrd = (total / 2).min(ARM64_INITRD_MAX);
                if initrd + initrd_len + ELFCOREHDR_LEN > len {
                    return None;
                }
                (total, start - ELFCOREHDR_LEN, start, old_len)
            }
        };
        Some(Self {
            architecture,
            len,
            total_len,
            elfcorehdr,
            notes: Range::from_start_len(notes, NOTES_LEN)?,
            old: Range::from_start_len(notes + NOTES_LEN, old_len - NOTES_LEN)?,
        })
    }

    /// The value of mem=.
    pub fn mem(&self) -> String {
        format!("{}M", self.len / MIB)
    }

    /// The value of elfcorehdr=. With the length an arm64 kernel keeps the memory free.
    pub fn elfcorehdr(&self) -> String {
        match self.architecture {
            Architecture::X86_64 => format!("{:#x}", self.elfcorehdr),
            Architecture::Arm64 => format!("{ELFCOREHDR_LEN:#x}@{:#x}", self.elfcorehdr),
        }
    }

    /// The elfcorehdr and the notes that it points to: a CPU's registers, all zero.
    pub fn headers(&self) -> Result<(Vec<u8>, Vec<u8>), Failure> {
        let registers_len = match self.architecture {
            Architecture::X86_64 => X86_64_LEN,
            Architecture::Arm64 => ARM64_LEN,
        };
        let registers = vec![0; registers_len];
        let mut notes = vec![0; note_len(CORE_NAME.len() + 1, registers_len)];
        let unable = |error: &dyn std::fmt::Display| Failure::new(error.to_string());
        note::encode(&mut notes, CORE_NAME, NT_PRSTATUS, &registers)
            .map_err(|error| unable(&error))?;
        let memory = Range::from_start_len(self.notes.start(), notes.len() as u64);
        let load = Load {
            virtual_address: match self.architecture {
                Architecture::X86_64 => 0xffff_8880_0000_0000 + self.old.start(),
                Architecture::Arm64 => 0xffff_0000_0000_0000 + self.old.start() - ARM64_RAM,
            },
            memory: self.old,
        };
        let mut header = vec![0; encoded_len(1, 1)];
        let memory = memory.unwrap_or(self.notes);
        encode(&mut header, self.architecture, &[memory], &[load])
            .map_err(|error| unable(&error))?;
        Ok((header, notes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kexec_core::dump::elfcorehdr::Elfcorehdr;

    #[test]
    fn the_elfcorehdr_names_memory_above_the_capture_kernels() {
        for (architecture, ram) in [
            (Architecture::X86_64, 0),
            (Architecture::Arm64, ARM64_RAM), //
        ] {
            let layout = Layout::new(architecture, 64 * MIB, 5 * MIB).expect("it has room");
            let (header, notes) = layout.headers().expect("both can be made");
            let read = Elfcorehdr::parse(&header, architecture).expect("it is good");
            let own_end = ram + 64 * MIB;
            assert!(read.loads().all(|load| load.memory == layout.old));
            assert!(layout.notes.start() >= own_end && layout.old.start() >= layout.notes.end());
            assert!(layout.old.end() < ram + layout.total_len);
            assert_eq!(
                read.notes().map(|range| range.len()).sum::<u64>(),
                notes.len() as u64
            );
        }
    }

    #[test]
    fn an_arm64_initrd_is_in_the_capture_kernels_memory() {
        // QEMU puts it to the middle: 40 MiB.
        assert!(Layout::new(Architecture::Arm64, 64 * MIB, 23 * MIB).is_some());
        assert!(Layout::new(Architecture::Arm64, 64 * MIB, 24 * MIB).is_none());
    }
}
