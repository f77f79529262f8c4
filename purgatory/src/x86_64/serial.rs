// SPDX-License-Identifier: GPL-2.0

//! An 8250 UART at I/O ports, used as the crashed kernel set it up.

use core::arch::asm;
use kexec_core::handover::purgatory::CONSOLE_UART8250_PORT;

const LINE_STATUS: u16 = 5;
const TRANSMITTER_EMPTY: u8 = 1 << 5;
/// A port that never gets ready is given up after this many looks, a fraction of a second.
const READY_LOOKS: u32 = 100_000;

/// Sends one byte, waiting a bounded time for the transmitter.
pub fn write(kind: u32, base: u64, byte: u8) {
    let Ok(port) = u16::try_from(base) else {
        return;
    };
    if kind != CONSOLE_UART8250_PORT {
        return;
    }
    for _ in 0..READY_LOOKS {
        if input(port.wrapping_add(LINE_STATUS)) & TRANSMITTER_EMPTY != 0 {
            break;
        }
    }
    output(port, byte);
}

fn input(port: u16) -> u8 {
    let value: u8;
    // SAFETY: Reading a UART's register has no effect on memory.
    unsafe { asm!("in al, dx", out("al") value, in("dx") port, options(nomem, nostack)) };
    value
}

fn output(port: u16, value: u8) {
    // SAFETY: Writing a UART's transmit register has no effect on memory.
    unsafe { asm!("out dx, al", in("al") value, in("dx") port, options(nomem, nostack)) };
}
