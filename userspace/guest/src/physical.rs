// SPDX-License-Identifier: GPL-2.0

//! A byte of physical memory, through `/dev/mem`.
//!
//! The guest's kernel has DEVMEM without STRICT_DEVMEM, so that this reaches the region that
//! crashkernel= reserved. The mapping is the process's own: a write protection of the kernel's
//! direct map does not stop it, as it would not stop a device that writes to a wrong address.

use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;

use nix::libc::off_t;

use crate::hex::Hex;
use crate::mapping::{page_size, Mapping};
use crate::report::Failure;

/// The page of physical memory that holds one byte.
#[derive(Debug)]
pub struct PhysicalByte {
    file: File,
    address: u64,
    page_size: NonZeroUsize,
}

impl PhysicalByte {
    /// Opens the byte at this physical address.
    pub fn open(address: u64) -> Result<Self, Failure> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open("/dev/mem")
            .map_err(|error| Failure::io("cannot open /dev/mem", &error))?;
        let page_size =
            page_size().map_err(|errno| Failure::errno("cannot ask for the page size", errno))?;
        Ok(Self {
            file,
            address,
            page_size,
        })
    }

    /// Flips the bits of `mask` and reads the byte back through a mapping of its own. Returns
    /// the byte's old and new value.
    pub fn flip(&self, mask: u8) -> Result<(u8, u8), Failure> {
        let (mut page, offset) = self.map()?;
        let old = page.read_byte(offset).ok_or_else(|| self.outside())?;
        page.write_byte(offset, old ^ mask)
            .ok_or_else(|| self.outside())?;
        drop(page);

        let (page, offset) = self.map()?;
        let new = page.read_byte(offset).ok_or_else(|| self.outside())?;
        if new != old ^ mask {
            return Err(Failure::new(format!(
                "the byte at {} is {new:#04x} after {:#04x} was written to it: \
                 the write did not reach memory",
                Hex(self.address),
                old ^ mask,
            )));
        }
        Ok((old, new))
    }

    fn map(&self) -> Result<(Mapping, usize), Failure> {
        let size = self.page_size.get() as u64;
        let offset = self.address % size;
        let start = off_t::try_from(self.address - offset).map_err(|_| self.outside())?;
        let page = Mapping::shared(&self.file, start, self.page_size).map_err(|errno| {
            let address = Hex(self.address);
            Failure::errno(format_args!("cannot map {address} of /dev/mem"), errno)
        })?;
        // Less than the page size, which is a usize.
        Ok((page, offset as usize))
    }

    fn outside(&self) -> Failure {
        Failure::new(format!("there is no memory at {}", Hex(self.address)))
    }
}
