// SPDX-License-Identifier: GPL-2.0

//! The registers of an oops, kept for the panic that it may end in.
//!
//! die() tells the die notifiers of an oops, with its registers, and calls panic() afterwards if the
//! kernel panics for it: with panic_on_oops, in an interrupt, in the idle task and in init. Where the crash
//! is noticed the registers may be gone: `__crash_kexec` has them as its argument if crash_kexec() calls
//! it and the compiler has not put the one into the other (clang 19 for arm64, Linux 6.12, has); with
//! crash_kexec_post_notifiers, and in the panic notifiers, nobody has them. The crash cannot begin with
//! the oops: the kernel has not set `panic_cpu` yet, by which readers of the dump know who panicked.
//!
//! What was kept is not used for a panic that the oops did not end in:
//!
//! - Another task panics. The oops has ended its own, as it does without panic_on_oops.
//! - Another CPU panics. On x86_64 this can be the same task, if it was moved between die() and panic(). Its
//!   note has the registers of panic() then.
//! - The registers are no longer on the stack where the exception saved them. Another notifier has dealt with
//!   the oops (NOTIFY_STOP), and the task went on; or the stack was used anew (rewind_stack_and_make_dead()).

use crate::{
    arch::registers::{
        Registers,
        REGISTERS, //
    },
    compat::prelude::*,
    refusal::Refusal,
    sys::cpu, //
};
use core::{
    array,
    ptr,
    sync::atomic::{
        AtomicPtr,
        AtomicU32,
        AtomicU64,
        Ordering, //
    }, //
};
use kernel::bindings::pt_regs;

/// The last oops of each CPU, by the CPU's number.
pub(crate) struct Oopses(KVec<Oops>);

/// The last oops of a CPU. Only that CPU uses it.
struct Oops {
    /// Where the registers were saved when it happened; null while there is no oops.
    frame: AtomicPtr<pt_regs>,
    /// Its task.
    pid: AtomicU32,
    started: AtomicU64,
    /// What was in the frame.
    registers: [AtomicU64; REGISTERS],
}

impl Oopses {
    /// None yet, for the CPUs that there are or can be.
    pub(super) fn new() -> Result<Self, Refusal> {
        let mut oopses = KVec::with_capacity(cpu::ids(), GFP_KERNEL)?;
        for _ in 0..cpu::ids() {
            oopses.push(Oops::none(), GFP_KERNEL)?;
        }
        Ok(Self(oopses))
    }

    /// Keeps the registers of an oops on this CPU.
    ///
    /// # Safety
    ///
    /// `frame` must point to the registers of an oops in the running task, on a stack of the task's or of
    /// this CPU's, and preemption be off.
    pub(crate) unsafe fn keep(&self, frame: *const pt_regs) {
        if let Some(oops) = self.0.get(cpu::current()) {
            // SAFETY: By this function's contract.
            unsafe { oops.set(frame) }
        }
    }

    /// The registers of the oops that ends in a panic on this CPU now, if one does.
    pub(crate) fn of_this_panic(&self) -> Option<Registers> {
        self.0.get(cpu::current())?.of_this_panic()
    }
}

impl Oops {
    fn none() -> Self {
        Self {
            frame: AtomicPtr::new(ptr::null_mut()),
            pid: AtomicU32::new(0),
            started: AtomicU64::new(0),
            registers: array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    /// # Safety
    ///
    /// As for [`Oopses::keep`].
    unsafe fn set(&self, frame: *const pt_regs) {
        // An NMI that oopses here as well writes over this, or this over that. Its registers are those in
        // its frame then, or `of_this_panic` finds that they are not.
        self.frame.store(ptr::null_mut(), Ordering::Release);
        self.pid.store(cpu::current_pid(), Ordering::Relaxed);
        self.started.store(cpu::current_start(), Ordering::Relaxed);
        // SAFETY: By this function's contract.
        let registers = unsafe { Registers::from_frame(frame) };
        for (to, from) in self.registers.iter().zip(registers.0) {
            to.store(from, Ordering::Relaxed);
        }
        self.frame.store(frame.cast_mut(), Ordering::Release);
    }

    fn of_this_panic(&self) -> Option<Registers> {
        let frame = self.frame.load(Ordering::Acquire);
        let same_task = self.pid.load(Ordering::Relaxed) == cpu::current_pid()
            && self.started.load(Ordering::Relaxed) == cpu::current_start();
        if frame.is_null() || !same_task {
            return None;
        }
        let mut kept = Registers([0; REGISTERS]);
        for (to, from) in kept.0.iter_mut().zip(&self.registers) {
            *to = from.load(Ordering::Relaxed);
        }
        // SAFETY: By the contract of `set`: the task has its stack for as long as it runs, a CPU for ever.
        // What is in the frame now are any words.
        let now = unsafe { Registers::from_frame(frame) };
        (kept == now).then_some(kept)
    }
}
