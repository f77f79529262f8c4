// SPDX-License-Identifier: GPL-2.0

//! The CPUs of the machine, and the one that this code runs on.

use super::bindings;
use crate::compat::prelude::*;
use core::{
    ffi::CStr,
    ptr::{
        addr_of_mut,
        NonNull, //
    }, //
};
use kernel::{
    error::Error,
    ffi::{
        c_int,
        c_uint, //
    },
    page::PAGE_SIZE, //
};

/// The CPU that this code runs on. Meaningful where it cannot move to another one.
pub(crate) fn current() -> usize {
    // SAFETY: Reads a per-CPU variable.
    unsafe { bindings::rust_kexec_current_cpu() as usize }
}

/// The process that this CPU runs, 0 for an idle one.
pub(crate) fn current_pid() -> u32 {
    // SAFETY: Reads the current task, which lives as long as it runs.
    unsafe { bindings::rust_kexec_current_pid() as u32 }
}

/// When that process was started, in nanoseconds since boot; 0 for an idle one.
pub(crate) fn current_start() -> u64 {
    // SAFETY: As above.
    unsafe { bindings::rust_kexec_current_start() }
}

/// The interrupts that this CPU is in the middle of.
pub(crate) struct InterruptLevels {
    /// How many NMIs.
    pub(crate) nmi: u32,
    /// How many interrupts, besides NMIs.
    pub(crate) hardirq: u32,
    /// Whether a softirq is handled.
    pub(crate) softirq: bool,
}

/// The interrupts that this CPU is in the middle of. Meaningful where it cannot move to another one.
pub(crate) fn interrupt_levels() -> InterruptLevels {
    // SAFETY: Reads a per-CPU variable.
    let count = unsafe { bindings::rust_kexec_preempt_count() };
    let levels = |mask: c_uint, one: c_uint| (count & mask).checked_div(one).unwrap_or_default();
    let nmi = levels(bindings::NMI_MASK, bindings::NMI_OFFSET);
    let hardirq = levels(bindings::HARDIRQ_MASK, bindings::HARDIRQ_OFFSET);
    InterruptLevels {
        nmi,
        // An NMI counts as an interrupt too.
        hardirq: hardirq.saturating_sub(nmi),
        softirq: count & bindings::SOFTIRQ_OFFSET != 0,
    }
}

/// One more than the highest number that a CPU can have.
pub(crate) fn ids() -> usize {
    // SAFETY: Reads a variable that is constant after boot.
    unsafe { bindings::rust_kexec_cpu_ids() as usize }
}

/// Whether a CPU with this number can ever be there.
pub(crate) fn is_possible(cpu: usize) -> bool {
    // SAFETY: Reads a mask; numbers past its end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_possible(cpu as c_uint) }
}

/// Whether the CPU with this number is plugged in.
pub(crate) fn is_present(cpu: usize) -> bool {
    // SAFETY: Reads a mask; numbers past its end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_present(cpu as c_uint) }
}

/// Whether the CPU with this number runs.
pub(crate) fn is_online(cpu: usize) -> bool {
    // SAFETY: Reads a mask; numbers past its end were sorted out before.
    cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_online(cpu as c_uint) }
}

/// Whether the CPU with this number runs, or did until the kernel panicked: a panic takes CPUs out
/// of the online mask that stop themselves. One that was taken offline in order is not active either,
/// nor is one that was never started.
pub(crate) fn was_running(cpu: usize) -> bool {
    // SAFETY: As above.
    is_online(cpu) || cpu < ids() && unsafe { bindings::rust_kexec_cpu_is_active(cpu as c_uint) }
}

/// The text of an attribute of a CPU's device.
pub(crate) struct Attribute {
    page: KVec<u8>,
    len: usize,
}

impl Attribute {
    /// Has the kernel write the text that a read of `/sys/devices/system/cpu/cpuN/NAME` returns. The
    /// file itself cannot be opened while CPUs come and go, and another may be mounted over it.
    pub(crate) fn read(cpu: usize, name: &CStr) -> Result<Self> {
        // A power of two, so that kmalloc() aligns it: sysfs_emit() wants a whole page.
        let mut page = KVec::new();
        page.extend_with(PAGE_SIZE, 0, GFP_KERNEL)?;
        // SAFETY: The device of a CPU that can be there is there, and so are its attributes.
        let len = unsafe {
            let device = NonNull::new(bindings::get_cpu_device(cpu as c_uint)).ok_or(ENODEV)?;
            let kobject = addr_of_mut!((*device.as_ptr()).kobj);
            let attribute = find_attribute(device.as_ref().groups, name).ok_or(ENOENT)?;
            // By way of the device's type, as the file does: newer kernels have several kinds of
            // attributes.
            let kind = (*kobject).ktype.as_ref().ok_or(ENODEV)?;
            let operations = kind.sysfs_ops.as_ref().ok_or(ENODEV)?;
            let show = operations.show.ok_or(ENODEV)?;
            show(kobject, attribute.cast_mut(), page.as_mut_ptr().cast())
        };
        let len = usize::try_from(len).map_err(|_| Error::from_errno(len as c_int))?;
        Ok(Self { page, len })
    }

    /// Its text.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.page.get(..self.len).unwrap_or_default()
    }
}

/// The attribute of this name in an array of groups that ends with null.
///
/// # Safety
///
/// `groups` must be null or a device's.
unsafe fn find_attribute(
    groups: *mut *const bindings::attribute_group,
    name: &CStr,
) -> Option<*const bindings::attribute> {
    // SAFETY: By this function's contract.
    unsafe { terminated(groups.cast_const()) }.find_map(|group| {
        // SAFETY: A group has an array of attributes that ends with null.
        let mut attributes = unsafe { terminated(bindings::rust_kexec_attributes(group)) };
        // SAFETY: An attribute has a name, which is a string.
        attributes.find(|attribute| unsafe { CStr::from_char_ptr((**attribute).name) == name })
    })
}

/// The pointers of an array that ends with null.
///
/// # Safety
///
/// `array` must be null, or such an array that nobody changes while the iterator lives.
unsafe fn terminated<T>(array: *const *const T) -> impl Iterator<Item = *const T> {
    (0..)
        .take_while(move |_| !array.is_null())
        // SAFETY: By this function's contract; the iterator ends with the array.
        .map(move |index| unsafe { *array.add(index) })
        .take_while(|pointer| !pointer.is_null())
}

/// How many CPUs are online.
pub(crate) fn online_count() -> usize {
    // SAFETY: Reads a number.
    unsafe { bindings::rust_kexec_online_cpus() as usize }
}

/// Waits without sleeping.
pub(crate) fn delay_microseconds(microseconds: u32) {
    // SAFETY: Busy-waits.
    unsafe { bindings::rust_kexec_delay_microseconds(microseconds) }
}
