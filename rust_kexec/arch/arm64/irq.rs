// SPDX-License-Identifier: GPL-2.0

//! The kernel's interrupts and the chips that they come from, for the crash path: no lock is taken.

use crate::sys::bindings;
use core::{
    mem::offset_of,
    ptr::NonNull, //
};
use kernel::ffi::c_uint;

/// An interrupt's number and its data.
///
/// # Invariants
///
/// `data` is the kernel's, which the crash path leaves alone.
pub(super) struct Irq {
    number: c_uint,
    data: NonNull<bindings::irq_data>,
}

/// All interrupts.
#[inline(always)]
pub(super) fn all() -> impl Iterator<Item = Irq> {
    // SAFETY: Reads a variable.
    let count = unsafe { bindings::rust_kexec_irq_count() };
    (0..count).filter_map(Irq::find)
}

impl Irq {
    /// The interrupt of this number, if there is one.
    #[inline(always)]
    pub(super) fn find(number: c_uint) -> Option<Self> {
        // SAFETY: Looks a number up.
        let data = NonNull::new(unsafe { bindings::irq_get_irq_data(number) })?;
        // INVARIANT: The data are the kernel's.
        Some(Self { number, data })
    }

    /// Its number.
    pub(super) fn number(&self) -> c_uint {
        self.number
    }

    /// Its data, as the chip's functions get them.
    #[inline(always)]
    pub(super) fn data(&self) -> *mut bindings::irq_data {
        self.data.as_ptr()
    }

    /// The chip that it comes from: irq_data_get_irq_chip().
    #[inline(always)]
    pub(super) fn chip(&self) -> Option<&bindings::irq_chip> {
        // SAFETY: By the type's invariant; chips are never freed while their interrupts are there.
        unsafe { self.data.as_ref().chip.as_ref() }
    }

    /// Whether a flag of its state is set, as irqd_irq_inprogress() and the like look.
    #[inline(always)]
    pub(super) fn has(&self, flag: c_uint) -> bool {
        // SAFETY: By the type's invariant.
        let state = unsafe { (*self.data.as_ref().common).state_use_accessors };
        state & flag != 0
    }

    /// What is done when it arrives, if anything: the action of irq_data_to_desc().
    #[inline(always)]
    pub(super) fn action(&self) -> Option<NonNull<bindings::irqaction>> {
        // SAFETY: By the type's invariant: the common data are a part of the interrupt's descriptor.
        NonNull::new(unsafe {
            let common = self.data.as_ref().common;
            let desc = common.byte_sub(offset_of!(bindings::irq_desc, irq_common_data));
            (*desc.cast::<bindings::irq_desc>()).action
        })
    }
}
