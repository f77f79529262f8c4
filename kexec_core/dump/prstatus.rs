// SPDX-License-Identifier: GPL-2.0

//! NT_PRSTATUS: a CPU's registers, in the layout of the kernel's `struct elf_prstatus`.
//!
//! The kernel keeps a buffer for each CPU. It holds the note, followed by an empty note that marks
//! the end. Writing it cannot fail, because it happens in the crash.

use crate::{
    dump::note::{
        desc_offset,
        note_len,
        write_head,
        CORE_NAME,
        NOTE_HEADER_LEN,
        NT_PRSTATUS, //
    },
    types::bytes::write, //
};

/// Length of the note's name with its NUL.
const NAME_LEN: usize = CORE_NAME.len() + 1;

/// `pr_pid`, on every 64-bit architecture.
pub const PR_PID: usize = 32;
/// `pr_reg`, on every 64-bit architecture.
pub const PR_REG: usize = 112;

/// x86_64: the number of registers in `pr_reg` (`struct user_regs_struct`).
pub const X86_64_REGS: usize = 27;
/// x86_64: `pr_fpvalid`.
pub const X86_64_PR_FPVALID: usize = PR_REG + X86_64_REGS * 8;
/// x86_64: length of the structure.
pub const X86_64_LEN: usize = 336;
/// x86_64: length of the note.
pub const X86_64_NOTE_LEN: usize = note_len(NAME_LEN, X86_64_LEN);
/// x86_64: length of the note and the empty one after it.
pub const X86_64_BUFFER_LEN: usize = X86_64_NOTE_LEN + NOTE_HEADER_LEN;

/// arm64: the number of registers in `pr_reg` (x0 to x30, sp, pc, pstate).
pub const ARM64_REGS: usize = 34;
/// arm64: `pr_fpvalid`.
pub const ARM64_PR_FPVALID: usize = PR_REG + ARM64_REGS * 8;
/// arm64: length of the structure.
pub const ARM64_LEN: usize = 392;
/// arm64: length of the note.
pub const ARM64_NOTE_LEN: usize = note_len(NAME_LEN, ARM64_LEN);
/// arm64: length of the note and the empty one after it.
pub const ARM64_BUFFER_LEN: usize = ARM64_NOTE_LEN + NOTE_HEADER_LEN;

const _: () = {
    // `pr_fpvalid` is an int, and the structure is a multiple of eight bytes.
    assert!(X86_64_PR_FPVALID == 328);
    assert!(X86_64_LEN == X86_64_PR_FPVALID + 8);
    assert!(X86_64_BUFFER_LEN == 368);
    assert!(ARM64_PR_FPVALID == 384);
    assert!(ARM64_LEN == ARM64_PR_FPVALID + 8);
    assert!(ARM64_BUFFER_LEN == 424);
};

/// Writes an x86_64 CPU's registers, in the order of `struct user_regs_struct`.
pub fn encode_x86_64(out: &mut [u8; X86_64_BUFFER_LEN], pid: u32, regs: &[u64; X86_64_REGS]) {
    encode(out, X86_64_LEN, pid, regs);
}

/// Writes an arm64 CPU's registers: x0 to x30, sp, pc, pstate.
pub fn encode_arm64(out: &mut [u8; ARM64_BUFFER_LEN], pid: u32, regs: &[u64; ARM64_REGS]) {
    encode(out, ARM64_LEN, pid, regs);
}

fn encode(out: &mut [u8], desc_len: usize, pid: u32, regs: &[u64]) {
    out.fill(0);
    write_head(out, CORE_NAME, NT_PRSTATUS, desc_len);
    let desc = out.get_mut(desc_offset(NAME_LEN)..).unwrap_or_default();
    write(desc, PR_PID, &pid.to_le_bytes());
    let fields = desc.get_mut(PR_REG..).unwrap_or_default();
    for (field, value) in fields.chunks_exact_mut(8).zip(regs) {
        write(field, 0, &value.to_le_bytes());
    }
}
