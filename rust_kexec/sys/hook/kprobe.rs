// SPDX-License-Identifier: GPL-2.0

//! One function of the kernel that calls one of ours when it is entered: by a kprobe, where the kernel
//! has no ftrace.

use crate::{
    bindings::KernelStatic,
    compat::prelude::*,
    sys::{
        bindings,
        cpu,
        slot::Held, //
    }, //
};
use core::{
    ffi::CStr,
    mem::{
        zeroed,
        MaybeUninit, //
    },
    ptr,
    sync::atomic::{
        AtomicBool,
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

/// A function that a kprobe calls with interrupts off: as ftrace would, with the address of the hook,
/// nothing, nothing, and the registers.
pub(super) type Entered =
    unsafe extern "C" fn(c_ulong, c_ulong, *mut bindings::ftrace_ops, *mut bindings::ftrace_regs);

/// One kprobe, and the function that it calls.
#[repr(C)]
struct Probe {
    // First, because the kernel hands out its address.
    kprobe: KernelStatic<bindings::kprobe>,
    entered: KernelStatic<Option<Entered>>,
    is_registered: AtomicBool,
}

impl Probe {
    const fn new() -> Self {
        Self {
            kprobe: KernelStatic::zeroed(),
            entered: KernelStatic::zeroed(),
            is_registered: AtomicBool::new(false),
        }
    }

    /// Registers the kprobe at the place that `place` says.
    fn register(&'static self, place: bindings::kprobe, entered: Entered) -> Result {
        // SAFETY: The probe is not registered, and the caller holds the slot, so nobody else uses it.
        unsafe {
            self.entered.get().write(Some(entered));
            self.kprobe.get().write(bindings::kprobe {
                pre_handler: Some(function_probed),
                post_handler: Some(nothing),
                ..place
            });
        }
        // SAFETY: The structure is a static, and `unregister` takes it out.
        to_result(unsafe { bindings::register_kprobe(self.kprobe.get()) }).map_err(|error| {
            match error {
                // As ftrace says.
                error if error == ENOENT => EINVAL,
                error => error,
            }
        })?;
        self.is_registered.store(true, Ordering::Release);
        Ok(())
    }

    fn unregister(&'static self) {
        if self.is_registered.swap(false, Ordering::AcqRel) {
            // SAFETY: Registered in `register`. Waits for calls that run.
            unsafe { bindings::unregister_kprobe(self.kprobe.get()) }
        }
    }
}

/// A hook in a static. The [`Held`] of its methods is that of the slot by which its owner sees to it
/// that they are called one at a time.
pub(super) struct Hook {
    function: &'static CStr,
    first: Probe,
    second: Probe,
}

impl Hook {
    /// A hook that looks on.
    pub(super) const fn observing(function: &'static CStr) -> Self {
        Self {
            function,
            first: Probe::new(),
            second: Probe::new(),
        }
    }

    /// A hook that can have the function return at once.
    pub(super) const fn replacing(function: &'static CStr) -> Self {
        Self::observing(function)
    }

    /// Has the function call `entered` from now on. EINVAL where the kernel has no such function, or
    /// it cannot be hooked.
    pub(super) fn register(&'static self, entered: Entered, _held: &Held) -> Result {
        let place = bindings::kprobe {
            symbol_name: self.function.as_char_ptr(),
            // SAFETY: A probe of zeros is one that is not registered.
            ..unsafe { zeroed() }
        };
        self.first.register(place, entered)
    }

    /// The same for the function at this address, whose name is not its alone.
    pub(super) fn register_at(
        &'static self,
        address: usize,
        entered: Entered,
        _held: &Held,
    ) -> Result {
        self.first.register(place_at(address), entered)
    }

    /// Hooks the function at this address too.
    pub(super) fn add(&'static self, address: usize, _held: &Held) -> Result {
        // SAFETY: Written before the first probe was registered, and not since.
        let entered = unsafe { *self.first.entered.get() };
        self.second
            .register(place_at(address), entered.ok_or(EINVAL)?)
    }

    /// Takes the hook out, if it is in. No call of it runs any more when this returns.
    pub(super) fn unregister(&'static self, _held: &Held) {
        self.second.unregister();
        self.first.unregister();
    }
}

fn place_at(address: usize) -> bindings::kprobe {
    bindings::kprobe {
        addr: address as *mut bindings::kprobe_opcode_t,
        // SAFETY: A probe of zeros is one that is not registered.
        ..unsafe { zeroed() }
    }
}

/// The CPUs that are in a hook.
static IN_A_HOOK: KernelStatic<[AtomicBool; CPUS_MAX]> = KernelStatic::zeroed();
const CPUS_MAX: usize = size_of::<bindings::cpumask>() * 8;

fn in_a_hook(cpu: usize) -> Option<&'static AtomicBool> {
    // SAFETY: Zeros are such values, and they are used as such only.
    unsafe { &*IN_A_HOOK.get() }.get(cpu)
}

/// Whether a CPU is in a hook.
pub(crate) fn is_in_a_hook(cpu: usize) -> bool {
    in_a_hook(cpu).is_some_and(|flag| flag.load(Ordering::Acquire))
}

/// How many NMIs the kernel counts on this CPU because of a hook. On x86_64 a breakpoint in the kernel
/// counts as one (exc_int3()).
pub(crate) fn nmi_levels() -> u32 {
    (cfg!(CONFIG_X86_64) && is_in_a_hook(cpu::current())).into()
}

/// # Safety
///
/// To be called by a kprobe that is a [`Probe`]'s.
// scripts/check-crash-path knows it by its name.
unsafe extern "C" fn function_probed(
    kprobe: *mut bindings::kprobe,
    registers: *mut bindings::pt_regs,
) -> c_int {
    // SAFETY: By this function's contract: the kprobe is a probe's first field.
    let (address, entered) = unsafe {
        let probe = &*kprobe.cast::<Probe>();
        ((*kprobe).addr as usize, *probe.entered.get())
    };
    let Some(entered) = entered else {
        return 0;
    };
    let set_in_a_hook = |value| {
        if let Some(flag) = in_a_hook(cpu::current()) {
            flag.store(value, Ordering::Release);
        }
    };
    set_in_a_hook(true);
    // SAFETY: By `Entered`'s contract; the registers are the kprobe's.
    let goes_elsewhere = unsafe {
        let before = bindings::rust_kexec_probe_address(registers);
        entered(address as c_ulong, 0, ptr::null_mut(), registers.cast());
        bindings::rust_kexec_probe_address(registers) != before
    };
    set_in_a_hook(false);
    // Otherwise the kernel would go on in the hooked function.
    goes_elsewhere.into()
}

/// Keeps the kernel from replacing the breakpoint by a jump, which would not let
/// [`return_from`] change where it goes on.
extern "C" fn nothing(
    _kprobe: *mut bindings::kprobe,
    _registers: *mut bindings::pt_regs,
    _flags: c_ulong,
) {
}

/// The hooked function's first argument, a pointer.
///
/// # Safety
///
/// `registers` must be those that a hook hands over.
pub(super) unsafe fn argument<T>(registers: *mut bindings::ftrace_regs) -> *mut T {
    // SAFETY: By this function's contract.
    unsafe { bindings::rust_kexec_probe_argument(registers.cast()) as *mut T }
}

/// Has the hooked function return what `function` does.
///
/// # Safety
///
/// `registers` must be those that a hook hands over, one that replaces a function which returns an
/// `R`.
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
/// `registers` must be those that a hook hands over, one that replaces a function of the type that
/// `function` has.
pub(super) unsafe fn continue_in(registers: *mut bindings::ftrace_regs, function: *const ()) {
    let address = function as usize as c_ulong;
    // SAFETY: By this function's contract.
    unsafe { bindings::rust_kexec_probe_jump(registers.cast(), address) }
}

/// Calls `with` with the registers at the entry of the hooked function.
///
/// # Safety
///
/// `registers` must be those that a hook hands over.
#[inline(always)]
pub(super) unsafe fn with_frame(
    registers: *mut bindings::ftrace_regs,
    with: impl FnOnce(*const bindings::pt_regs),
) {
    let mut frame = MaybeUninit::<bindings::pt_regs>::uninit();
    // SAFETY: By this function's contract; `frame` is there while it is used.
    unsafe { bindings::rust_kexec_probe_frame(registers.cast(), frame.as_mut_ptr()) };
    with(frame.as_ptr())
}
