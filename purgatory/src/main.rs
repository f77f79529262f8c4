// SPDX-License-Identifier: GPL-2.0

//! The purgatory: the only code that runs between the crashed kernel and the capture kernel.
//!
//! It runs on its own stack, on page tables that the module built at load, with caches on and interrupts off,
//! and trusts nothing of the crashed kernel. It checks the digest of every segment against the module's table
//! (see [`kexec_core::handover::check`]); the module has checked this program. Only when all agree does it enter
//! the capture kernel. Otherwise it names the changed segment on the console and stops: a capture kernel that
//! boots from damaged memory could write a wrong dump.

#![no_std]
#![no_main]

#[cfg(target_arch = "aarch64")]
#[path = "arm64/mod.rs"]
mod arch;
#[cfg(target_arch = "x86_64")]
#[path = "x86_64/mod.rs"]
mod arch;
mod console;
mod memory;
mod relocation;

use console::Console;
use kexec_core::{
    dump::report::Moment,
    handover::check, //
};
use memory::Physical;

/// Called by the architecture's entry code with the table's physical address, once the stack,
/// the descriptor tables and the relocations are in place.
extern "C" fn purgatory_main(table: u64) -> ! {
    let entered = arch::counter();
    // SAFETY: The module passes the address of the table that it placed in the reserved region. That is
    // identity-mapped; nothing else runs and nothing writes to it from here on.
    let memory = unsafe { Physical::new() };
    match check::in_the_purgatory(table, &memory) {
        Ok(image) => {
            let checked = arch::counter();
            let table = &image.table;
            // SAFETY: The table's digest held, and the module mapped the report. The header was
            // found in its slot.
            unsafe {
                if let Some(elfcorehdr) = image.elfcorehdr {
                    memory::place_elfcorehdr(&table.elfcorehdr, elfcorehdr);
                }
                memory::report(table.report, Moment::PurgatoryEntered, entered);
                memory::report(table.report, Moment::Checked, checked);
                memory::report(table.report, Moment::KernelEntered, arch::counter());
            }
            arch::enter_kernel(table)
        }
        Err(damage) => {
            Console::get().refuse(&damage);
            arch::stop()
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    Console::get().line(&["stopped: the purgatory's own code failed"]);
    arch::stop()
}
