// SPDX-License-Identifier: GPL-2.0

//! The relocator: copies an image to its place, and enters the purgatory there.
//!
//! It is a page of code outside the place, on page tables that are outside as well, and uses no stack. The
//! running kernel enters it by the jump that enters a purgatory, on a top table that has the kernel's
//! addresses too. Those lead through tables that may lie in the place, so it leaves them behind first.
//! An exception finds no handler, and resets the machine: so it is in the kernel's relocate_kernel().

use super::handover::{
    add_running_kernel,
    empty_tables,
    levels,
    Jump,
    PURGATORY, //
};
use crate::{
    arch::{
        purgatory::{
            memory_of,
            Addresses, //
        },
        relocation::{
            fill_with_code,
            parameters,
            write_tables,
            Control, //
        }, //
    },
    compat::prelude::*,
    refusal::Refusal, //
};
use core::arch::global_asm;
use kernel::alloc::AllocError;
use kexec_core::{
    handover::x86_64::page_tables::{
        self,
        tables_for_window,
        window,
        IdentityMap,
        PageTableError, //
    },
    plan::Plan,
    types::ranges::Range,
    uapi::SegmentKind, //
};

// Copied to a page of its own: it is data in this module. The parameters are at its end, in the order of
// kexec_core::handover::relocator::Parameters.
global_asm!(
    ".pushsection .rodata.rust_kexec_relocator, \"a\", @progbits",
    ".balign 16",
    ".globl rust_kexec_relocator",
    "rust_kexec_relocator:",
    "endbr64",
    "cli",
    "cld",
    "mov rax, [rip + 2f]",
    "mov cr3, rax",
    "mov rsi, [rip + 2f + 8]",
    "mov rdi, [rip + 2f + 16]",
    "mov rcx, [rip + 2f + 24]",
    "shr rcx, 3",
    "rep movsq",
    "mov rsi, [rip + 2f + 32]",
    "mov rdi, [rip + 2f + 40]",
    "mov rcx, [rip + 2f + 48]",
    "shr rcx, 3",
    "repe cmpsq",
    "jne 3f",
    // Both maps have this page at its physical address.
    "mov rax, [rip + 2f + 56]",
    "mov rdi, [rip + 2f + 64]",
    "mov rdx, [rip + 2f + 40]",
    "mov cr3, rax",
    "jmp rdx",
    // What was copied is not what was to be copied.
    "3: hlt",
    "jmp 3b",
    ".balign 8",
    "2: .skip {parameters}",
    ".globl rust_kexec_relocator_end",
    "rust_kexec_relocator_end:",
    ".popsection",
    parameters = const kexec_core::handover::relocator::PARAMETERS_LEN,
);

/// Which of the pages for copying is the top table that the code in the first one is entered on, and which is
/// the first of the tables that it copies with.
const ENTERED: usize = 1;
const COPIES: usize = 2;

/// How many pages outside `place` are needed to copy an image there.
pub(crate) fn control_pages(place: Range) -> usize {
    COPIES + tables_for_window(place, levels()) as usize
}

/// Builds the relocator of an image whose pages are at these addresses, and the jump to it.
// Out of line for the stack: the map.
#[inline(never)]
pub(crate) fn build(
    mut control: Control<'_>,
    image: &[u64],
    place: Range,
    plan: &Plan,
) -> Result<Jump, Refusal> {
    let purgatory = Addresses::of(plan, &PURGATORY)?;
    let own = control.code_page()?;
    let window = window(place).ok_or(PageTableError::NotCanonical(place))?;
    let all = control.addresses();
    let entered = *all.get(ENTERED).ok_or(AllocError)?;
    let addresses = all.get(COPIES..).unwrap_or_default();
    let mut tables = empty_tables(addresses.len())?;
    let mut map = IdentityMap::scattered(&mut tables, addresses, levels())?;
    map.map(place)?;
    map.map(own)?;
    map.map_pages(window.start(), image)?;
    let top = addresses.first().copied().ok_or(AllocError)?;
    let purgatory_memory = memory_of(plan, SegmentKind::Purgatory)?;
    let parameters = parameters(top, window, place, purgatory_memory, &purgatory)?;

    let mut with_kernel = KVVec::new();
    with_kernel.extend_from_slice(tables.get(..1).unwrap_or_default(), GFP_KERNEL)?;
    add_running_kernel(&mut with_kernel)?;

    let bytes = control.bytes();
    fill_with_code(bytes, &parameters)?;
    for (page, tables) in [(ENTERED, &with_kernel), (COPIES, &tables)] {
        let offset = page * page_tables::TABLE_LEN as usize;
        write_tables(bytes, offset, tables.iter().flatten())?;
    }
    Ok(Jump::to(Addresses {
        top_table: entered,
        entry: own.start(),
        table: 0,
    }))
}
