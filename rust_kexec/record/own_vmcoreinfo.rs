// SPDX-License-Identifier: GPL-2.0

//! VMCOREINFO in a kernel that has none: built at the load, of what readers of a dump look for.

use crate::{
    arch::own_vmcoreinfo::{
        self,
        TOP_TABLE, //
    },
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    },
    sys::{
        bindings::VMCOREINFO_NOTE_SIZE,
        file::Mount,
        kallsyms::Kallsyms,
        own_vmcoreinfo::{
            found_at_boot,
            release,
            BUILT_IN,
            LINKED_AT,
            SYMBOLS, //
        }, //
    }, //
};
use kexec_core::dump::vmcoreinfo::lines::{
    build_id,
    encode,
    Line, //
};

const MISSING: MachineError = MachineError::Missing {
    what: "the address of the kernel's page table, without which a dump cannot be read,",
    remedy: "use a kernel with CONFIG_KALLSYMS_ALL, or with CONFIG_PROC_KCORE, which has a VMCOREINFO of \
             its own",
};

/// Room for the notes of the kernel's own file: a build ID, and some of other makers.
const NOTES_LEN: usize = 4096;

/// A note that describes the running kernel, with room after it.
// Out of line for the stack: lines under way.
#[inline(never)]
pub(super) fn note() -> Result<KVec<u8>, Refusal> {
    let symbols = Kallsyms::find().map_err(|_| MISSING)?;
    let text = symbols.address(c"_text").ok_or(MISSING)?;
    let top_table = symbols.address(TOP_TABLE).ok_or(MISSING)?;

    let mut notes = KVec::new();
    notes.extend_with(NOTES_LEN, 0, GFP_KERNEL)?;
    // Readers can do without the build ID, and take none for an unknown one.
    let sysfs = Mount::sysfs().ok();
    let read = sysfs.and_then(|sysfs| sysfs.read(c"kernel/notes", &mut notes).ok());
    let build_id = read.and_then(build_id);

    let mut lines: KVec<Line<'_>> = KVec::new();
    let first = [
        Line::Release(release()),
        Line::BuildId(build_id.unwrap_or_default()),
        Line::KernelOffset(text.wrapping_sub(LINKED_AT)),
        Line::Symbol("swapper_pg_dir", top_table),
    ];
    lines.extend_from_slice(&first, GFP_KERNEL)?;
    for name in SYMBOLS {
        if let (Some(address), Ok(name)) = (symbols.address(name), name.to_str()) {
            lines.push(Line::Symbol(name, address), GFP_KERNEL)?;
        }
    }
    lines.extend_from_slice(BUILT_IN, GFP_KERNEL)?;
    lines.extend_from_slice(&found_at_boot(), GFP_KERNEL)?;
    lines.extend_from_slice(&own_vmcoreinfo::lines(top_table), GFP_KERNEL)?;

    let mut note = KVec::new();
    note.extend_with(VMCOREINFO_NOTE_SIZE, 0, GFP_KERNEL)?;
    encode(&mut note, lines.iter().copied())?;
    Ok(note)
}
