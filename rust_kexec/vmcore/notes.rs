// SPDX-License-Identifier: GPL-2.0

//! The notes of all CPUs and VMCOREINFO, one after the other.

use super::old_memory::read;
use crate::compat::prelude::*;
use kexec_core::dump::{
    elfcorehdr::Elfcorehdr,
    note::Notes, //
};

/// Collects the notes that the elfcorehdr points to.
///
/// From a damaged note on, the rest of its PT_NOTE is left out with a word in the log: the dump
/// is worth having without one CPU's registers.
// Out of line for the stack: the lists and the parser.
#[inline(never)]
pub(super) fn merge(core: &Elfcorehdr<'_>) -> Result<KVVec<u8>> {
    let mut merged = KVVec::new();
    let mut buffer = KVVec::new();
    for memory in core.notes() {
        let len = memory.len() as usize;
        buffer.extend_with(len.saturating_sub(buffer.len()), 0, GFP_KERNEL)?;
        let bytes = buffer.get_mut(..len).ok_or(EINVAL)?;
        if read(memory.start(), bytes).is_err() {
            pr_warn!(
                "the notes at {} are left out of the dump: they cannot be mapped\n",
                format_args!("{memory}")
            );
            continue;
        }
        let mut notes = Notes::new(bytes);
        if let Some(Err(error)) = notes.by_ref().find(|note| note.is_err()) {
            pr_warn!(
                "the end of the notes at {} is left out of the dump: {}\n",
                format_args!("{memory}"),
                format_args!("{error}")
            );
        }
        let good = notes.offset();
        merged.extend_from_slice(bytes.get(..good).unwrap_or_default(), GFP_KERNEL)?;
    }
    Ok(merged)
}
