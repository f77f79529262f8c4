// SPDX-License-Identifier: GPL-2.0

//! Why an address cannot be translated.

use std::fmt;

use dumpfile::memory::MemoryError;

use crate::vmcoreinfo::VmcoreinfoError;

/// Why an address cannot be translated.
#[derive(Debug)]
pub enum TranslationError {
    /// VMCOREINFO does not say what is needed.
    Vmcoreinfo(VmcoreinfoError),
    /// A number in VMCOREINFO is none that page tables of this architecture can have.
    Number {
        /// The number's name.
        name: &'static str,
        /// What VMCOREINFO says.
        value: u64,
        /// What it may be.
        range: &'static str,
    },
    /// The address is not in the kernel's half.
    NotKernel(u64),
    /// The kernel maps nothing there.
    Unmapped(u64),
    /// A page table on the way to this address cannot be read.
    Table(u64, MemoryError),
    /// What is mapped at this address cannot be read.
    Memory(u64, MemoryError),
    /// An entry of a page table on the way to this address is none that the architecture knows.
    Malformed {
        /// The virtual address.
        address: u64,
        /// The entry.
        entry: u64,
    },
}

impl From<VmcoreinfoError> for TranslationError {
    fn from(error: VmcoreinfoError) -> Self {
        Self::Vmcoreinfo(error)
    }
}

impl fmt::Display for TranslationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vmcoreinfo(error) => write!(
                f,
                "the kernel's page tables cannot be found in the dump: {error}"
            ),
            Self::Number { name, value, range } => write!(
                f,
                "the kernel's VMCOREINFO says {name}={value}, which has to be {range}"
            ),
            Self::NotKernel(address) => {
                write!(f, "{address:#x} is not in the kernel's address space")
            }
            Self::Unmapped(address) => write!(f, "the kernel has nothing mapped at {address:#x}"),
            Self::Table(address, error) => write!(
                f,
                "the page tables for {address:#x} cannot be followed: {error}"
            ),
            Self::Memory(address, error) => {
                write!(f, "what is mapped at {address:#x} cannot be read: {error}")
            }
            Self::Malformed { address, entry } => write!(
                f,
                "the page tables for {address:#x} are damaged: they have the entry {entry:#x}"
            ),
        }
    }
}

impl std::error::Error for TranslationError {}
