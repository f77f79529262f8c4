// SPDX-License-Identifier: GPL-2.0

//! The reboot into another kernel, `kernel_kexec()`, and the file in which the kernel says whether it could do
//! that: `kexec_loaded`, from 7.0 on also `kexec/loaded`.

use super::function::{
    continue_in,
    return_from,
    Hook, //
};
use crate::{
    compat::prelude::*,
    sys::{
        bindings,
        kallsyms::Kallsyms,
        slot::{
            Held,
            Slot, //
        }, //
    }, //
};
use core::ffi::c_char;
use kernel::{
    bindings::kobject,
    ffi::{
        c_int,
        c_ulong, //
    }, //
};

/// The image that a reboot enters, beside the kernel's own.
pub(crate) trait RebootImage {
    /// Whether there is one. Called with preemption off.
    fn is_loaded() -> bool;

    /// The same, at the beginning of a reboot: where it says yes [`Self::enter`] is called, once.
    fn begin() -> bool;

    /// Leaves this kernel for it. Called in the place of `kernel_kexec()`; what it returns is an errno.
    ///
    /// # Safety
    ///
    /// [`Self::begin`] must have said yes, for this call alone.
    unsafe fn enter() -> c_int;
}

static REBOOT: Hook = Hook::replacing(c"kernel_kexec");
static LOADED: Hook = Hook::replacing(c"kexec_loaded_show");

/// The attributes in which the kernel's `show` function for the file is, under the names that they have had.
const ATTRIBUTES: [&core::ffi::CStr; 2] = [c"kexec_loaded_attr", c"loaded_attr"];

/// Has reboots and the file lead to an image of ours while there is one, for as long as this lives.
pub(crate) struct RebootHook {
    held: Held,
    /// Whether the file is led to us too.
    pub(crate) is_shown: bool,
}

impl RebootHook {
    /// Hooks both. Without the first there is no reboot; without the second the file is wrong.
    pub(crate) fn register<T: RebootImage>() -> Result<Self> {
        static SLOT: Slot = Slot::free();
        let held = SLOT.hold()?;
        REBOOT.register(reboot_entered::<T>, &held)?;
        let is_shown = find_show().is_some_and(|show| {
            let hooked = LOADED.register_at(show, loaded_entered::<T>, &held);
            hooked.is_ok()
        });
        Ok(Self { held, is_shown })
    }
}

impl Drop for RebootHook {
    fn drop(&mut self) {
        LOADED.unregister(&self.held);
        REBOOT.unregister(&self.held);
    }
}

/// The address of the function that writes the file. Its name is not its alone.
fn find_show() -> Option<usize> {
    let symbols = Kallsyms::find().ok()?;
    let mut attributes = ATTRIBUTES.into_iter();
    let attribute = attributes.find_map(|name| symbols.address(name))?;
    let attribute = attribute as *const bindings::kobj_attribute;
    // SAFETY: It is a static of the kernel's, of this type.
    let show = unsafe { bindings::rust_kexec_show_of(attribute) };
    (!show.is_null()).then_some(show as usize)
}

/// What the file says while an image of ours is loaded.
extern "C" fn show(
    _directory: *mut kobject,
    _attribute: *mut bindings::kobj_attribute,
    page: *mut c_char,
) -> isize {
    const TEXT: &[u8] = b"1\n";
    // SAFETY: Files of sysfs are written to a page.
    unsafe { core::ptr::copy_nonoverlapping(TEXT.as_ptr(), page.cast(), TEXT.len()) };
    TEXT.len() as isize
}

extern "C" fn enter<T: RebootImage>() -> c_int {
    // SAFETY: The hook leads here after `begin` has said yes.
    unsafe { T::enter() }
}

/// # Safety
///
/// To be called by a hook, at the entry of `kernel_kexec`.
unsafe extern "C" fn reboot_entered<T: RebootImage>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    if T::begin() {
        // SAFETY: The registers are the hook's; `enter` returns in the place of the hooked function, and
        // has its type.
        unsafe { return_from(registers, enter::<T>) }
    }
}

/// # Safety
///
/// To be called by a hook, at the entry of the function that writes the file.
unsafe extern "C" fn loaded_entered<T: RebootImage>(
    _address: c_ulong,
    _caller: c_ulong,
    _ops: *mut bindings::ftrace_ops,
    registers: *mut bindings::ftrace_regs,
) {
    if T::is_loaded() {
        // SAFETY: The registers are the hook's; `show` has the hooked function's type.
        unsafe { continue_in(registers, show as *const ()) }
    }
}
