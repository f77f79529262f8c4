// SPDX-License-Identifier: GPL-2.0

//! Silencing interrupt controllers and timers, so that the capture kernel sees no stray
//! interrupt. Everything is looked up and mapped at load; the crash only writes registers.

use super::port;
use crate::{
    compat::prelude::*,
    sys::{
        acpi::AcpiTable,
        bindings, //
    }, //
};
use core::ptr::NonNull;
use kernel::alloc::AllocError;
use kexec_core::handover::x86_64::acpi;

/// Registers mapped uncached.
///
/// # Invariants
///
/// `address` maps a page of device registers until the value is dropped.
struct DevicePage(NonNull<u8>);

impl DevicePage {
    fn map(address: u64) -> Option<Self> {
        // SAFETY: ioremap() checks the address.
        let mapped = unsafe { bindings::ioremap(address, kernel::page::PAGE_SIZE) };
        // INVARIANT: ioremap() maps the whole page or nothing.
        NonNull::new(mapped.cast()).map(Self)
    }

    fn read(&self, offset: usize) -> u32 {
        // SAFETY: By the type's invariant; all our offsets are inside the page and aligned.
        unsafe { self.0.as_ptr().add(offset).cast::<u32>().read_volatile() }
    }

    fn write(&self, offset: usize, value: u32) {
        // SAFETY: As in `read`.
        unsafe {
            self.0
                .as_ptr()
                .add(offset)
                .cast::<u32>()
                .write_volatile(value)
        }
    }
}

impl Drop for DevicePage {
    fn drop(&mut self) {
        // SAFETY: Mapped in `map`.
        unsafe { bindings::iounmap(self.0.as_ptr().cast()) }
    }
}

/// The machine's interrupt controllers and timers.
pub(crate) struct Interrupts {
    local_apic: Option<DevicePage>,
    io_apics: KVec<DevicePage>,
    hpet: Option<DevicePage>,
}

// SAFETY: The mappings are addresses that every CPU sees alike, used by the one that crashes.
unsafe impl Send for Interrupts {}
// SAFETY: As above.
unsafe impl Sync for Interrupts {}

const APIC_BASE: u32 = 0x1b;
const APIC_BASE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;
const APIC_BASE_X2APIC: u64 = 1 << 10;
const APIC_BASE_ENABLED: u64 = 1 << 11;

impl Interrupts {
    /// Finds and maps what there is.
    pub(crate) fn find() -> Result<Self, AllocError> {
        let mut io_apics = KVec::new();
        if let Some(madt) = AcpiTable::get(c"APIC") {
            for address in acpi::io_apics(madt.bytes()) {
                io_apics.push(DevicePage::map(address).ok_or(AllocError)?, GFP_KERNEL)?;
            }
        }
        let hpet = AcpiTable::get(c"HPET").and_then(|table| acpi::hpet_address(table.bytes()));
        // SAFETY: Every 64-bit CPU has this register.
        let base = unsafe { port::read_msr(APIC_BASE) };
        Ok(Self {
            local_apic: DevicePage::map(base & APIC_BASE_ADDRESS),
            io_apics,
            hpet: hpet.and_then(DevicePage::map),
        })
    }

    /// Silences them. Called by the CPU that crashes, with interrupts off and all others stopped.
    pub(crate) fn silence(&self) {
        self.io_apics.iter().for_each(silence_io_apic);
        silence_local_apic(self.local_apic.as_ref());
        self.hpet.iter().for_each(stop_hpet);
        mask_legacy_controllers();
    }
}

/// I/O APIC: registers are reached through an index and a window (82093AA datasheet, 3.1).
const INDEX: usize = 0x00;
const WINDOW: usize = 0x10;
const VERSION: u32 = 0x01;
const REDIRECTION_TABLE: u32 = 0x10;
const REDIRECTION_MASKED: u32 = 1 << 16;
const REDIRECTION_LEVEL: u32 = 1 << 15;
const REDIRECTION_REMOTE_IRR: u32 = 1 << 14;
const DELIVERY_MODE: u32 = 7 << 8;
const DELIVERY_SMI: u32 = 2 << 8;

fn silence_io_apic(registers: &DevicePage) {
    let read = |register| {
        registers.write(INDEX, register);
        registers.read(WINDOW)
    };
    let write = |register, value| {
        registers.write(INDEX, register);
        registers.write(WINDOW, value);
    };
    let last = (read(VERSION) >> 16) & 0xff;
    for pin in 0..=last {
        // Pins have numbers of 8 bits, so nothing wraps.
        let low = REDIRECTION_TABLE.wrapping_add(2u32.wrapping_mul(pin));
        let entry = read(low);
        // Firmware depends on its system management interrupts.
        if entry & DELIVERY_MODE == DELIVERY_SMI {
            continue;
        }
        write(low, entry | REDIRECTION_MASKED);
        // A level interrupt that is still in service would block the pin for good. Switching the
        // trigger to edge and back ends it, also on I/O APICs without an EOI register.
        if entry & REDIRECTION_LEVEL != 0 && entry & REDIRECTION_REMOTE_IRR != 0 {
            write(low, (entry | REDIRECTION_MASKED) & !REDIRECTION_LEVEL);
            write(low, entry | REDIRECTION_MASKED);
        }
        write(low, REDIRECTION_MASKED);
        write(low.wrapping_add(1), 0);
    }
}

/// Local APIC registers, as offsets of the memory-mapped form (Intel SDM volume 3, "APIC Register
/// Address Map"). The x2APIC form has them at MSR 0x800 + offset / 16.
const SPURIOUS: usize = 0xf0;
const SPURIOUS_ENABLE: u32 = 1 << 8;
const SPURIOUS_VECTOR: u32 = 0xf;
const APIC_VERSION: usize = 0x30;
const LVT_CMCI: usize = 0x2f0;
const LVT_TIMER: usize = 0x320;
const LVT_THERMAL: usize = 0x330;
const LVT_PERFORMANCE: usize = 0x340;
const LVT_LINT0: usize = 0x350;
const LVT_LINT1: usize = 0x360;
const LVT_ERROR: usize = 0x370;
const INITIAL_COUNT: usize = 0x380;
const LVT_MASKED: u32 = 1 << 16;
const DELIVERY_NMI: u32 = 4 << 8;
const DELIVERY_EXTERNAL: u32 = 7 << 8;
/// Any legal vector: masking an entry whose vector is 0 would raise an APIC error.
const LVT_VECTOR: u32 = 0xfe;

fn silence_local_apic(registers: Option<&DevicePage>) {
    // SAFETY: Every 64-bit CPU has this register.
    let base = unsafe { port::read_msr(APIC_BASE) };
    if base & APIC_BASE_ENABLED == 0 {
        return;
    }
    let x2apic = base & APIC_BASE_X2APIC != 0;
    let msr = |offset: usize| 0x800 + (offset >> 4) as u32;
    let read = |offset| match registers {
        // SAFETY: In x2APIC mode the register exists; offsets are those checked below.
        _ if x2apic => unsafe { port::read_msr(msr(offset)) as u32 },
        Some(registers) => registers.read(offset),
        None => 0,
    };
    let write = |offset, value: u32| match registers {
        // SAFETY: As in `read`; the APIC is this CPU's own and Linux does not use it any more.
        _ if x2apic => unsafe { port::write_msr(msr(offset), value.into()) },
        Some(registers) => registers.write(offset, value),
        None => {}
    };

    // Which of the later entries exist (SDM, "Local APIC Version Register").
    let last_lvt = (read(APIC_VERSION) >> 16) & 0xff;
    let entries = [
        (LVT_ERROR, 3),
        (LVT_TIMER, 0),
        (LVT_LINT0, 0),
        (LVT_LINT1, 0),
        (LVT_PERFORMANCE, 4),
        (LVT_THERMAL, 5),
        (LVT_CMCI, 6),
    ];
    for (entry, needed) in entries {
        if last_lvt >= needed {
            write(entry, LVT_MASKED | LVT_VECTOR);
        }
    }
    write(INITIAL_COUNT, 0);
    write(SPURIOUS, read(SPURIOUS) & !SPURIOUS_ENABLE);

    // Virtual wire mode, in which firmware hands a PC over (MultiProcessor Specification 1.4, 3.6.2.2)
    // and in which disconnect_bsp_APIC() leaves it: interrupts of the 8259s pass through LINT0. That is
    // what a capture kernel has that does not use its APIC, or looks for a timer before it does.
    // Firmware may have let them pass through an I/O APIC, which only the kernel's early code could
    // see; they are wired to both.
    // SAFETY: Reads what was found at boot.
    if unsafe { bindings::rust_kexec_has_legacy_interrupts() } {
        write(SPURIOUS, SPURIOUS_ENABLE | SPURIOUS_VECTOR);
        write(LVT_LINT0, DELIVERY_EXTERNAL);
        write(LVT_LINT1, DELIVERY_NMI);
    }
}

/// HPET general configuration: bit 0 runs the counter, bit 1 routes timers 0 and 1 to the legacy
/// interrupts (IA-PC HPET specification 1.0a, 2.3.5).
const HPET_CONFIGURATION: usize = 0x10;
const HPET_ENABLE: u32 = 1 << 0;
const HPET_LEGACY_ROUTE: u32 = 1 << 1;

fn stop_hpet(registers: &DevicePage) {
    let configuration = registers.read(HPET_CONFIGURATION);
    registers.write(
        HPET_CONFIGURATION,
        configuration & !(HPET_ENABLE | HPET_LEGACY_ROUTE),
    );
}

/// The mask registers of the two 8259 controllers.
const LEGACY_MASKS: [u16; 2] = [0x21, 0xa1];

fn mask_legacy_controllers() {
    for mask in LEGACY_MASKS {
        // SAFETY: Nobody handles interrupts any more; the capture kernel sets the controllers up.
        unsafe { port::write_port(mask, 0xff) };
    }
}
