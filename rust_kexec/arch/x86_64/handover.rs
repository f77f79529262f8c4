// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a capture kernel besides itself, and the jump into the purgatory.

use super::efi::Firmware;
use super::image::{self, Image};
use super::{memory, port};
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::reserve::Reservation;
use crate::sys::bindings;
use crate::sys::file::Mount;
use crate::sys::{iomem, random};
use kernel::alloc::AllocError;
use kexec_core::handover::command_line;
use kexec_core::handover::purgatory::{
    Head, Table, CONSOLE_NONE, CONSOLE_UART8250_PORT, FOUR_LEVEL_PAGING,
};
use kexec_core::handover::x86_64::boot_params::{BootParams, BOOT_PARAMS_LEN};
use kexec_core::handover::x86_64::page_tables::{
    self, large_pages, IdentityMap, Levels, TABLE_LEN,
};
use kexec_core::handover::x86_64::setup_data::{tail_len, SetupDataType, Tail, RNG_SEED_LEN};
use kexec_core::image::x86_64::protocol::BootProtocol;
use kexec_core::plan::{Placement, Placer, Plan};
use kexec_core::types::ranges::{Range, RangeList, PAGE_SIZE};
use kexec_core::uapi::SegmentKind;

/// The purgatory: position-independent, entered at its first byte, its stack inside.
static PURGATORY: &[u8] = include_bytes!("../../purgatory/x86_64.bin");

/// What the identity map has: the region, and some tables that firmware keeps together.
type Mapped = RangeList<32>;

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

/// What of the running machine goes into the handover.
pub(crate) struct Sources {
    /// What firmware or a boot loader told the running kernel. Without it the capture kernel has no
    /// screen, and none of UEFI's services.
    boot_params: Option<KVVec<u8>>,
    firmware: Firmware,
    accessed_early: Mapped,
}

impl Sources {
    /// Reads it.
    pub(crate) fn read() -> Result<Self, Refusal> {
        let mut bytes = KVVec::new();
        bytes.extend_with(BOOT_PARAMS_LEN, 0, GFP_KERNEL)?;
        let sysfs = Mount::sysfs().ok();
        let path = c"kernel/boot_params/data";
        let read = sysfs
            .as_ref()
            .is_some_and(|sysfs| sysfs.read(path, &mut bytes).is_ok());
        let boot_params = read.then_some(bytes);
        let firmware = Firmware::read(sysfs.as_ref(), boot_params.as_deref())?;
        Ok(Self {
            accessed_early: accessed_early(&firmware)?,
            boot_params,
            firmware,
        })
    }

    /// Places the segments that [`Staging`] will fill. `command_line_len` is without the NUL.
    pub(crate) fn place(
        &self,
        placer: &mut Placer,
        reservation: &Reservation,
        command_line_len: usize,
    ) -> Result<(), Refusal> {
        let tail_len = tail_len(command_line_len + 1, self.firmware.memory_map_len());
        let boot_params_len = (BOOT_PARAMS_LEN + tail_len) as u64;
        let tables = tables_count(&self.mapped(reservation.region())?);
        let purgatory_len = page_tables_offset() + TABLE_LEN * tables;
        for (kind, len) in [
            (SegmentKind::BootParams, boot_params_len),
            (SegmentKind::Purgatory, purgatory_len),
            (SegmentKind::PurgatoryTable, size_of::<Table>() as u64),
        ] {
            placer.place(kind, len, len, PAGE_SIZE, Placement::Highest, Range::ALL)?;
        }
        Ok(())
    }

    /// What is identity-mapped besides the crash report.
    fn mapped(&self, region: Range) -> Result<Mapped, Refusal> {
        let mut mapped = self.accessed_early;
        mapped.push(region)?;
        Ok(mapped)
    }
}

/// How many tables the identity map has room for; the crash report does not cross a page.
fn tables_count(mapped: &Mapped) -> u64 {
    let page = Range::from_start_len(0, PAGE_SIZE).unwrap_or_default();
    page_tables::tables_needed(mapped.as_slice(), levels())
        + page_tables::tables_needed(&[page], levels())
}

/// What the first code of a capture kernel accesses outside the region, before it has page tables of
/// its own.
///
/// - A bzImage that pages with another number of levels than the crashed kernel did changes the mode
///   by a trampoline below 1 MiB, because it must be where 32-bit code can run (the kernel's
///   arch/x86/boot/compressed/pgtable_64.c).
/// - It may look for ACPI's root pointer and tables, and on a processor with SEV for what the firmware
///   says of that (acpi.c, efi.c and sev.c there). Kernels before 5.10 have no handler that maps what
///   is missing, and none has one yet when it looks for SEV.
fn accessed_early(firmware: &Firmware) -> Result<Mapped, Refusal> {
    let mut ranges = Mapped::new();
    ranges.push(large_pages(memory::LOW_MEMORY))?;
    for range in firmware.tables() {
        ranges.push(large_pages(range))?;
    }
    for description in [
        bindings::IORES_DESC_ACPI_TABLES,
        bindings::IORES_DESC_ACPI_NV_STORAGE,
    ] {
        for range in &iomem::described(description)? {
            ranges.push(large_pages(*range))?;
        }
    }
    Ok(ranges)
}

/// The contents of those segments, built aside while an earlier image is still armed.
pub(crate) struct Staging {
    boot_params: KVVec<u8>,
    purgatory: KVVec<u8>,
    /// How the kernel is entered, as flags of the purgatory's table.
    flags: u32,
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
            purgatory: purgatory(sources, plan, command_line, report)?,
            flags: match levels() {
                Levels::Five if !image.supports_5level() => FOUR_LEVEL_PAGING,
                _ => 0,
            },
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

    /// Fills in the parts of the purgatory's table that are this architecture's.
    pub(crate) fn fill_table(&self, table: &mut Table, plan: &Plan) {
        table.flags = self.flags;
        if let Some(boot_params) = plan.segment(SegmentKind::BootParams) {
            table.argument = boot_params.memory.start();
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
    let tail_len = tail_len(command_line.len() + 1, sources.firmware.memory_map_len());
    let mut bytes = KVVec::new();
    bytes.extend_with(BOOT_PARAMS_LEN + tail_len, 0, GFP_KERNEL)?;
    let (page, tail) = bytes.split_first_chunk_mut().ok_or(AllocError)?;
    let mut params = BootParams::new(page, image);
    let mut tail = Tail::new(tail, address + BOOT_PARAMS_LEN as u64);
    params.set_command_line(tail.push(&[command_line, &[0]])?);
    if let Some(initrd) = plan.segment(SegmentKind::Initrd) {
        let start = initrd.memory.start();
        params.set_initrd(Range::from_start_len(start, initrd_len).unwrap_or(initrd.memory))?;
    }
    if let Some(running) = sources.boot_params.as_ref().and_then(|b| b.first_chunk()) {
        params.take_over(running);
    }
    sources.firmware.hand_over(&mut params, &mut tail)?;
    if random::is_unpredictable() {
        let mut seed = [0; RNG_SEED_LEN];
        random::fill(&mut seed);
        tail.push_setup_data(&mut params, SetupDataType::RngSeed, &seed)?;
    }
    let elfcorehdr = plan.segment(SegmentKind::Elfcorehdr).map(|s| s.memory);
    memory::set_memory_map(
        &mut params,
        reservation.regions(),
        elfcorehdr.unwrap_or_default(),
    )?;
    Ok(bytes)
}

fn purgatory(
    sources: &Sources,
    plan: &Plan,
    command_line: &[u8],
    report: Range,
) -> Result<KVVec<u8>, Refusal> {
    let region = plan.region();
    let offset = page_tables_offset();
    let base = start_of(plan, SegmentKind::Purgatory)? + offset;
    let mapped = sources.mapped(region)?;
    let count = tables_count(&mapped) as usize;
    let mut tables = KVVec::new();
    tables.extend_with(count, [0; page_tables::ENTRIES], GFP_KERNEL)?;
    let mut map = IdentityMap::new(&mut tables, base, levels())?;
    for range in &mapped {
        map.map(*range)?;
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
        unsafe { bindings::rust_kexec_jump(self.top_table, self.purgatory, self.table) };
        super::stop::park()
    }
}
