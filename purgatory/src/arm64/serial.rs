// SPDX-License-Identifier: GPL-2.0

//! A PL011 UART, used as the crashed kernel set it up.

use core::ptr::without_provenance_mut;
use kexec_core::handover::purgatory::CONSOLE_PL011;

/// Data register, flag register, and in it "transmit FIFO full" (PL011 TRM, 3.3).
const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const TRANSMIT_FULL: u32 = 1 << 5;
/// A port that never gets ready is given up after this many looks, a fraction of a second.
const READY_LOOKS: u32 = 100_000;

/// Sends one byte, waiting a bounded time for room.
pub fn write(kind: u32, base: u64, byte: u8) {
    if kind != CONSOLE_PL011 || base == 0 {
        return;
    }
    let register =
        |offset: u64| without_provenance_mut::<u32>((base.wrapping_add(offset)) as usize);
    for _ in 0..READY_LOOKS {
        // SAFETY: The module mapped the page of registers as device memory before it named it.
        if unsafe { register(FLAGS).read_volatile() } & TRANSMIT_FULL == 0 {
            break;
        }
    }
    // SAFETY: As above.
    unsafe { register(DATA).write_volatile(byte.into()) };
}
