// SPDX-License-Identifier: GPL-2.0

//! The interrupt descriptor table. It names a fault in this program, which would be a silent reset
//! without it.
//!
//! Non-maskable interrupts are ignored: a watchdog of the crashed kernel may still send them.

use super::{
    entry::CODE_SELECTOR,
    stop, //
};
use crate::console::Console;
use core::{
    arch::{
        asm,
        global_asm, //
    },
    cell::UnsafeCell,
    mem::size_of, //
};

const VECTORS: usize = 32;
const NON_MASKABLE: usize = 2;
/// Bytes between the entry stubs of two vectors.
const STUB_SPACING: u64 = 16;

/// A 64-bit interrupt gate (Intel SDM volume 3, "64-Bit Mode IDT").
#[repr(C)]
#[derive(Clone, Copy)]
struct Gate {
    offset_low: u16,
    selector: u16,
    attributes: u16,
    offset_middle: u16,
    offset_high: u32,
    reserved: u32,
}

#[repr(C, packed)]
struct TablePointer {
    limit: u16,
    base: u64,
}

const _: () = {
    assert!(size_of::<Gate>() == 16);
    assert!(size_of::<TablePointer>() == 10);
};

impl Gate {
    const EMPTY: Self = Self {
        offset_low: 0,
        selector: 0,
        attributes: 0,
        offset_middle: 0,
        offset_high: 0,
        reserved: 0,
    };

    const fn interrupt(handler: u64) -> Self {
        const PRESENT_INTERRUPT_GATE: u16 = 0x8e00;
        Self {
            offset_low: handler as u16,
            selector: CODE_SELECTOR,
            attributes: PRESENT_INTERRUPT_GATE,
            offset_middle: (handler >> 16) as u16,
            offset_high: (handler >> 32) as u32,
            reserved: 0,
        }
    }
}

#[repr(C, align(16))]
struct Gates(UnsafeCell<[Gate; VECTORS]>);

// SAFETY: One CPU runs this program; the table is written once, before it is loaded.
unsafe impl Sync for Gates {}

static GATES: Gates = Gates(UnsafeCell::new([Gate::EMPTY; VECTORS]));

// One stub of STUB_SPACING bytes for each vector: it passes the vector and, where the CPU pushed
// no error code, the same picture of the stack.
global_asm!(
    ".section .text.exception, \"ax\", @progbits",
    ".balign 16",
    "exception_stubs:",
    ".set vector, 0",
    ".rept {vectors}",
    ".balign {spacing}",
    ".if vector == {non_maskable}",
    "iretq",
    ".else",
    // Vectors 8, 10 to 14, 17, 21, 29 and 30 push an error code.
    ".if ((0x60227d00 >> vector) & 1) == 0",
    "push 0",
    ".endif",
    "push vector",
    "jmp exception_common",
    ".endif",
    ".set vector, vector + 1",
    ".endr",
    ".balign 16",
    "exception_common:",
    "mov rdi, [rsp]",
    "mov rsi, [rsp + 16]",
    "and rsp, -16",
    "call {report}",
    "ud2",
    vectors = const VECTORS,
    spacing = const STUB_SPACING,
    non_maskable = const NON_MASKABLE,
    report = sym report,
);

extern "C" {
    #[link_name = "exception_stubs"]
    static EXCEPTION_STUBS: u8;
}

/// Fills and loads the table.
pub extern "C" fn install() {
    let stubs = core::ptr::addr_of!(EXCEPTION_STUBS) as u64;
    // SAFETY: Called once by the entry code, before the table is loaded; nothing else refers to
    // it.
    let gates = unsafe { &mut *GATES.0.get() };
    for (gate, vector) in gates.iter_mut().zip(0..) {
        *gate = Gate::interrupt(stubs.wrapping_add(STUB_SPACING * vector));
    }
    let pointer = TablePointer {
        limit: (size_of::<[Gate; VECTORS]>() - 1) as u16,
        base: gates.as_ptr() as u64,
    };
    // SAFETY: The pointer describes the table above, which lives as long as the program.
    unsafe { asm!("lidt [{}]", in(reg) &pointer, options(readonly, nostack)) };
}

extern "C" fn report(vector: u64, address: u64) -> ! {
    Console::get().exception(vector, address);
    stop()
}
