// SPDX-License-Identifier: GPL-2.0

//! Fourth stage: the capture kernel serves the memory of the crashed kernel as a file.

pub(crate) mod file;
mod notes;
mod old_memory;

use crate::arch::registers::MACHINE;
use crate::compat::prelude::*;
use file::{Registration, Vmcore};
use kexec_core::elf::HEADER_LEN;
use kexec_core::elfcorehdr::CoreHeader;
use kexec_core::vmcore::Layout;
use old_memory::read;

/// The physical address of the ELF core header that `elfcorehdr=` names, in a capture kernel.
pub(crate) fn core_header_address() -> Option<u64> {
    extern "C" {
        fn rust_kexec_elfcorehdr_address() -> u64;
    }
    /// ELFCORE_ADDR_MAX and ELFCORE_ADDR_ERR: none was given, or it was found to be bad.
    const NONE: [u64; 2] = [u64::MAX, u64::MAX - 1];
    // SAFETY: Reads a variable that is constant after boot.
    let address = unsafe { rust_kexec_elfcorehdr_address() };
    (!NONE.contains(&address)).then_some(address)
}

/// Reads and checks what the crashed kernel left, and creates the file.
pub(crate) fn serve(address: u64) -> Result<Registration> {
    let mut first = [0; HEADER_LEN];
    read(address, &mut first)?;
    let len = CoreHeader::total_len(&first).map_err(|error| malformed(error.into()))?;
    let mut bytes = KVVec::new();
    bytes.extend_with(len, 0, GFP_KERNEL)?;
    read(address, &mut bytes)?;
    let core = CoreHeader::parse(&bytes, MACHINE).map_err(|error| malformed(error.into()))?;

    let notes = notes::merge(&core)?;
    let layout = Layout::new(&core, notes.len()).map_err(|error| malformed(error.into()))?;
    let mut header = KVVec::new();
    header.extend_with(layout.header_len(), 0, GFP_KERNEL)?;
    layout
        .encode_header(&core, &mut header)
        .map_err(|error| malformed(error.into()))?;
    Registration::new(Vmcore::new(layout, header, notes))
}

/// Says in the log why there will be no file.
fn malformed(error: kexec_core::error::Error) -> Error {
    pr_err!(
        "there will be no /proc/vmcore: {}\n",
        format_args!("{error}")
    );
    EINVAL
}
