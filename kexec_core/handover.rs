// SPDX-License-Identifier: GPL-2.0

//! The handover from the crashed kernel to the purgatory and to the capture kernel.

pub mod arm64;
pub mod check;
pub mod command_line;
pub mod copy;
pub mod identity_map;
pub mod purgatory;
pub mod relocator;
pub mod x86_64;

use crate::types::ranges::Range;

/// The memory that a capture kernel may use.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsableMemory<'a> {
    /// What is set aside for it.
    pub regions: &'a [Range],
    /// What the running kernel uses as well, for nothing that a dump needs (`crashkernel=SIZE,cma`).
    pub shared: &'a [Range],
}

/// What a kernel is loaded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A crash enters it.
    Crash,
    /// A reboot enters it.
    Reboot,
}

/// The memory of a capture kernel. A kernel that a reboot enters has all of the machine's.
#[derive(Clone, Copy, Debug, Default)]
pub struct CaptureMemory<'a> {
    /// What it may use.
    pub usable: UsableMemory<'a>,
    /// The memory of the elfcorehdr. It lies in a usable range, and the capture kernel does not use it
    /// otherwise.
    pub elfcorehdr: Range,
}

impl<'a> UsableMemory<'a> {
    /// What is set aside, and nothing more.
    pub const fn set_aside(regions: &'a [Range]) -> Self {
        let shared = &[];
        Self { regions, shared }
    }

    /// All ranges: what is set aside, and then the rest.
    pub fn iter(&self) -> impl Iterator<Item = &Range> + Clone {
        self.regions.iter().chain(self.shared)
    }
}
