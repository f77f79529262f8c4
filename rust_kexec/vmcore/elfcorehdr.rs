// SPDX-License-Identifier: GPL-2.0

//! Where the crashed kernel's elfcorehdr is.

#[cfg(CONFIG_VMCORE_INFO)]
use crate::sys::bindings;
use crate::{
    compat::prelude::*,
    sys::file::Mount, //
};
use kexec_core::dump::elfcorehdr::address_on;

/// ELFCORE_ADDR_MAX: none was given.
const NONE: u64 = u64::MAX;
/// ELFCORE_ADDR_ERR: it was found to be bad, or the kernel's own /proc/vmcore has read it. That
/// leaves the header where it is.
const TAKEN: u64 = u64::MAX - 1;

/// Longest command line of the architectures that we support.
const COMMAND_LINE_LEN: usize = 2048;

/// The physical address of the elfcorehdr, in a capture kernel.
///
/// Fails where there was one that cannot be found again: such a kernel has a dump to save, and is
/// not one that waits for a crash.
pub(crate) fn address() -> Result<Option<u64>> {
    match given() {
        NONE => Ok(None),
        TAKEN => match on_command_line().or_else(in_device_tree) {
            Some(address) => Ok(Some(address)),
            None => {
                pr_err!(
                    "there will be no /proc/vmcore: this kernel was given the address of an \
                     elfcorehdr and has forgotten it, and neither its command line has elfcorehdr= \
                     nor its device tree linux,elfcorehdr\n"
                );
                Err(ENOENT)
            }
        },
        address => Ok(Some(address)),
    }
}

/// What the kernel has made of the address that it was given.
fn given() -> u64 {
    #[cfg(CONFIG_VMCORE_INFO)]
    // SAFETY: Reads a variable that is constant after boot.
    return unsafe { bindings::elfcorehdr_addr };
    // Such a kernel knows no elfcorehdr=.
    #[cfg(not(CONFIG_VMCORE_INFO))]
    NONE
}

/// The address that the boot loader gave on the command line.
fn on_command_line() -> Option<u64> {
    let mut buffer = KVec::from_elem(0, COMMAND_LINE_LEN, GFP_KERNEL).ok()?;
    address_on(Mount::proc().ok()?.read(c"cmdline", &mut buffer).ok()?)
}

/// The address that the boot loader put into the device tree, in front of the header's length.
fn in_device_tree() -> Option<u64> {
    let mut property = [0; 16];
    let path = c"firmware/devicetree/base/chosen/linux,elfcorehdr";
    let sysfs = Mount::sysfs().ok()?;
    let address = sysfs.read(path, &mut property).ok()?.first_chunk()?;
    Some(u64::from_be_bytes(*address))
}
