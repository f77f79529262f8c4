// SPDX-License-Identifier: GPL-2.0

//! One function of the kernel that calls one of ours when it is entered: by ftrace.

use crate::{
    bindings::KernelStatic,
    compat::prelude::*,
    sys::{
        bindings,
        kprobe,
        slot::Held, //
    }, //
};
use core::{
    ffi::CStr,
    mem::MaybeUninit,
    ptr,
    sync::atomic::{
        AtomicBool,
        AtomicUsize,
        Ordering, //
    }, //
};
use kernel::{
    error::to_result,
    ffi::{
        c_int,
        c_ulong, //
    }, //
};

/// A function that ftrace calls with preemption off: with the address of the hook, that of the hooked
/// function's caller, the hook's `ftrace_ops` and the registers.
///
/// It is not traced itself, because the kernel's Rust code is compiled without ftrace's calls.
pub(super) type Entered =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// All registers, where ftrace has them. One of the two flags without the other asks for something
/// else.
///
/// Where it has not, the flags must not be there, whatever "if supported" says. A function that is
/// traced already would have its call changed to one that saves registers, which arm64 cannot do without
/// DYNAMIC_FTRACE_WITH_CALL_OPS, as with kCFI: ftrace_modify_call() fails, and ftrace gives up for good.
const SAVE_REGISTERS: u32 = match cfg!(CONFIG_DYNAMIC_FTRACE_WITH_REGS) {
    true => bindings::FTRACE_OPS_FL_SAVE_REGS | bindings::FTRACE_OPS_FL_SAVE_REGS_IF_SUPPORTED,
    false => 0,
};

/// The sysctl kernel.ftrace_enabled must not switch off dumps, or the guard of a claimed region. It
/// cannot as long as there is such a hook, and there can be none while ftrace is off.
const ALWAYS: u32 = SAVE_REGISTERS | bindings::FTRACE_OPS_FL_PERMANENT;

/// A hook in a static. The [`Held`] of its methods is that of the slot by which its owner sees to it
/// that they are called one at a time.
pub(super) struct Hook {
    function: &'static CStr,
    flags: u32,
    /// The function's address, 0 until it was looked up.
    address: AtomicUsize,
    is_registered: AtomicBool,
    ops: KernelStatic<bindings::ftrace_ops>,
}

impl Hook {
    /// A hook that looks on.
    pub(super) const fn observing(function: &'static CStr) -> Self {
        Self::new(function, ALWAYS)
    }

    /// A hook that can have the function return at once.
    pub(super) const fn replacing(function: &'static CStr) -> Self {
        let flags = bindings::FTRACE_OPS_FL_IPMODIFY | bindings::FTRACE_OPS_FL_RECURSION;
        Self::new(function, ALWAYS | flags)
    }

    const fn new(function: &'static CStr, flags: u32) -> Self {
        Self {
            function,
            flags,
            address: AtomicUsize::new(0),
            is_registered: AtomicBool::new(false),
            ops: KernelStatic::zeroed(),
        }
    }

    /// Has the function call `entered` from now on. EINVAL where the kernel has no such function, or
    /// ftrace cannot hook it.
    pub(super) fn register(&'static self, entered: Entered, _held: &Held) -> Result {
        let ops = self.ops.get();
        // SAFETY: Nobody else uses the structure while it is not registered. A hook that was
        // registered before keeps what ftrace has put in.
        unsafe {
            if (*ops).func.is_none() {
                (*ops).func = Some(entered);
                (*ops).flags = self.flags as c_ulong;
            }
        }
        let registered = self.choose().and_then(|()| {
            // SAFETY: The structure is a static, and `unregister` takes it out.
            to_result(unsafe { bindings::register_ftrace_function(ops) })
        });
        match registered {
            Ok(()) => self.is_registered.store(true, Ordering::Release),
            // SAFETY: The hook is not registered.
            Err(_) => unsafe { self.free_filter() },
        }
        registered
    }

    /// The same for the function at this address, whose name is not its alone.
    pub(super) fn register_at(
        &'static self,
        address: usize,
        entered: Entered,
        held: &Held,
    ) -> Result {
        self.address.store(address, Ordering::Relaxed);
        self.register(entered, held)
    }

    /// Tells ftrace which function is meant.
    fn choose(&'static self) -> Result {
        if self.address.load(Ordering::Relaxed) == 0 {
            let address = kprobe::addresses_of([self.function]).map_or(0, |[address]| address);
            self.address.store(address, Ordering::Relaxed);
        }
        let address = self.address.load(Ordering::Relaxed);
        // For a name, ftrace goes through the names of all functions: most of a load's time.
        if address != 0 && self.set_address(address, true).is_ok() {
            return Ok(());
        }
        let (name, len) = (self.function.as_char_ptr(), self.function.to_bytes().len());
        let (ops, name) = (self.ops.get(), name.cast_mut());
        // A name that matches nothing would leave the filter empty, which traces everything: ftrace
        // says EINVAL.
        // SAFETY: The structure is a static that is not registered; the name is only read.
        to_result(unsafe { bindings::ftrace_set_filter(ops, name, len as c_int, 1) })
    }

    /// Hooks the function at this address too.
    pub(super) fn add(&'static self, address: usize, _held: &Held) -> Result {
        self.set_address(address, false)
    }

    fn set_address(&'static self, address: usize, alone: bool) -> Result {
        let (ops, reset) = (self.ops.get(), alone.into());
        // SAFETY: The structure is a static; ftrace checks the address.
        to_result(unsafe { bindings::ftrace_set_filter_ip(ops, address as c_ulong, 0, reset) })
    }

    /// Takes the hook out, if it is in. No call of it runs any more when this returns.
    pub(super) fn unregister(&'static self, _held: &Held) {
        if !self.is_registered.swap(false, Ordering::AcqRel) {
            return;
        }
        // SAFETY: Registered in `register`. Fails for a hook only that is not.
        unsafe { bindings::unregister_ftrace_function(self.ops.get()) };
        // SAFETY: The hook is not registered any more.
        unsafe { self.free_filter() }
    }

    /// ftrace_free_filter(), which in 6.12 leaves pointers to the hashes that it has freed. ftrace would
    /// use them for the next filter. Newer kernels set them to an empty hash; null is one too.
    ///
    /// # Safety
    ///
    /// The hook must not be registered.
    unsafe fn free_filter(&'static self) {
        let ops = self.ops.get();
        // SAFETY: By this function's contract; an initialised structure has its hashes.
        unsafe {
            bindings::ftrace_free_filter(ops);
            if let Some(hashes) = (*ops).func_hash.as_mut() {
                hashes.filter_hash = ptr::null_mut();
                hashes.notrace_hash = ptr::null_mut();
            }
        }
    }
}

/// The hooked function's first argument, a pointer.
///
/// # Safety
///
/// `registers` must be those that ftrace hands over.
pub(super) unsafe fn argument<T>(registers: *mut bindings::ftrace_regs) -> *mut T {
    // SAFETY: By this function's contract.
    unsafe { bindings::rust_kexec_ftrace_argument(registers) as *mut T }
}

/// Has the hooked function return what `function` does.
///
/// # Safety
///
/// `registers` must be those that ftrace hands over, to a hook that replaces a function which returns
/// an `R`.
pub(super) unsafe fn return_from<R>(
    registers: *mut bindings::ftrace_regs,
    function: extern "C" fn() -> R,
) {
    // SAFETY: By this function's contract: `function` returns in the place of the hooked one.
    unsafe { continue_in(registers, function as *const ()) }
}

/// Has `function` run in the place of the hooked one, with its arguments.
///
/// # Safety
///
/// `registers` must be those that ftrace hands over, to a hook that replaces a function of the type that
/// `function` has.
pub(super) unsafe fn continue_in(registers: *mut bindings::ftrace_regs, function: *const ()) {
    // SAFETY: By this function's contract.
    unsafe { bindings::rust_kexec_ftrace_jump(registers, function as usize) }
}

/// Calls `with` with the registers at the entry of the hooked function, as far as ftrace has them.
///
/// # Safety
///
/// `registers` must be those that ftrace hands over.
#[inline(always)]
pub(super) unsafe fn with_frame(
    registers: *mut bindings::ftrace_regs,
    with: impl FnOnce(*const bindings::pt_regs),
) {
    let mut partial = MaybeUninit::<bindings::pt_regs>::zeroed();
    // SAFETY: By this function's contract; `partial` is there while the frame is used.
    with(unsafe { bindings::rust_kexec_ftrace_frame(registers, partial.as_mut_ptr()) })
}

/// How many NMIs the kernel counts because of a hook: none.
pub(crate) fn nmi_levels() -> u32 {
    0
}

/// Whether a CPU is in a hook: not known, and not asked where hooks are always called.
pub(crate) fn is_in_a_hook(_cpu: usize) -> bool {
    false
}
