// SPDX-License-Identifier: GPL-2.0

//! Replacing entries of the kernel's translation tables that other code is using.
//!
//! The architecture wants the old entries gone from all CPUs before new ones of another size are
//! written (Arm ARM, D8.16.1 "Break-before-make"). What they map cannot be used meanwhile, and any
//! code may need it. So all CPUs are stopped in here with everything masked, and use nothing but
//! this module, their stacks, the new entries and the table itself, all of which are mapped elsewhere.

use crate::{
    compat::prelude::*,
    sys::{
        bindings,
        cpu,
        physical, //
    }, //
};
use core::{
    arch::asm,
    hint::spin_loop,
    ptr::{
        self,
        addr_of,
        NonNull, //
    },
    slice,
    sync::atomic::{
        AtomicBool,
        AtomicUsize,
        Ordering, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_void, //
    },
    page::PAGE_SIZE, //
};

/// A page that becomes a translation table of the kernel's, and so is never freed.
///
/// # Invariants
///
/// `entries` is a page of `len` entries that nobody else has.
pub(super) struct NewTable {
    entries: NonNull<u64>,
    len: usize,
}

impl NewTable {
    /// Allocates a table of `len` entries, which fill a page.
    pub(super) fn new(len: usize) -> Result<Self> {
        // SAFETY: Allocates a zeroed page.
        let entries = NonNull::new(unsafe { bindings::rust_kexec_zeroed_page() } as *mut u64)
            .ok_or(ENOMEM)?;
        // INVARIANT: The page was just allocated.
        Ok(Self { entries, len })
    }

    /// Its entries.
    pub(super) fn entries(&mut self) -> &mut [u64] {
        // SAFETY: By the type's invariant.
        unsafe { slice::from_raw_parts_mut(self.entries.as_ptr(), self.len) }
    }

    /// Gives the table away for good, and says its physical address.
    pub(super) fn give_away(self) -> u64 {
        physical::address(self.entries.as_ptr().cast())
    }
}

/// What all CPUs are stopped for.
struct Replacement<'a> {
    place: *mut u64,
    expected: &'a [u64],
    values: &'a [u64],
    arrived: AtomicUsize,
    done: AtomicBool,
}

/// Replaces the entries from physical address `place` on, which are in one table: those that are
/// `expected`, by as many others. Fails with EAGAIN, and changes nothing, where they are no longer
/// what was expected.
///
/// # Safety
///
/// `place` must be an entry of a table that is in use, and the new entries must map what the
/// expected ones do. `values` must not be in what they map: it is read while nothing is mapped there.
pub(super) unsafe fn replace(place: u64, expected: &[u64], values: &[u64]) -> Result {
    if !cfg!(CONFIG_VMAP_STACK) {
        // Stacks may be in what goes away for a moment.
        return Err(ENODEV);
    }
    let offset = place as usize % PAGE_SIZE;
    // SAFETY: The caller vouches for the table, which is ordinary memory, and so has a page structure.
    let mut page = unsafe { bindings::rust_kexec_page_of(place - offset as u64) };
    // SAFETY: An array of one page, which is needed for the call only.
    let page = unsafe { bindings::rust_kexec_map_pages(&mut page, 1) };
    if page.is_null() {
        return Err(ENOMEM);
    }
    let mut replacement = Replacement {
        // SAFETY: The entry is in the page.
        place: unsafe { page.byte_add(offset) }.cast(),
        expected,
        values,
        arrived: AtomicUsize::new(0),
        done: AtomicBool::new(false),
    };
    // SAFETY: `stopped` gets the pointer back while this function waits. This thread may sleep.
    let status = unsafe {
        bindings::stop_machine(
            Some(stopped),
            ptr::from_mut(&mut replacement).cast(),
            addr_of!(bindings::__cpu_online_mask),
        )
    };
    // SAFETY: Mapped above.
    unsafe { bindings::vunmap(page) };
    to_result(status)
}

/// Every CPU comes here with interrupts off. The first one waits for the others and replaces.
///
/// # Safety
///
/// `argument` must point to a [`Replacement`] that outlives the call.
unsafe extern "C" fn stopped(argument: *mut c_void) -> c_int {
    // SAFETY: By this function's contract; all CPUs share it.
    let replacement = unsafe { &*argument.cast::<Replacement<'_>>() };
    // It does not change while CPUs are stopped.
    let cpus = cpu::online_count();
    let mut status = 0;
    let masks: u64;
    // SAFETY: Masks what could run code of others on this CPU; undone below.
    unsafe { asm!("mrs {}, daif", "msr daifset, #0xf", out(reg) masks) };
    if replacement.arrived.fetch_add(1, Ordering::AcqRel) == 0 {
        while replacement.arrived.load(Ordering::Acquire) < cpus {
            spin_loop();
        }
        if is_expected(replacement) {
            // SAFETY: All CPUs are here.
            unsafe { break_and_make(replacement) };
        } else {
            status = EAGAIN.to_errno();
        }
        replacement.done.store(true, Ordering::Release);
    } else {
        while !replacement.done.load(Ordering::Acquire) {
            spin_loop();
        }
    }
    // SAFETY: Takes what was fetched before the change back, and restores the masks.
    unsafe { asm!("isb", "msr daif, {}", in(reg) masks) };
    status
}

/// Whether nobody has changed the entries since they were read. Now nobody can.
fn is_expected(replacement: &Replacement<'_>) -> bool {
    let entries = (0..replacement.expected.len())
        // SAFETY: So many entries are mapped at `place`.
        .map(|index| unsafe { replacement.place.add(index).read_volatile() });
    entries.eq(replacement.expected.iter().copied())
}

/// # Safety
///
/// No CPU may use what the entries map. This one uses registers, the new values and the table.
unsafe fn break_and_make(replacement: &Replacement<'_>) {
    // SAFETY: By this function's contract.
    unsafe {
        asm!(
            "mov {index}, xzr",
            "2: str xzr, [{place}, {index}, lsl #3]",
            "add {index}, {index}, #1",
            "cmp {index}, {count}",
            "b.lo 2b",
            "dsb ishst",
            "tlbi vmalle1is",
            "dsb ish",
            "isb",
            "mov {index}, xzr",
            "3: ldr {value}, [{values}, {index}, lsl #3]",
            "str {value}, [{place}, {index}, lsl #3]",
            "add {index}, {index}, #1",
            "cmp {index}, {count}",
            "b.lo 3b",
            "dsb ishst",
            "isb",
            index = out(reg) _,
            value = out(reg) _,
            place = in(reg) replacement.place,
            values = in(reg) replacement.values.as_ptr(),
            count = in(reg) replacement.values.len(),
            options(nostack),
        )
    }
}
