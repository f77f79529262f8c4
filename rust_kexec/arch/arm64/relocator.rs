// SPDX-License-Identifier: GPL-2.0

//! The relocator: copies an image to its place, and enters the purgatory there.
//!
//! It is a page of code outside the place, on page tables that are outside as well, and uses no stack. The
//! running kernel enters it by the jump that enters a purgatory, with those tables in TTBR0.
//!
//! - The kernel's own tables, in TTBR1, may lie in the place, so nothing is looked up there any more.
//! - The MMU and the caches are on, for the reason that `purgatory/src/arm64/mod.rs` has. So what it reads is
//!   what was written, in a cache or not, and no line of the running kernel's can end up over a copy. The copy
//!   is cleaned to the point of coherency, as the image's memory is by a load.
//! - Two maps have the same addresses with entries of different lengths, so translation is off while TTBR0
//!   changes from the one to the other. Its own page was cleaned by the load.

use super::handover::{
    granule,
    publish,
    the_purgatory,
    Jump, //
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
    refusal::Refusal,
    sys::bindings, //
};
use core::arch::global_asm;
use kernel::alloc::AllocError;
use kexec_core::{
    handover::arm64::page_tables::{
        tables_for_window,
        window,
        IdentityMap,
        PageTableError, //
    },
    plan::Plan,
    types::ranges::Range,
    uapi::SegmentKind, //
};

/// TCR_EL1.EPD1: no walks with TTBR1.
const TCR_EPD1: u64 = 1 << 23;
/// SCTLR_EL1.M: the MMU is on.
const SCTLR_M: u64 = 1 << 0;

// Copied to a page of its own: it is data in this module. The parameters are at its end, in the order of
// kexec_core::handover::relocator::Parameters, and x19 points to them.
global_asm!(
    ".pushsection .rodata.rust_kexec_relocator, \"a\", %progbits",
    ".balign 16",
    ".globl rust_kexec_relocator",
    "rust_kexec_relocator:",
    // BTI j, a no-operation without branch target identification.
    "hint #36",
    "msr daifset, #0xf",
    "adr x19, 9f",
    "mrs x1, tcr_el1",
    "orr x1, x1, #{epd1}",
    "msr tcr_el1, x1",
    "isb",
    "tlbi vmalle1",
    "dsb nsh",
    "isb",
    // The copy, 64 bytes at a time.
    "ldp x2, x3, [x19, #8]",
    "ldr x4, [x19, #24]",
    "add x4, x3, x4",
    "1: ldp x5, x6, [x2]",
    "ldp x7, x8, [x2, #16]",
    "ldp x9, x10, [x2, #32]",
    "ldp x11, x12, [x2, #48]",
    "stp x5, x6, [x3]",
    "stp x7, x8, [x3, #16]",
    "stp x9, x10, [x3, #32]",
    "stp x11, x12, [x3, #48]",
    "add x2, x2, #64",
    "add x3, x3, #64",
    "cmp x3, x4",
    "b.lo 1b",
    // CTR_EL0.DminLine: log2 of the smallest line, in words of four bytes.
    "mrs x5, ctr_el0",
    "ubfx x5, x5, #16, #4",
    "mov x6, #4",
    "lsl x6, x6, x5",
    "ldr x3, [x19, #16]",
    "2: dc civac, x3",
    "add x3, x3, x6",
    "cmp x3, x4",
    "b.lo 2b",
    "dsb sy",
    // The purgatory's copy.
    "ldp x2, x3, [x19, #32]",
    "ldr x4, [x19, #48]",
    "add x4, x3, x4",
    "3: ldp x5, x6, [x2], #16",
    "ldp x7, x8, [x3], #16",
    "cmp x5, x7",
    "ccmp x6, x8, #0, eq",
    "b.ne 4f",
    "cmp x3, x4",
    "b.lo 3b",
    "ic iallu",
    "dsb sy",
    "isb",
    // No memory is used until the MMU is on again.
    "ldp x5, x0, [x19, #56]",
    "ldr x6, [x19, #40]",
    "mrs x1, sctlr_el1",
    "bic x2, x1, #{mmu}",
    "msr sctlr_el1, x2",
    "isb",
    "msr ttbr0_el1, x5",
    "isb",
    "tlbi vmalle1",
    "dsb nsh",
    "isb",
    "msr sctlr_el1, x1",
    "isb",
    "br x6",
    // What was copied is not what was to be copied.
    "4: wfi",
    "b 4b",
    ".balign 8",
    "9: .skip {parameters}",
    ".globl rust_kexec_relocator_end",
    "rust_kexec_relocator_end:",
    ".popsection",
    epd1 = const TCR_EPD1,
    mmu = const SCTLR_M,
    parameters = const kexec_core::handover::relocator::PARAMETERS_LEN,
);

/// Which of the pages for copying has the first table; the first page has the code.
const TABLES: usize = 1;

/// How many pages outside `place` are needed to copy an image there.
pub(crate) fn control_pages(place: Range) -> usize {
    TABLES + tables_for_window(place, granule()) as usize
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
    let purgatory = Addresses::of(plan, &the_purgatory())?;
    let own = control.code_page()?;
    let window = window(place).ok_or(PageTableError::TooHigh(place))?;
    let addresses = control.addresses().get(TABLES..).unwrap_or_default();
    let mut tables = KVVec::new();
    tables.extend_with(addresses.len() * granule().entries(), 0, GFP_KERNEL)?;
    let mut map = IdentityMap::scattered(&mut tables, addresses, granule())?;
    // SAFETY: Returns what the kernel maps its own text and data with.
    let attributes = unsafe { bindings::rust_kexec_executable_page_attributes() };
    map.map(place, attributes)?;
    map.map(own, attributes)?;
    map.map_pages(window.start(), image, attributes)?;
    let top_table = addresses.first().copied().ok_or(AllocError)?;
    let purgatory_memory = memory_of(plan, SegmentKind::Purgatory)?;
    let parameters = parameters(top_table, window, place, purgatory_memory, &purgatory)?;

    let bytes = control.bytes();
    fill_with_code(bytes, &parameters)?;
    let offset = TABLES * granule().page_len() as usize;
    write_tables(bytes, offset, &tables)?;
    publish(bytes);
    Ok(Jump::to(Addresses {
        top_table,
        entry: own.start(),
        table: 0,
    }))
}
