// SPDX-License-Identifier: GPL-2.0

//! The segments that carry a capture kernel besides itself, and the jump into the purgatory.

use super::{
    cache,
    image::Image, //
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
    refusal::{
        MachineError,
        Refusal, //
    },
    sys::{
        acpi::AcpiTable,
        bindings,
        file::Mount,
        kallsyms::Kallsyms,
        random, //
    }, //
};
use core::{
    arch::asm,
    ffi::CStr, //
};
use kernel::page::PAGE_SHIFT;
use kexec_core::{
    handover::{
        arm64::{
            console::{
                find_console,
                find_in_spcr,
                find_stdout, //
            },
            device_tree::{
                check_given,
                next_tree,
                tree_len_bound,
                Changes,
                DeviceTreeError,
                TREE_LEN_MAX, //
            },
            fdt::{
                Fdt,
                HEADER_LEN, //
            },
            page_tables::{
                self,
                IdentityMap,
                T0SZ, //
            }, //
        },
        command_line::Console,
        purgatory::{
            CONSOLE_NONE,
            CONSOLE_PL011,
            ENTER_AT_EL2, //
        },
        CaptureMemory,
        Purpose,
        UsableMemory, //
    },
    plan::Plan,
    types::{
        granule::Granule,
        ranges::{
            Range,
            PAGE_SIZE, //
        }, //
    },
    uapi::SegmentKind, //
};

/// The segment whose address the kernel is entered with.
pub(crate) const ARGUMENT: SegmentKind = SegmentKind::DeviceTree;

/// Whether a kernel can be handed a device tree of the caller's.
pub(crate) const TAKES_DEVICE_TREE: bool = true;

/// The alignment of the segments of the handover.
pub(crate) fn alignment() -> u64 {
    granule().page_len()
}

pub(super) fn the_purgatory() -> Purgatory {
    Purgatory {
        code: include_bytes!("../../purgatory/arm64.bin"),
        table_len: granule().page_len(),
    }
}

/// How much randomness the capture kernel is given.
const RNG_SEED_LEN: usize = 64;

/// The page size that the running kernel uses, and the handover with it.
pub(super) fn granule() -> Granule {
    match PAGE_SHIFT {
        16 => Granule::Kib64,
        14 => Granule::Kib16,
        _ => Granule::Kib4,
    }
}

/// Room for the tables of the identity map: the region, one page of console registers, and the page of
/// [`EnteredFrom`].
fn page_tables_len(region: Range) -> u64 {
    let page = Range::from_start_len(0, PAGE_SIZE).unwrap_or_default();
    let tables = page_tables::tables_needed(region, granule())
        + 2 * page_tables::tables_needed(page, granule());
    tables * granule().page_len()
}

/// The running machine's device tree. On a machine that ACPI describes it is the small one of
/// the kernel's EFI stub.
pub(super) fn running_tree() -> Result<KVVec<u8>, Refusal> {
    const MISSING: MachineError = MachineError::Missing {
        what: "the running machine's device tree, /sys/firmware/fdt,",
        remedy: "use a kernel with CONFIG_SYSFS, and look in its log for what became of the tree",
    };
    const PATH: &CStr = c"firmware/fdt";
    let sysfs = Mount::sysfs().map_err(|_| MISSING)?;
    let mut header = [0; HEADER_LEN];
    let header = sysfs.read(PATH, &mut header).map_err(|_| MISSING)?;
    let len = Fdt::len_to_read(header).ok_or(MISSING)?;
    let mut tree = KVVec::new();
    tree.extend_with(len.min(TREE_LEN_MAX), 0, GFP_KERNEL)?;
    sysfs.read(PATH, &mut tree).map_err(|_| MISSING)?;
    Ok(tree)
}

/// The facts of the running machine that the handover needs.
pub(crate) struct Sources {
    tree: KVVec<u8>,
}

impl Sources {
    /// Reads the facts; the caller's device tree, if there is one, is in the place of the running kernel's.
    pub(crate) fn read(device_tree: Option<&[u8]>) -> Result<Self, Refusal> {
        let mut tree = running_tree()?;
        if let Some(given) = device_tree {
            check_given(given, &tree)?;
            tree = KVVec::new();
            tree.extend_from_slice(given, GFP_KERNEL)?;
        }
        Ok(Self { tree })
    }

    /// The lengths of the segments, for an image in `region` and a kernel that may use `regions`.
    /// `command_line_len` is without the NUL.
    pub(crate) fn lens(
        &self,
        region: Range,
        usable: Option<UsableMemory<'_>>,
        command_line_len: usize,
    ) -> Result<Lens, Refusal> {
        let mut bootargs = KVVec::new();
        bootargs.extend_with(command_line_len, b' ', GFP_KERNEL)?;
        let rng_seed = [0; RNG_SEED_LEN];
        let regions = highest_first(usable)?;
        let changes = Changes {
            capture: usable.map(|usable| capture_memory(usable, &regions, region)),
            bootargs: &bootargs,
            initrd: Some(region),
            kaslr_seed: Some(0),
            rng_seed: &rng_seed,
            stale_reservations: &[],
        };
        let running = Fdt::parse(&self.tree).map_err(DeviceTreeError::from)?;
        let tree_len = tree_len_bound(running.contents_len(), &changes).min(TREE_LEN_MAX) as u64;
        Ok(Lens {
            argument: tree_len,
            purgatory: the_purgatory().tables_offset() + page_tables_len(region),
        })
    }

    /// The device tree, for a capture kernel that may use this memory or one that has all.
    // Out of line for the stack: the seeds and the changes of the tree.
    #[inline(never)]
    pub(crate) fn argument(
        &self,
        plan: &Plan,
        _image: &Image<'_>,
        usable: Option<UsableMemory<'_>>,
        command_line: &[u8],
        initrd: Option<Range>,
    ) -> Result<KVVec<u8>, Refusal> {
        let mut rng_seed = [0; RNG_SEED_LEN];
        random::fill(&mut rng_seed);
        let mut kaslr_seed = [0; size_of::<u64>()];
        random::fill(&mut kaslr_seed);
        // The next kernel would take a seed for more than it is.
        let seeded = random::is_unpredictable();
        let regions = highest_first(usable)?;
        let capture = match usable {
            Some(usable) => {
                let elfcorehdr = memory_of(plan, SegmentKind::Elfcorehdr)?;
                Some(capture_memory(usable, &regions, elfcorehdr))
            }
            None => None,
        };
        let mut tree = KVVec::new();
        let room = memory_of(plan, ARGUMENT)?.len();
        tree.extend_with(room as usize, 0, GFP_KERNEL)?;
        next_tree(
            &mut tree,
            &self.tree,
            &Changes {
                capture,
                bootargs: command_line,
                initrd,
                kaslr_seed: seeded.then_some(u64::from_ne_bytes(kaslr_seed)),
                rng_seed: if seeded { &rng_seed } else { &[] },
                stale_reservations: &[],
            },
        )?;
        Ok(tree)
    }

    /// The purgatory, on page tables that let it be entered.
    // Out of line for the stack: the parsed tree and the map.
    #[inline(never)]
    pub(crate) fn purgatory(
        &self,
        plan: &Plan,
        command_line: &[u8],
        entered_from: EnteredFrom,
    ) -> Result<KVVec<u8>, Refusal> {
        let region = plan.region();
        let purgatory = the_purgatory();
        let mut tables = KVVec::new();
        tables.extend_with((page_tables_len(region) / 8) as usize, 0, GFP_KERNEL)?;
        let mut map = IdentityMap::new(&mut tables, purgatory.tables(plan)?, granule())?;
        // SAFETY: Returns what the kernel maps its own text and data with.
        let attributes = unsafe { bindings::rust_kexec_executable_page_attributes() };
        for range in [Some(region), entered_from.page()].into_iter().flatten() {
            map.map(range, attributes)?;
        }
        let tree = Fdt::parse(&self.tree).ok();
        let firmware = tree
            .as_ref()
            .and_then(find_stdout)
            .or_else(|| AcpiTable::get(c"SPCR").and_then(|table| find_in_spcr(table.bytes())));
        let mut console = (CONSOLE_NONE, 0);
        if let Some(Console::Pl011 { address }) =
            find_console(command_line, tree.as_ref(), firmware)
        {
            console = (CONSOLE_PL011, address);
            let registers = Range::from_start_len(address, PAGE_SIZE)
                .and_then(|registers| registers.align_outward(granule().page_len()))
                .unwrap_or_default();
            // SAFETY: Returns what the kernel maps device registers with.
            map.map(registers, unsafe {
                bindings::rust_kexec_device_page_attributes()
            })?;
        }
        Ok(purgatory.segment(console, tables.iter())?)
    }
}

/// The region first, then the low one, as a capture kernel expects them.
fn highest_first(usable: Option<UsableMemory<'_>>) -> Result<KVec<Range>, Refusal> {
    let mut reversed = KVec::new();
    for range in usable.unwrap_or_default().regions.iter().rev() {
        reversed.push(*range, GFP_KERNEL)?;
    }
    Ok(reversed)
}

/// A capture kernel's memory, with its regions in the order in which it is told of them.
fn capture_memory<'a>(
    usable: UsableMemory<'a>,
    regions: &'a [Range],
    elfcorehdr: Range,
) -> CaptureMemory<'a> {
    CaptureMemory {
        usable: UsableMemory { regions, ..usable },
        elfcorehdr,
    }
}

/// How the kernel is entered, as flags of the purgatory's table. A capture kernel is entered at the
/// exception level that this kernel runs at: what is at EL2 may be what has crashed.
pub(crate) fn flags(_image: &Image<'_>, purpose: Purpose) -> u32 {
    match purpose == Purpose::Reboot && has_stub_at_el2() {
        true => ENTER_AT_EL2,
        false => 0,
    }
}

/// Whether this kernel was started at EL2, and has left that to its stub, as is_hyp_nvhe() says. Where it does
/// not tell how it was started, the next kernel goes without KVM.
fn has_stub_at_el2() -> bool {
    /// `BOOT_CPU_MODE_EL2` (asm/virt.h). The kernel's array has the modes of the first CPU and of the others.
    const STARTED_AT_EL2: u32 = 0xe12;
    /// CurrentEL of EL2 (Arm ARM, "CurrentEL").
    const EL2: u64 = 2 << 2;
    let here: u64;
    // SAFETY: Reading the exception level has no effect.
    unsafe { asm!("mrs {}, CurrentEL", out(reg) here, options(nomem, nostack)) };
    if here == EL2 {
        return false;
    }
    let symbols = Kallsyms::find().ok();
    let modes = symbols.and_then(|symbols| symbols.address(c"__boot_cpu_mode"));
    let Some(modes) = modes else {
        return false;
    };
    // SAFETY: It is the kernel's `u32 __boot_cpu_mode[2]`, which nobody writes after boot.
    unsafe { *(modes as *const [u32; 2]) == [STARTED_AT_EL2; 2] }
}

/// Makes what was written to `memory` visible to accesses with the caches off, with which the
/// capture kernel starts.
pub(crate) fn publish(memory: &[u8]) {
    cache::clean_to_point_of_coherency(memory);
}

/// The same for instructions, once all memory with code was published that nobody has executed since. Memory of
/// the running kernel may have had other code before.
pub(crate) fn publish_code() {
    cache::forget_instructions();
}

/// The jump into the purgatory.
pub(crate) struct Jump(Addresses);

/// TCR_EL1: T0SZ, EPD0 ("no walks with TTBR0") and TG0, which the identity map sets.
const TCR_T0SZ: u64 = 0x3f;
const TCR_EPD0: u64 = 1 << 7;
const TCR_TG0_SHIFT: u32 = 14;
const TCR_TG0: u64 = 3 << TCR_TG0_SHIFT;

impl Jump {
    /// The jump into the image of a plan.
    pub(crate) fn new(plan: &Plan) -> Result<Self, Refusal> {
        Ok(Self(Addresses::of(plan, &the_purgatory())?))
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
                top_table = in(reg) self.0.top_table,
                purgatory = in(reg) self.0.entry,
                in("x0") self.0.table,
                options(noreturn),
            )
        }
    }
}
