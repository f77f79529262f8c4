// SPDX-License-Identifier: GPL-2.0

//! Exception vectors. They name a fault in this program, which would be a silent loop without them.

use super::stop;
use crate::console::Console;
use core::arch::global_asm;

// Sixteen vectors of 128 bytes, 2 KiB aligned (Arm ARM, D1.3.1 "Exception vectors"). Interrupts
// are masked, so every exception is a fault of this program.
global_asm!(
    ".section .text.exception, \"ax\", %progbits",
    ".balign 2048",
    "exception_vectors:",
    ".rept 16",
    ".balign 128",
    "b exception_common",
    ".endr",
    ".balign 128",
    "exception_common:",
    "mrs x0, esr_el1",
    "mrs x1, elr_el1",
    "bl {report}",
    "udf #0",
    report = sym report,
);

extern "C" {
    /// The vectors, for VBAR_EL1.
    #[link_name = "exception_vectors"]
    pub static VECTORS: u8;
}

extern "C" fn report(syndrome: u64, address: u64) -> ! {
    Console::get().exception(syndrome, address);
    stop()
}
