// SPDX-License-Identifier: GPL-2.0

//! The console, for the reason why the capture kernel was not entered.

use crate::arch::serial;
use crate::check::Damage;
use core::cell::UnsafeCell;
use kexec_core::handover::purgatory::{self, Head};

/// The console that the module wrote into this program's head, if any.
pub struct Console {
    kind: u32,
    base: u64,
}

extern "C" {
    /// The head of this program, which the linker script puts first.
    #[link_name = "purgatory_entry"]
    static HEAD: UnsafeCell<Head>;
}

impl Console {
    /// Reads the console's place from the head.
    pub fn get() -> Self {
        // SAFETY: The entry code reserves a `Head` there. Volatile, because the module fills it
        // in after this program was compiled.
        let head = unsafe { HEAD.get().read_volatile() };
        Self {
            kind: head.console_kind,
            base: head.console_base,
        }
    }

    /// Names what was found damaged.
    pub fn refuse(&self, damage: &Damage) {
        const RULE: &str = "The capture kernel is not started: a dump that it wrote could not \
                            be trusted.";
        match damage {
            Damage::Table => self.line(&[
                "SHA-256 of the purgatory table does not match: it was overwritten after the \
                 load. ",
                RULE,
            ]),
            Damage::Segment {
                kind,
                algorithm,
                start,
                len,
            } => self.line(&[
                algorithm.map_or("digest", |algorithm| algorithm.name()),
                " of the ",
                kind.map_or("unknown segment", |kind| kind.name()),
                " does not match: memory at ",
                hexadecimal(&mut [0; 18], *start),
                ", ",
                hexadecimal(&mut [0; 18], *len),
                " bytes, was overwritten after the load. ",
                RULE,
            ]),
        }
    }

    /// Names a CPU exception in the purgatory's own code.
    pub fn exception(&self, vector: u64, address: u64) {
        self.line(&[
            "stopped: CPU exception ",
            hexadecimal(&mut [0; 18], vector),
            " at ",
            hexadecimal(&mut [0; 18], address),
        ]);
    }

    /// Writes one line.
    pub fn line(&self, parts: &[&str]) {
        self.bytes(b"\r\nrust_kexec purgatory: ");
        for part in parts {
            self.bytes(part.as_bytes());
        }
        self.bytes(b"\r\n");
    }

    fn bytes(&self, bytes: &[u8]) {
        if self.kind != purgatory::CONSOLE_NONE {
            for byte in bytes {
                serial::write(self.kind, self.base, *byte);
            }
        }
    }
}

/// `0x…` without leading zeros, in the caller's buffer.
fn hexadecimal(buffer: &mut [u8; 18], value: u64) -> &str {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = (16 - value.leading_zeros() as usize / 4).max(1);
    buffer[..2].copy_from_slice(b"0x");
    for (position, byte) in buffer.iter_mut().skip(2).take(digits).enumerate() {
        let shift = 4 * (digits - 1 - position);
        *byte = DIGITS[(value >> shift) as usize & 15];
    }
    core::str::from_utf8(&buffer[..2 + digits]).unwrap_or("")
}
