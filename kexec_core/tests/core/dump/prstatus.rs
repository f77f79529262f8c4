// SPDX-License-Identifier: GPL-2.0

//! NT_PRSTATUS notes, compared with the C library's structures where it has them.

use kexec_core::dump::{
    note::Notes,
    prstatus::{
        encode_arm64,
        encode_x86_64,
        ARM64_BUFFER_LEN,
        ARM64_LEN,
        ARM64_NOTE_LEN,
        ARM64_REGS,
        X86_64_BUFFER_LEN,
        X86_64_LEN,
        X86_64_NOTE_LEN,
        X86_64_REGS, //
    }, //
};

/// Registers whose values tell them apart.
fn registers<const N: usize>() -> [u64; N] {
    std::array::from_fn(|index| 0x1111_2222_3333_0000 + index as u64)
}

fn check(buffer: &[u8], note_len: usize, desc_len: usize, pid: u32, regs: &[u64]) {
    let mut notes = Notes::new(buffer);
    let note = notes.next().unwrap().unwrap();
    assert_eq!((note.name, note.note_type), (&b"CORE"[..], 1));
    assert_eq!(note.desc.len(), desc_len);
    assert_eq!(note.desc[32..36], pid.to_le_bytes());
    for (index, value) in regs.iter().enumerate() {
        assert_eq!(
            note.desc[112 + index * 8..][..8],
            value.to_le_bytes(),
            "register {index}"
        );
    }
    // Everything else is 0: no signal, no times, no valid floating-point registers.
    let others = [
        &note.desc[..32],
        &note.desc[36..112],
        &note.desc[112 + regs.len() * 8..],
    ];
    assert!(others.concat().iter().all(|byte| *byte == 0));

    assert!(notes.next().is_none());
    assert_eq!(notes.offset(), note_len);
    assert_eq!(buffer[note_len..], [0; 12]);
}

#[test]
fn x86_64_registers_are_where_debuggers_look() {
    let regs = registers::<X86_64_REGS>();
    let mut buffer = [0xaa; X86_64_BUFFER_LEN];
    encode_x86_64(&mut buffer, 4711, &regs);
    check(&buffer, X86_64_NOTE_LEN, X86_64_LEN, 4711, &regs);
}

#[test]
fn arm64_registers_are_where_debuggers_look() {
    let regs = registers::<ARM64_REGS>();
    let mut buffer = [0xaa; ARM64_BUFFER_LEN];
    encode_arm64(&mut buffer, 1, &regs);
    check(&buffer, ARM64_NOTE_LEN, ARM64_LEN, 1, &regs);
}

/// The C library describes the registers of the machine that the test runs on.
#[test]
fn the_c_library_has_as_many_registers() {
    #[cfg(target_arch = "x86_64")]
    assert_eq!(size_of::<libc::user_regs_struct>(), X86_64_REGS * 8);
    #[cfg(target_arch = "aarch64")]
    assert_eq!(size_of::<libc::user_regs_struct>(), ARM64_REGS * 8);
}
