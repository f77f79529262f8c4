// SPDX-License-Identifier: GPL-2.0

//! A CPU's registers, as a dump holds them.

use kernel::bindings;
use kexec_core::{
    dump::prstatus::{
        encode_arm64,
        ARM64_BUFFER_LEN,
        ARM64_REGS, //
    },
    types::elf::Architecture, //
};

/// The architecture that a dump names.
pub(crate) const ARCHITECTURE: Architecture = Architecture::Arm64;
/// Length of the buffer that a CPU's note is written to, in bytes.
pub(crate) const NOTE_BUFFER_LEN: usize = ARM64_BUFFER_LEN;

// `struct pt_regs` begins like `struct user_pt_regs`: x0 to x30, sp, pc, pstate.
const _: () = {
    assert!(core::mem::size_of::<bindings::user_pt_regs>() == ARM64_REGS * 8);
    assert!(core::mem::size_of::<bindings::pt_regs>() > ARM64_REGS * 8);
};

/// The place of pstate.
const PSTATE: usize = 33;

/// How many registers there are.
pub(crate) const REGISTERS: usize = ARM64_REGS;

/// The registers of one CPU: x0 to x30, sp, pc, pstate.
#[derive(PartialEq, Eq)]
pub(crate) struct Registers(pub(crate) [u64; REGISTERS]);

impl Registers {
    /// The registers of a frame.
    ///
    /// # Safety
    ///
    /// `frame` must be readable.
    pub(crate) unsafe fn from_frame(frame: *const bindings::pt_regs) -> Self {
        // SAFETY: The caller vouches for the frame, which begins with so many 64-bit words.
        Self(unsafe { frame.cast::<[u64; ARM64_REGS]>().read() })
    }

    /// Whether a program had them: at EL0.
    pub(crate) fn are_of_user_mode(&self) -> bool {
        const LEVEL: u64 = 0xc;
        self.0[PSTATE] & LEVEL == 0
    }

    /// Whether interrupts were off. Where the kernel masks them by their priority instead
    /// (pseudo-NMIs), they are not off for this.
    pub(crate) fn have_interrupts_off(&self) -> bool {
        const IRQ_MASKED: u64 = 1 << 7;
        self.0[PSTATE] & IRQ_MASKED != 0
    }

    /// Writes the registers as an NT_PRSTATUS note.
    pub(crate) fn write_note(&self, buffer: &mut [u8; NOTE_BUFFER_LEN], pid: u32) {
        encode_arm64(buffer, pid, &self.0);
    }

    /// The registers of this very place, for when nobody handed any over.
    #[inline(always)]
    pub(crate) fn capture_here() -> Self {
        let mut registers = [0; ARM64_REGS];
        // SAFETY: The block stores registers to `registers` and changes nothing else.
        unsafe {
            core::arch::asm!(
                "stp x19, x20, [{0}, #152]",
                "stp x21, x22, [{0}, #168]",
                "stp x23, x24, [{0}, #184]",
                "stp x25, x26, [{0}, #200]",
                "stp x27, x28, [{0}, #216]",
                "stp x29, x30, [{0}, #232]",
                "mov {1}, sp",
                "adr {2}, .",
                "stp {1}, {2}, [{0}, #248]",
                "mrs {1}, CurrentEL",
                "orr {1}, {1}, #1",
                "str {1}, [{0}, #264]",
                in(reg) registers.as_mut_ptr(),
                out(reg) _,
                out(reg) _,
                options(nostack, preserves_flags),
            );
        }
        Self(registers)
    }
}
