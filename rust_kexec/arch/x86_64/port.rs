// SPDX-License-Identifier: GPL-2.0

//! I/O ports, model-specific registers and control registers.

use core::arch::asm;

/// Writes a byte to an I/O port.
///
/// # Safety
///
/// The device at the port must be one that the caller is in charge of.
pub(super) unsafe fn write_port(port: u16, value: u8) {
    // SAFETY: The caller vouches for the device.
    unsafe { asm!("out dx, al", in("al") value, in("dx") port, options(nomem, nostack)) }
}

/// Reads a model-specific register that every 64-bit CPU has.
///
/// # Safety
///
/// The register must exist: reading another one faults.
pub(super) unsafe fn read_msr(number: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: The caller vouches for the register.
    unsafe {
        asm!("rdmsr", in("ecx") number, out("eax") low, out("edx") high, options(nostack));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// Writes a model-specific register.
///
/// # Safety
///
/// The register must exist, and the caller must be in charge of what it controls.
pub(super) unsafe fn write_msr(number: u32, value: u64) {
    // SAFETY: The caller vouches for the register and its effect.
    unsafe {
        asm!("wrmsr", in("ecx") number, in("eax") value as u32, in("edx") (value >> 32) as u32,
             options(nostack));
    }
}

/// CR3: the physical address of the top page table, and flags.
pub(super) fn read_cr3() -> u64 {
    let value: u64;
    // SAFETY: Reading CR3 has no effect.
    unsafe { asm!("mov {}, cr3", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// CR4: paging and other features.
pub(super) fn read_cr4() -> u64 {
    let value: u64;
    // SAFETY: Reading CR4 has no effect.
    unsafe { asm!("mov {}, cr4", out(reg) value, options(nomem, nostack, preserves_flags)) };
    value
}

/// CR4.PGE: translations that are not forgotten when CR3 is written.
const CR4_GLOBAL_PAGES: u64 = 1 << 7;

/// Forgets all translations, the global ones too (Intel SDM volume 3, "Operations that Invalidate
/// TLBs and Paging-Structure Caches": a change of CR4.PGE). For code with interrupts off.
pub(super) fn flush_translations() {
    let value = read_cr4();
    for value in [value ^ CR4_GLOBAL_PAGES, value] {
        // SAFETY: CR4 has its former value in the end.
        unsafe { asm!("mov cr4, {}", in(reg) value, options(nostack, preserves_flags)) };
    }
}

/// CR4.LASS: a supervisor's access to an address of the lower half faults, an instruction fetch
/// even where SMAP is suspended (Intel SDM volume 3, "Linear-Address Space Separation").
const CR4_LINEAR_ADDRESS_SPACE_SEPARATION: u64 = 1 << 27;

/// Switches off what would not let code run at its physical address once CR3 names an identity map:
/// LASS, and translations that outlive the write to CR3. The kernel's relocate_kernel() clears the
/// same two at this point.
///
/// CET stays: it lets a jump go to any ENDBR64, and CR0.WP, which it needs, is not touched before
/// the purgatory clears both in that order.
///
/// # Safety
///
/// Interrupts must be off and stay off, because CR4 no longer is what the kernel has set.
pub(super) unsafe fn prepare_for_low_addresses() {
    let value = read_cr4() & !(CR4_LINEAR_ADDRESS_SPACE_SEPARATION | CR4_GLOBAL_PAGES);
    // SAFETY: A cleared bit grants more, and forgets cached translations; the caller vouches for
    // the rest.
    unsafe { asm!("mov cr4, {}", in(reg) value, options(nostack, preserves_flags)) };
}

/// Disables the CPU's hardware breakpoints (Intel SDM volume 3, "Debug Registers"; bit 10 of DR7 is
/// always set), as hw_breakpoint_disable() does. A user's addresses are the purgatory's and the capture
/// kernel's as well, while these run where addresses are physical ones.
pub(super) fn disable_breakpoints() {
    // SAFETY: Nobody debugs this kernel any more.
    unsafe { asm!("mov dr7, {}", in(reg) 1u64 << 10, options(nostack, preserves_flags)) };
}

/// The CPU's data segment selectors: ds, es, fs, gs.
pub(super) fn data_segments() -> [u64; 4] {
    let (ds, es, fs, gs): (u64, u64, u64, u64);
    // SAFETY: Reading selectors has no effect.
    unsafe {
        asm!("mov {}, ds", "mov {}, es", "mov {}, fs", "mov {}, gs",
             out(reg) ds, out(reg) es, out(reg) fs, out(reg) gs,
             options(nomem, nostack, preserves_flags));
    }
    [ds, es, fs, gs].map(|selector| selector & 0xffff)
}
