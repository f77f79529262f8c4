// SPDX-License-Identifier: GPL-2.0

//! The file `/proc/vmcore`, and how the kernel comes to its contents.

use super::{
    contents::{
        DumpContents,
        Vmcore, //
    },
    old_memory::OldMemory, //
};
use crate::{
    compat::prelude::*,
    sys::{
        page_fault::{
            Answer,
            FaultOperations,
            PageFault, //
        },
        proc_file::{
            Destination,
            FileOperations,
            ProcFile, //
        },
        user_mapping::UserMapping, //
    }, //
};
use core::ffi::CStr;
use kexec_core::dump::vmcore::{
    windows::Budget,
    Wanted, //
};

const NAME: &CStr = match cfg!(CONFIG_PROC_VMCORE) {
    // The kernel's own file has that name already.
    true => c"rust_kexec_vmcore",
    false => c"vmcore",
};

impl FileOperations for Vmcore {
    fn read(&self, offset: u64, to: &mut Destination<'_>) -> Result<usize> {
        self.read(offset, to)
    }

    fn seek(&self, offset: u64, hole: bool) -> Option<u64> {
        self.seek(offset, if hole { Wanted::Hole } else { Wanted::Data })
    }

    fn map(&self, area: &mut UserMapping<'_>) -> Result {
        self.map(area)
    }

    fn alignment(&self, offset: u64, len: u64) -> u64 {
        self.alignment(offset, len)
    }
}

impl FaultOperations for Vmcore {
    fn page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer {
        self.fault(fault, offset)
    }

    fn large_page_fault(&self, fault: PageFault<'_>, offset: u64) -> Answer {
        self.fault_large(fault, offset)
    }
}

/// The file, for as long as it lives.
pub(crate) struct Registration {
    _file: ProcFile<Vmcore>,
}

impl Registration {
    /// Creates the file.
    pub(super) fn new(contents: DumpContents, budget: Budget) -> Result<Self> {
        let size = contents.layout.size();
        let vmcore = KBox::pin_init(
            pin_init!(Vmcore {
                contents,
                memory <- OldMemory::new(budget),
            }),
            GFP_KERNEL,
        )?;
        let file = ProcFile::create(NAME, size, vmcore)?;
        pr_info!(
            "the crashed kernel's memory is in /proc, {} bytes, read through {}\n",
            size,
            format_args!("{budget}")
        );
        Ok(Self { _file: file })
    }
}
