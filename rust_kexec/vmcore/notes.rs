// SPDX-License-Identifier: GPL-2.0

//! The notes of all CPUs and VMCOREINFO, one behind the other.

use super::old_memory::read;
use crate::compat::prelude::*;
use kexec_core::elfcorehdr::CoreHeader;
use kexec_core::note::notes_len;

/// Collects the notes that the core header points to.
///
/// Notes that are damaged are left out with a word in the log: the dump is worth having without
/// one CPU's registers.
pub(super) fn merge(core: &CoreHeader<'_>) -> Result<KVVec<u8>> {
    let mut merged = KVVec::new();
    let mut buffer = KVVec::new();
    for memory in core.notes() {
        buffer.extend_with(
            (memory.len() as usize).saturating_sub(buffer.len()),
            0,
            GFP_KERNEL,
        )?;
        let notes = buffer.get_mut(..memory.len() as usize).ok_or(EINVAL)?;
        read(memory.start(), notes)?;
        match notes_len(notes) {
            Ok(len) => {
                let notes = notes.get(..len).unwrap_or_default();
                merged.extend_from_slice(notes, GFP_KERNEL)?;
            }
            Err(error) => pr_warn!(
                "the notes at {} are left out of the dump: {}\n",
                format_args!("{memory}"),
                format_args!("{error}")
            ),
        }
    }
    Ok(merged)
}
