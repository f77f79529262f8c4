// SPDX-License-Identifier: GPL-2.0

//! The registers of an oops, which the kernel tells the die notifiers: for a panic that follows from it,
//! and hands on nothing.

use super::bindings;
use super::bindings::KernelStatic;
use super::cpu;
use super::slot::{Held, Slot};
use crate::compat::prelude::*;
use core::ptr;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use kernel::error::to_result;
use kernel::ffi::{c_int, c_ulong, c_void};

static BLOCK: KernelStatic<bindings::notifier_block> = KernelStatic::zeroed();

/// The registers. The kernel has one oops at a time, but for one inside another, which counts then.
static REGISTERS: KernelStatic<bindings::pt_regs> = KernelStatic::zeroed();

/// The CPU and the task that they are of. A task is itself by its number and its start.
static CPU: AtomicUsize = AtomicUsize::new(NO_CPU);
static PID: AtomicU64 = AtomicU64::new(0);
static START: AtomicU64 = AtomicU64::new(0);
const NO_CPU: usize = usize::MAX;

/// Keeps the registers of an oops, for as long as this lives.
pub(crate) struct OopsNotifier {
    _slot: Held,
}

impl OopsNotifier {
    /// Enters the chain.
    pub(crate) fn register() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let slot = SLOT.hold()?;
        // SAFETY: The slot is held, so the block is in no chain, and nobody else writes to it.
        unsafe {
            (*BLOCK.get()).notifier_call = Some(oopsed);
            (*BLOCK.get()).priority = c_int::MAX;
        }
        // SAFETY: The block is a static that is in no chain; `drop` takes it out again.
        to_result(unsafe { bindings::register_die_notifier(BLOCK.get()) })?;
        Ok(Self { _slot: slot })
    }
}

impl Drop for OopsNotifier {
    fn drop(&mut self) {
        // SAFETY: Registered in `register`. The result is an error only for an unknown block.
        unsafe { bindings::unregister_die_notifier(BLOCK.get()) };
        CPU.store(NO_CPU, Ordering::Release);
    }
}

/// The registers of the oops of the current task on this CPU, null if there was none. After an oops a
/// task does nothing but end, so a panic of it then is about the oops. For code that cannot move to
/// another CPU.
pub(crate) fn registers() -> *const bindings::pt_regs {
    let is_here = CPU.load(Ordering::Acquire) == cpu::current()
        && PID.load(Ordering::Relaxed) == u64::from(cpu::current_pid())
        && START.load(Ordering::Relaxed) == cpu::current_start();
    match is_here {
        true => REGISTERS.get(),
        false => ptr::null(),
    }
}

extern "C" fn oopsed(
    _block: *mut bindings::notifier_block,
    event: c_ulong,
    arguments: *mut c_void,
) -> c_int {
    if event == bindings::die_val_DIE_OOPS as c_ulong {
        CPU.store(NO_CPU, Ordering::Release);
        PID.store(cpu::current_pid().into(), Ordering::Relaxed);
        START.store(cpu::current_start(), Ordering::Relaxed);
        // SAFETY: With an oops come its registers. The kernel holds its lock of oopses, and nobody reads
        // what is written here while `CPU` names none.
        unsafe {
            let registers = (*arguments.cast::<bindings::die_args>()).regs;
            if registers.is_null() {
                return 0;
            }
            ptr::copy_nonoverlapping(registers, REGISTERS.get(), 1);
        }
        CPU.store(cpu::current(), Ordering::Release);
    }
    0
}
