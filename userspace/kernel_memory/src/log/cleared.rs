// SPDX-License-Identifier: GPL-2.0

//! Which records are from before the log was last cleared.

use std::fmt;

use crate::vmcoreinfo::Vmcoreinfo;

use super::{
    error::LogError,
    layout::{
        array,
        Facts, //
    }, //
};

/// The log was cleared, or never yet.
#[derive(Clone, Copy, Debug)]
pub struct Cleared {
    /// The number of the first record since then. They are numbered from 0 on.
    first: u64,
    /// The offset of a record's number in `struct printk_info`.
    number: usize,
}

impl Cleared {
    /// Reads `clear_seq` of kernel/printk/printk.c, which is a `struct latched_seq`: the lowest bit of the 32-bit
    /// number at its start tells which of two values a reader takes while the other one is written.
    pub fn find<E: fmt::Display>(
        vmcoreinfo: &Vmcoreinfo,
        read: impl Fn(u64, &mut [u8]) -> Result<(), E>,
    ) -> Result<Self, LogError> {
        let facts = Facts(vmcoreinfo);
        let address = vmcoreinfo.symbol("clear_seq")?;
        let mut latched = vec![0; facts.size("latched_seq")?];
        let values = facts.inside(latched.len(), 16, &["latched_seq.val"])?;
        let number = facts.inside(facts.size("printk_info")?, 8, &["printk_info.seq"])?;
        let what = "the place where the kernel's log was cleared";
        read(address, &mut latched).map_err(|error| LogError::memory(what, address, error))?;
        let which = usize::from(latched[0] & 1);
        let first = u64::from_le_bytes(array(&latched, values + 8 * which));
        Ok(Self { first, number })
    }

    /// Whether a record is from before that, by its `struct printk_info`.
    pub fn has(&self, info: &[u8]) -> bool {
        u64::from_le_bytes(array(info, self.number)) < self.first
    }
}
