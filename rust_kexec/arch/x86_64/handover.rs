// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a capture kernel besides itself, and the jump into the purgatory.

use super::image::{self, Image};
use super::{memory, port};
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::reserve::Reservation;
use crate::sys::file::Mount;
use kernel::alloc::AllocError;
use kexec_core::command_line;
use kexec_core::handover::{Head, Table, CONSOLE_NONE, CONSOLE_UART8250_PORT};
use kexec_core::plan::{Placement, Placer, Plan};
use kexec_core::ranges::{Range, PAGE_SIZE};
use kexec_core::uapi::SegmentKind;
use kexec_core::x86::boot_params::{
    BootParams, ACPI_RSDP_ADDR, BOOT_PARAMS_LEN, SCREEN_INFO, SCREEN_INFO_LEN,
};
use kexec_core::x86::page_tables::{self, IdentityMap, Levels, TABLE_LEN};

extern "C" {
    fn rust_kexec_jump(top_table: u64, purgatory: u64, table: u64);
}

/// The purgatory: position-independent, entered at its first byte, its stack inside.
static PURGATORY: &[u8] = include_bytes!("../../purgatory/x86_64.bin");

fn levels() -> Levels {
    match image::five_level_paging() {
        true => Levels::Five,
        false => Levels::Four,
    }
}

/// Where in the purgatory's segment the page tables start.
fn page_tables_offset() -> u64 {
    (PURGATORY.len() as u64).next_multiple_of(TABLE_LEN)
}

/// What is identity-mapped besides the crash report, in ascending order: the region, and what the
/// first code of a capture kernel accesses outside it, before it has page tables of its own.
///
/// A bzImage that pages with another number of levels than the crashed kernel did changes the mode by
/// a trampoline below 1 MiB, because it must be where 32-bit code can run (the kernel's
/// arch/x86/boot/compressed/pgtable_64.c).
fn mapped(region: Range) -> [Range; 2] {
    [memory::LOW_MEMORY, region]
}

/// How many tables the identity map has room for; the crash report does not cross a page.
fn tables_count(region: Range) -> u64 {
    let page = Range::from_start_len(0, PAGE_SIZE).unwrap_or_default();
    page_tables::tables_needed(&mapped(region), levels())
        + page_tables::tables_needed(&[page], levels())
}

fn purgatory_len(region: Range) -> u64 {
    page_tables_offset() + TABLE_LEN * tables_count(region)
}

/// What of the running machine goes into the handover.
pub(crate) struct Sources {
    /// What firmware or a boot loader told the running kernel. Without it the capture kernel
    /// searches for the ACPI tables itself and has no screen.
    boot_params: Option<KVVec<u8>>,
}

impl Sources {
    /// Reads it.
    pub(crate) fn read() -> Result<Self, Refusal> {
        let mut bytes = KVVec::new();
        bytes.extend_with(BOOT_PARAMS_LEN, 0, GFP_KERNEL)?;
        let path = c"kernel/boot_params/data";
        let read = Mount::sysfs().is_ok_and(|sysfs| sysfs.read(path, &mut bytes).is_ok());
        Ok(Self {
            boot_params: read.then_some(bytes),
        })
    }

    /// Places the segments that [`Staging`] will fill. `command_line_len` is without the NUL.
    pub(crate) fn place(
        &self,
        placer: &mut Placer,
        reservation: &Reservation,
        command_line_len: usize,
    ) -> Result<(), Refusal> {
        let boot_params_len = BOOT_PARAMS_LEN as u64 + command_line_len as u64 + 1;
        let purgatory_len = purgatory_len(reservation.region());
        for (kind, len) in [
            (SegmentKind::BootParams, boot_params_len),
            (SegmentKind::Purgatory, purgatory_len),
            (SegmentKind::PurgatoryTable, size_of::<Table>() as u64),
        ] {
            placer.place(kind, len, len, PAGE_SIZE, Placement::Highest, Range::ALL)?;
        }
        Ok(())
    }
}

/// The contents of those segments, built aside while an earlier image is still armed.
pub(crate) struct Staging {
    boot_params: KVVec<u8>,
    purgatory: KVVec<u8>,
}

impl Staging {
    /// Builds them for a plan in which all segments have their places.
    pub(crate) fn build(
        sources: &Sources,
        plan: &Plan,
        image: &Image<'_>,
        reservation: &Reservation,
        command_line: &[u8],
        initrd_len: u64,
        report: Range,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            boot_params: boot_params(sources, plan, image, reservation, command_line, initrd_len)?,
            purgatory: purgatory(plan, command_line, report)?,
        })
    }

    /// What goes into a segment of this kind.
    pub(crate) fn contents(&self, kind: SegmentKind) -> Option<&[u8]> {
        match kind {
            SegmentKind::BootParams => Some(&self.boot_params),
            SegmentKind::Purgatory => Some(&self.purgatory),
            _ => None,
        }
    }
}

/// Where a segment of the plan starts. The stage that plans has placed it.
fn start_of(plan: &Plan, kind: SegmentKind) -> Result<u64, Refusal> {
    let segment = plan.segment(kind).ok_or(Refusal::Missing {
        what: kind.name(),
        remedy: "report this, with the command that led to it",
    })?;
    Ok(segment.memory.start())
}

fn boot_params(
    sources: &Sources,
    plan: &Plan,
    image: &Image<'_>,
    reservation: &Reservation,
    command_line: &[u8],
    initrd_len: u64,
) -> Result<KVVec<u8>, Refusal> {
    let address = start_of(plan, SegmentKind::BootParams)?;
    let mut bytes = KVVec::new();
    bytes.extend_with(BOOT_PARAMS_LEN, 0, GFP_KERNEL)?;
    let page = bytes.first_chunk_mut().ok_or(AllocError)?;
    let mut params = BootParams::new(page, image);
    params.set_command_line(address + BOOT_PARAMS_LEN as u64);
    if let Some(initrd) = plan.segment(SegmentKind::Initrd) {
        let start = initrd.memory.start();
        params.set_initrd(Range::from_start_len(start, initrd_len).unwrap_or(initrd.memory))?;
    }
    if let Some(running) = &sources.boot_params {
        if let Some(screen_info) = running.get(SCREEN_INFO..).and_then(|b| b.first_chunk()) {
            let screen_info: &[u8; SCREEN_INFO_LEN] = screen_info;
            params.set_screen_info(screen_info);
        }
        if let Some(rsdp) = running.get(ACPI_RSDP_ADDR..).and_then(|b| b.first_chunk()) {
            params.set_acpi_rsdp(u64::from_le_bytes(*rsdp));
        }
    }
    let elfcorehdr = plan.segment(SegmentKind::ElfCoreHeader).map(|s| s.memory);
    memory::set_memory_map(
        &mut params,
        reservation.regions(),
        elfcorehdr.unwrap_or_default(),
    )?;
    for part in [command_line, &[0]] {
        bytes.extend_from_slice(part, GFP_KERNEL)?;
    }
    Ok(bytes)
}

fn purgatory(plan: &Plan, command_line: &[u8], report: Range) -> Result<KVVec<u8>, Refusal> {
    let region = plan.region();
    let offset = page_tables_offset();
    let base = start_of(plan, SegmentKind::Purgatory)? + offset;
    let count = tables_count(region) as usize;
    let mut tables = KVVec::new();
    tables.extend_with(count, [0; page_tables::ENTRIES], GFP_KERNEL)?;
    let mut map = IdentityMap::new(&mut tables, base, levels())?;
    for range in mapped(region) {
        map.map(range)?;
    }
    map.map(report)?;
    // SAFETY: CR3 names the table that this CPU runs on, and RAM is directly mapped. The entries
    // of the upper half are the same in every process and change only when memory is plugged in.
    map.copy_upper_half(unsafe { &*image::running_top_table() });

    let mut bytes = KVVec::new();
    bytes.extend_from_slice(PURGATORY, GFP_KERNEL)?;
    let (console_kind, console_base) = match command_line::find_console(command_line) {
        Some(command_line::Console::Uart8250 { port }) => (CONSOLE_UART8250_PORT, port.into()),
        _ => (CONSOLE_NONE, 0),
    };
    Head::set_console(&mut bytes, console_kind, console_base);
    bytes.extend_with(offset as usize - PURGATORY.len(), 0, GFP_KERNEL)?;
    for entry in tables.iter().flatten() {
        bytes.extend_from_slice(&entry.to_le_bytes(), GFP_KERNEL)?;
    }
    Ok(bytes)
}

/// Nothing has to be done for the capture kernel to see what was written: caches are coherent.
pub(crate) fn publish(_memory: &[u8]) {}

/// Fills in the parts of the purgatory's table that are this architecture's.
pub(crate) fn fill_table(table: &mut Table, plan: &Plan) {
    if let Some(boot_params) = plan.segment(SegmentKind::BootParams) {
        table.argument = boot_params.memory.start();
    }
}

/// The addresses that the jump needs.
pub(crate) struct Jump {
    top_table: u64,
    purgatory: u64,
    table: u64,
}

impl Jump {
    /// Takes the addresses from the plan.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Refusal> {
        let purgatory = start_of(plan, SegmentKind::Purgatory)?;
        Ok(Self {
            top_table: purgatory + page_tables_offset(),
            purgatory,
            table: start_of(plan, SegmentKind::PurgatoryTable)?,
        })
    }

    /// Leaves this kernel.
    ///
    /// # Safety
    ///
    /// The segments must be in their places, interrupts off, and all other CPUs stopped.
    pub(crate) unsafe fn jump(&self) -> ! {
        // SAFETY: Interrupts are off, and nothing here needs the two features.
        unsafe { port::prepare_for_low_addresses() };
        // SAFETY: The upper half of the new map is that of the running one, so the next
        // instructions and the stack stay mapped; the purgatory is mapped at its physical
        // address.
        unsafe { rust_kexec_jump(self.top_table, self.purgatory, self.table) };
        super::stop::park()
    }
}
