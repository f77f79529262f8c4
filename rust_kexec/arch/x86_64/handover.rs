// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a capture kernel besides itself, and the jump into the purgatory.

use super::{
    efi::Firmware,
    image::{
        self,
        Image, //
    },
    memory,
    port, //
};
use crate::{
    arch::purgatory::{
        memory_of,
        Addresses,
        EnteredFrom,
        Lens,
        Purgatory, //
    },
    compat::prelude::*,
    refusal::Refusal,
    sys::{
        bindings,
        file::Mount,
        iomem,
        random, //
    }, //
};
use kernel::alloc::AllocError;
use kexec_core::{
    handover::{
        command_line,
        purgatory::{
            CONSOLE_NONE,
            CONSOLE_UART8250_PORT,
            FOUR_LEVEL_PAGING, //
        },
        x86_64::{
            boot_params::{
                BootParams,
                BOOT_PARAMS_LEN, //
            },
            page_tables::{
                self,
                large_pages,
                IdentityMap,
                Levels,
                TABLE_LEN, //
            },
            setup_data::{
                tail_len,
                SetupDataType,
                Tail,
                RNG_SEED_LEN, //
            }, //
        },
        Purpose,
        UsableMemory, //
    },
    image::x86_64::protocol::BootProtocol,
    plan::Plan,
    types::ranges::{
        Range,
        RangeList,
        PAGE_SIZE, //
    },
    uapi::SegmentKind, //
};

/// The purgatory: position-independent, entered at its first byte, its stack inside.
pub(super) static PURGATORY: Purgatory = Purgatory {
    code: include_bytes!("../../purgatory/x86_64.bin"),
    table_len: TABLE_LEN,
};

/// The segment whose address the kernel is entered with.
pub(crate) const ARGUMENT: SegmentKind = SegmentKind::BootParams;

/// Whether a kernel can be handed a device tree of the caller's.
pub(crate) const TAKES_DEVICE_TREE: bool = false;

/// The alignment of the segments of the handover.
pub(crate) fn alignment() -> u64 {
    PAGE_SIZE
}

/// The ranges of the identity map: the region, and some tables that firmware keeps together.
type Mapped = RangeList<32>;

pub(super) fn levels() -> Levels {
    match image::five_level_paging() {
        true => Levels::Five,
        false => Levels::Four,
    }
}

/// The facts of the running machine that the handover needs.
pub(crate) struct Sources {
    /// The boot parameters of the running kernel, from firmware or a boot loader. Without them the
    /// capture kernel has no screen, and none of UEFI's services.
    boot_params: Option<KVVec<u8>>,
    firmware: Firmware,
    /// In a box: the sources are handed on by value, and the stack is small.
    accessed_early: KBox<Mapped>,
}

impl Sources {
    /// Reads the facts from sysfs, where it is there, and from the kernel's variables.
    // Out of line for the stack: the list on its way into its box.
    #[inline(never)]
    pub(crate) fn read(_device_tree: Option<&[u8]>) -> Result<Self, Refusal> {
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
            accessed_early: KBox::new(accessed_early(&firmware)?, GFP_KERNEL)?,
            boot_params,
            firmware,
        })
    }

    /// The lengths of the segments, for an image in `region`. `command_line_len` is without the NUL.
    pub(crate) fn lens(
        &self,
        region: Range,
        _usable: Option<UsableMemory<'_>>,
        command_line_len: usize,
    ) -> Result<Lens, Refusal> {
        let tail_len = tail_len(command_line_len + 1, self.firmware.memory_map_len());
        let tables = tables_count(&self.mapped(region)?);
        Ok(Lens {
            argument: (BOOT_PARAMS_LEN + tail_len) as u64,
            purgatory: PURGATORY.tables_offset() + TABLE_LEN * tables,
        })
    }

    /// The boot parameters, for a capture kernel that may use this memory or one that has all, and with them
    /// what they point to.
    pub(crate) fn argument(
        &self,
        plan: &Plan,
        image: &Image<'_>,
        usable: Option<UsableMemory<'_>>,
        command_line: &[u8],
        initrd: Option<Range>,
    ) -> Result<KVVec<u8>, Refusal> {
        let address = memory_of(plan, ARGUMENT)?.start();
        let tail_len = tail_len(command_line.len() + 1, self.firmware.memory_map_len());
        let mut bytes = KVVec::new();
        bytes.extend_with(BOOT_PARAMS_LEN + tail_len, 0, GFP_KERNEL)?;
        let (page, tail) = bytes.split_first_chunk_mut().ok_or(AllocError)?;
        let mut params = BootParams::new(page, image);
        let mut tail = Tail::new(tail, address + BOOT_PARAMS_LEN as u64);
        params.set_command_line(tail.push(&[command_line, &[0]])?);
        if let Some(initrd) = initrd {
            params.set_initrd(initrd)?;
        }
        let running = self.boot_params.as_ref().and_then(|b| b.first_chunk());
        if let Some(running) = running {
            params.take_over(running);
        }
        self.firmware.hand_over(&mut params, &mut tail)?;
        if random::is_unpredictable() {
            let mut seed = [0; RNG_SEED_LEN];
            random::fill(&mut seed);
            tail.push_setup_data(&mut params, SetupDataType::RngSeed, &seed)?;
        }
        match usable {
            Some(usable) => {
                let elfcorehdr = memory_of(plan, SegmentKind::Elfcorehdr)?;
                memory::set_memory_map(&mut params, usable, elfcorehdr)?;
            }
            None => params.take_over_memory(running.ok_or(memory::NO_BOOT_PARAMS)?),
        }
        Ok(bytes)
    }

    /// The purgatory, on page tables that let it be entered.
    pub(crate) fn purgatory(
        &self,
        plan: &Plan,
        command_line: &[u8],
        entered_from: EnteredFrom,
    ) -> Result<KVVec<u8>, Refusal> {
        let mapped = self.mapped(plan.region())?;
        let count = tables_count(&mapped) as usize;
        let mut tables = empty_tables(count)?;
        let mut map = IdentityMap::new(&mut tables, PURGATORY.tables(plan)?, levels())?;
        for range in &mapped {
            map.map(*range)?;
        }
        if let Some(page) = entered_from.page() {
            map.map(page)?;
        }
        if let EnteredFrom::Kernel { .. } = entered_from {
            add_running_kernel(&mut tables)?;
        }

        let console = match command_line::find_console(command_line) {
            Some(command_line::Console::Uart8250 { port }) => (CONSOLE_UART8250_PORT, port.into()),
            _ => (CONSOLE_NONE, 0),
        };
        Ok(PURGATORY.segment(console, tables.iter().flatten())?)
    }

    /// The ranges that are identity-mapped besides the page of [`EnteredFrom`].
    fn mapped(&self, region: Range) -> Result<Mapped, Refusal> {
        let mut mapped = *self.accessed_early;
        mapped.push(region)?;
        Ok(mapped)
    }
}

/// So many tables without entries.
// Out of line for the stack: one table.
#[inline(never)]
pub(super) fn empty_tables(count: usize) -> Result<KVVec<page_tables::Table>, AllocError> {
    let mut tables = KVVec::new();
    tables.extend_with(count, [0; page_tables::ENTRIES], GFP_KERNEL)?;
    Ok(tables)
}

/// Adds the running kernel's addresses to a map whose top table comes first, so that the code which switches to
/// it goes on.
pub(super) fn add_running_kernel(tables: &mut [page_tables::Table]) -> Result<(), Refusal> {
    let mut map = IdentityMap::new(tables, 0, levels())?;
    // SAFETY: CR3 names the table that this CPU runs on, and RAM is directly mapped. The entries of the upper
    // half are the same in every process and change only when memory is plugged in.
    map.copy_upper_half(unsafe { &*image::running_top_table() });
    Ok(())
}

/// How many tables the identity map has room for, a page of [`EnteredFrom`] included.
fn tables_count(mapped: &Mapped) -> u64 {
    let page = Range::from_start_len(0, PAGE_SIZE).unwrap_or_default();
    page_tables::tables_needed(mapped.as_slice(), levels())
        + page_tables::tables_needed(&[page], levels())
}

/// The memory outside the region that the first code of a capture kernel accesses, before it has page
/// tables of its own.
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

/// How the kernel is entered, as flags of the purgatory's table.
pub(crate) fn flags(image: &Image<'_>, _purpose: Purpose) -> u32 {
    match levels() {
        Levels::Five if !image.supports_5level() => FOUR_LEVEL_PAGING,
        _ => 0,
    }
}

/// Nothing has to be done for the capture kernel to see what was written: caches are coherent.
pub(crate) fn publish(_memory: &[u8]) {}

/// The same for instructions.
pub(crate) fn publish_code() {}

/// The jump into the purgatory.
pub(crate) struct Jump(Addresses);

impl Jump {
    /// The jump into the image of a plan.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Refusal> {
        Ok(Self(Addresses::of(plan, &PURGATORY)?))
    }

    /// The jump to other code, entered as a purgatory is.
    pub(super) fn to(addresses: Addresses) -> Self {
        Self(addresses)
    }

    /// Leaves this kernel.
    ///
    /// # Safety
    ///
    /// The segments must be in their places, or the relocator in its own; interrupts off, and all other CPUs
    /// stopped.
    pub(crate) unsafe fn jump(&self) -> ! {
        // SAFETY: Interrupts are off, and nothing here needs the two features.
        unsafe { port::prepare_for_low_addresses() };
        // SAFETY: The upper half of the new map is that of the running one, so the next
        // instructions and the stack stay mapped; the purgatory is mapped at its physical
        // address.
        unsafe { bindings::rust_kexec_jump(self.0.top_table, self.0.entry, self.0.table) };
        super::stop::park()
    }
}
