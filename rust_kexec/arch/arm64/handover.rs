// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a capture kernel besides itself, and the jump into the purgatory.

use super::cache;
use super::image::Image;
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::reserve::Reservation;
use crate::sys::acpi::AcpiTable;
use crate::sys::bindings;
use crate::sys::file::Mount;
use crate::sys::random;
use core::arch::asm;
use kexec_core::handover::arm64::console::{find_console, find_in_spcr, find_stdout};
use kexec_core::handover::arm64::device_tree::{
    capture_tree, tree_len_bound, Changes, DeviceTreeError, TREE_LEN_MAX,
};
use kexec_core::handover::arm64::fdt::Fdt;
use kexec_core::handover::arm64::page_tables::{self, IdentityMap, T0SZ};
use kexec_core::handover::command_line::Console;
use kexec_core::handover::purgatory::{Head, Table, CONSOLE_NONE, CONSOLE_PL011};
use kexec_core::plan::{Placement, Placer, Plan};
use kexec_core::types::granule::Granule;
use kexec_core::types::ranges::{Range, PAGE_SIZE};
use kexec_core::uapi::SegmentKind;

/// The purgatory: position-independent, entered at its first byte, its stack inside.
static PURGATORY: &[u8] = include_bytes!("../../purgatory/arm64.bin");

/// How much randomness the capture kernel is given.
const RNG_SEED_LEN: usize = 64;

/// The page size that the running kernel uses, and the handover with it.
fn granule() -> Granule {
    // SAFETY: Returns a constant.
    match unsafe { bindings::rust_kexec_page_shift() } {
        16 => Granule::Kib64,
        14 => Granule::Kib16,
        _ => Granule::Kib4,
    }
}

/// Where in the purgatory's segment the page tables start.
fn page_tables_offset() -> u64 {
    (PURGATORY.len() as u64).next_multiple_of(granule().page_len())
}

/// Room for the tables of the identity map: the region, one page of console registers, and the
/// crash report, which does not cross a page.
fn page_tables_len(region: Range) -> u64 {
    let page = Range::from_start_len(0, PAGE_SIZE).unwrap_or_default();
    let tables = page_tables::tables_needed(region, granule())
        + 2 * page_tables::tables_needed(page, granule());
    tables * granule().page_len()
}

/// What of the running machine goes into the handover.
pub(crate) struct Sources {
    tree: KVVec<u8>,
}

impl Sources {
    /// Reads it. On a machine that ACPI describes it is the small tree of the kernel's EFI stub.
    pub(crate) fn read() -> Result<Self, Refusal> {
        const MISSING: Refusal = Refusal::Missing {
            what: "the running machine's device tree, /sys/firmware/fdt,",
            remedy:
                "use a kernel with CONFIG_SYSFS, and look in its log for what became of the tree",
        };
        let mut tree = KVVec::new();
        tree.extend_with(TREE_LEN_MAX, 0, GFP_KERNEL)?;
        let sysfs = Mount::sysfs().map_err(|_| MISSING)?;
        sysfs
            .read(c"firmware/fdt", &mut tree)
            .map_err(|_| MISSING)?;
        Ok(Self { tree })
    }

    /// Places the segments that [`Staging`] will fill. `command_line_len` is without the NUL.
    pub(crate) fn place(
        &self,
        placer: &mut Placer,
        reservation: &Reservation,
        command_line_len: usize,
    ) -> Result<(), Refusal> {
        let mut bootargs = KVVec::new();
        bootargs.extend_with(command_line_len, b' ', GFP_KERNEL)?;
        let rng_seed = [0; RNG_SEED_LEN];
        let usable = usable(reservation)?;
        let region = reservation.region();
        let changes = Changes {
            elfcorehdr: region,
            usable: usable.as_slice(),
            bootargs: &bootargs,
            initrd: Some(region),
            kaslr_seed: Some(0),
            rng_seed: &rng_seed,
            stale_reservations: &[],
        };
        let running = Fdt::parse(&self.tree).map_err(DeviceTreeError::from)?;
        let tree_len = tree_len_bound(running.contents_len(), &changes).min(TREE_LEN_MAX) as u64;
        let purgatory_len = page_tables_offset() + page_tables_len(region);
        for (kind, len) in [
            (SegmentKind::DeviceTree, tree_len),
            (SegmentKind::Purgatory, purgatory_len),
            (SegmentKind::PurgatoryTable, size_of::<Table>() as u64),
        ] {
            let alignment = granule().page_len();
            placer.place(kind, len, len, alignment, Placement::Highest, Range::ALL)?;
        }
        Ok(())
    }
}

/// The capture kernel's memory: the region first, then the low one.
fn usable(reservation: &Reservation) -> Result<KVec<Range>, Refusal> {
    let mut usable = KVec::new();
    for range in reservation.regions().iter().rev() {
        usable.push(*range, GFP_KERNEL)?;
    }
    Ok(usable)
}

/// The contents of those segments, built aside while an earlier image is still armed.
pub(crate) struct Staging {
    device_tree: KVVec<u8>,
    purgatory: KVVec<u8>,
}

impl Staging {
    /// Builds them for a plan in which all segments have their places.
    pub(crate) fn build(
        sources: &Sources,
        plan: &Plan,
        _image: &Image<'_>,
        reservation: &Reservation,
        command_line: &[u8],
        initrd_len: u64,
        report: Range,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            device_tree: device_tree(sources, plan, reservation, command_line, initrd_len)?,
            purgatory: purgatory(sources, plan, command_line, report)?,
        })
    }

    /// What goes into a segment of this kind.
    pub(crate) fn contents(&self, kind: SegmentKind) -> Option<&[u8]> {
        match kind {
            SegmentKind::DeviceTree => Some(&self.device_tree),
            SegmentKind::Purgatory => Some(&self.purgatory),
            _ => None,
        }
    }

    /// Fills in the parts of the purgatory's table that are this architecture's.
    pub(crate) fn fill_table(&self, table: &mut Table, plan: &Plan) {
        table.argument = memory_of(plan, SegmentKind::DeviceTree).start();
    }
}

fn memory_of(plan: &Plan, kind: SegmentKind) -> Range {
    plan.segment(kind)
        .map(|segment| segment.memory)
        .unwrap_or_default()
}

#[inline(never)]
fn device_tree(
    sources: &Sources,
    plan: &Plan,
    reservation: &Reservation,
    command_line: &[u8],
    initrd_len: u64,
) -> Result<KVVec<u8>, Refusal> {
    let mut rng_seed = [0; RNG_SEED_LEN];
    random::fill(&mut rng_seed);
    let mut kaslr_seed = [0; size_of::<u64>()];
    random::fill(&mut kaslr_seed);
    // The capture kernel would take a seed for more than it is.
    let seeded = random::is_unpredictable();
    let usable = usable(reservation)?;
    let initrd = plan
        .segment(SegmentKind::Initrd)
        .and_then(|initrd| Range::from_start_len(initrd.memory.start(), initrd_len));
    let mut tree = KVVec::new();
    let room = memory_of(plan, SegmentKind::DeviceTree).len();
    tree.extend_with(room as usize, 0, GFP_KERNEL)?;
    capture_tree(
        &mut tree,
        &sources.tree,
        &Changes {
            elfcorehdr: memory_of(plan, SegmentKind::Elfcorehdr),
            usable: &usable,
            bootargs: command_line,
            initrd,
            kaslr_seed: seeded.then_some(u64::from_ne_bytes(kaslr_seed)),
            rng_seed: if seeded { &rng_seed } else { &[] },
            stale_reservations: &[],
        },
    )?;
    Ok(tree)
}

#[inline(never)]
fn purgatory(
    sources: &Sources,
    plan: &Plan,
    command_line: &[u8],
    report: Range,
) -> Result<KVVec<u8>, Refusal> {
    let region = plan.region();
    let offset = page_tables_offset();
    let base = memory_of(plan, SegmentKind::Purgatory).start() + offset;
    let mut tables = KVVec::new();
    tables.extend_with((page_tables_len(region) / 8) as usize, 0, GFP_KERNEL)?;
    let mut map = IdentityMap::new(&mut tables, base, granule())?;
    // SAFETY: Returns what the kernel maps its own text and data with.
    let attributes = unsafe { bindings::rust_kexec_executable_page_attributes() };
    for range in [region, report] {
        map.map(range, attributes)?;
    }
    let tree = Fdt::parse(&sources.tree).ok();
    let firmware = tree
        .as_ref()
        .and_then(find_stdout)
        .or_else(|| AcpiTable::get(c"SPCR").and_then(|table| find_in_spcr(table.bytes())));
    let (console_kind, console_base) = match find_console(command_line, tree.as_ref(), firmware) {
        Some(Console::Pl011 { address }) => (CONSOLE_PL011, address),
        _ => (CONSOLE_NONE, 0),
    };
    if console_kind != CONSOLE_NONE {
        let registers = Range::from_start_len(console_base, PAGE_SIZE)
            .and_then(|registers| registers.align_outward(granule().page_len()))
            .unwrap_or_default();
        // SAFETY: Returns what the kernel maps device registers with.
        map.map(registers, unsafe {
            bindings::rust_kexec_device_page_attributes()
        })?;
    }

    let mut bytes = KVVec::new();
    bytes.extend_from_slice(PURGATORY, GFP_KERNEL)?;
    Head::set_console(&mut bytes, console_kind, console_base);
    bytes.extend_with(offset as usize - PURGATORY.len(), 0, GFP_KERNEL)?;
    for entry in tables.iter() {
        bytes.extend_from_slice(&entry.to_le_bytes(), GFP_KERNEL)?;
    }
    Ok(bytes)
}

/// Makes what was written to `memory` visible to accesses with the caches off, with which the
/// capture kernel starts.
pub(crate) fn publish(memory: &[u8]) {
    cache::clean_to_point_of_coherency(memory);
}

/// The addresses that the jump needs.
pub(crate) struct Jump {
    top_table: u64,
    purgatory: u64,
    table: u64,
}

/// TCR_EL1: T0SZ, EPD0 ("no walks with TTBR0") and TG0, which the identity map sets.
const TCR_T0SZ: u64 = 0x3f;
const TCR_EPD0: u64 = 1 << 7;
const TCR_TG0_SHIFT: u32 = 14;
const TCR_TG0: u64 = 3 << TCR_TG0_SHIFT;

impl Jump {
    /// Takes the addresses from the plan.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Refusal> {
        let purgatory = memory_of(plan, SegmentKind::Purgatory).start();
        Ok(Self {
            top_table: purgatory + page_tables_offset(),
            purgatory,
            table: memory_of(plan, SegmentKind::PurgatoryTable).start(),
        })
    }

    /// Leaves this kernel.
    ///
    /// # Safety
    ///
    /// The segments must be in their places, interrupts off, and all other CPUs stopped.
    // scripts/check-crash-path knows it by its name.
    #[inline(never)]
    pub(crate) unsafe fn jump(&self) -> ! {
        // SAFETY: This code runs in the upper half, which TTBR1 maps and which does not change.
        // The lower half is switched off, emptied, and switched on with the identity map, in which
        // the purgatory is at its physical address.
        unsafe {
            asm!(
                "msr daifset, #0xf",
                "mrs {tcr}, tcr_el1",
                "orr {tcr}, {tcr}, {epd0}",
                "msr tcr_el1, {tcr}",
                "isb",
                "tlbi vmalle1",
                "dsb nsh",
                "msr ttbr0_el1, {top_table}",
                "isb",
                "bic {tcr}, {tcr}, {clear}",
                "orr {tcr}, {tcr}, {set}",
                "msr tcr_el1, {tcr}",
                "isb",
                "br {purgatory}",
                tcr = in(reg) 0_u64,
                epd0 = in(reg) TCR_EPD0,
                clear = in(reg) TCR_EPD0 | TCR_T0SZ | TCR_TG0,
                set = in(reg) T0SZ | granule().tg0() << TCR_TG0_SHIFT,
                top_table = in(reg) self.top_table,
                purgatory = in(reg) self.purgatory,
                in("x0") self.table,
                options(noreturn),
            )
        }
    }
}
