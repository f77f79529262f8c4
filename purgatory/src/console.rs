// SPDX-License-Identifier: GPL-2.0

//! The console, for the reason why the capture kernel was not entered.

use crate::arch::serial;
use core::{
    cell::UnsafeCell,
    convert::Infallible, //
};
use kexec_core::{
    handover::{
        check::Damage,
        purgatory::{
            self,
            Head, //
        }, //
    },
    types::hexadecimal::Hexadecimal, //
};

/// The start and the end of a line.
const START: &[u8] = b"\r\nrust_kexec purgatory: ";
const END: &[u8] = b"\r\n";

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
        self.bytes(START);
        // Writing does not fail.
        let _ = damage.say(|part| {
            self.bytes(part.as_bytes());
            Ok::<(), Infallible>(())
        });
        self.bytes(END);
    }

    /// Names a CPU exception in the purgatory's own code.
    pub fn exception(&self, vector: u64, address: u64) {
        self.line(&[
            "stopped: CPU exception ",
            Hexadecimal::new(vector).as_str(),
            " at ",
            Hexadecimal::new(address).as_str(),
        ]);
    }

    /// Writes one line.
    pub fn line(&self, parts: &[&str]) {
        self.bytes(START);
        for part in parts {
            self.bytes(part.as_bytes());
        }
        self.bytes(END);
    }

    fn bytes(&self, bytes: &[u8]) {
        if self.kind != purgatory::CONSOLE_NONE {
            for byte in bytes {
                serial::write(self.kind, self.base, *byte);
            }
        }
    }
}
