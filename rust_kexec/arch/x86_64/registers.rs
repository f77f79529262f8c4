// SPDX-License-Identifier: GPL-2.0

//! A CPU's registers, as a dump holds them.

use super::port;
use kernel::bindings;
use kexec_core::{
    dump::prstatus::{
        encode_x86_64,
        X86_64_BUFFER_LEN,
        X86_64_REGS, //
    },
    types::elf::Architecture, //
};

/// The architecture that a dump names.
pub(crate) const ARCHITECTURE: Architecture = Architecture::X86_64;
/// Length of the buffer that a CPU's note is written to, in bytes.
pub(crate) const NOTE_BUFFER_LEN: usize = X86_64_BUFFER_LEN;

const FS_BASE: u32 = 0xc000_0100;
const KERNEL_GS_BASE: u32 = 0xc000_0102;

/// How many of the registers an interrupt frame holds, and where the selectors and flags among them are
/// (`struct user_regs_struct`, which begins like `struct pt_regs`).
const FRAME_REGS: usize = 21;
const CS: usize = 17;
const FLAGS: usize = 18;
const SS: usize = 20;

const _: () = assert!(core::mem::size_of::<bindings::pt_regs>() == FRAME_REGS * 8);

/// How many registers there are.
pub(crate) const REGISTERS: usize = X86_64_REGS;

/// The registers of one CPU, in the order of `struct user_regs_struct`.
#[derive(PartialEq, Eq)]
pub(crate) struct Registers(pub(crate) [u64; REGISTERS]);

impl Registers {
    /// The registers of a frame, and those of this CPU that a frame does not hold.
    ///
    /// # Safety
    ///
    /// `frame` must be readable.
    pub(crate) unsafe fn from_frame(frame: *const bindings::pt_regs) -> Self {
        // SAFETY: The caller vouches for the frame, which consists of so many 64-bit words.
        let frame = unsafe { frame.cast::<[u64; FRAME_REGS]>().read() };
        let mut registers = [0; X86_64_REGS];
        for (to, from) in registers.iter_mut().zip(frame) {
            *to = from;
        }
        // With FRED the upper bits of these two words carry other things than the selector.
        registers[CS] &= 0xffff;
        registers[SS] &= 0xffff;
        // SAFETY: Every 64-bit CPU has these registers. In the kernel the user's GS base is in
        // KERNEL_GS_BASE.
        let bases = unsafe { [port::read_msr(FS_BASE), port::read_msr(KERNEL_GS_BASE)] };
        let rest = bases.into_iter().chain(port::data_segments());
        for (to, from) in registers.iter_mut().skip(FRAME_REGS).zip(rest) {
            *to = from;
        }
        Self(registers)
    }

    /// Whether a program had them.
    pub(crate) fn are_of_user_mode(&self) -> bool {
        const PRIVILEGE_LEVEL: u64 = 3;
        self.0[CS] & PRIVILEGE_LEVEL == PRIVILEGE_LEVEL
    }

    /// Whether interrupts were off.
    pub(crate) fn have_interrupts_off(&self) -> bool {
        const INTERRUPT_FLAG: u64 = 1 << 9;
        self.0[FLAGS] & INTERRUPT_FLAG == 0
    }

    /// Writes the registers as an NT_PRSTATUS note.
    pub(crate) fn write_note(&self, buffer: &mut [u8; NOTE_BUFFER_LEN], pid: u32) {
        encode_x86_64(buffer, pid, &self.0);
    }

    /// The registers of this very place, for when nobody handed any over.
    #[inline(always)]
    pub(crate) fn capture_here() -> Self {
        let mut frame = [0; FRAME_REGS];
        // SAFETY: The block stores registers to `frame`, in the order of `struct pt_regs`, and
        // changes nothing else.
        unsafe {
            core::arch::asm!(
                "mov [{0}], r15",
                "mov [{0} + 8], r14",
                "mov [{0} + 16], r13",
                "mov [{0} + 24], r12",
                "mov [{0} + 32], rbp",
                "mov [{0} + 40], rbx",
                "mov [{0} + 152], rsp",
                "lea {1}, [rip]",
                "mov [{0} + 128], {1}",
                "mov {1}, cs",
                "mov [{0} + 136], {1}",
                "mov {1}, ss",
                "mov [{0} + 160], {1}",
                in(reg) frame.as_mut_ptr(),
                out(reg) _,
                options(nostack, preserves_flags),
            );
            Self::from_frame(frame.as_ptr().cast())
        }
    }
}
