// SPDX-License-Identifier: GPL-2.0

//! kexec and kdump as a loadable module.
//!
//! Each of the modules below uses those before it and none after it. From `reserve` on they are the
//! stages of a dump: memory is reserved, an image is loaded and armed, the kernel crashes, the capture
//! kernel serves the memory of the crashed one.
//!
//! The module finds its role by itself. In a kernel that was given the address of an elfcorehdr
//! (`elfcorehdr=`) it serves `/proc/vmcore`; in any other it offers `/dev/rust_kexec`.

// Beside the C headers and files that it is made from.
#[path = "sys/bindings.rs"]
mod bindings;
mod compat;
mod sys;

mod refusal;

mod arch;

mod reserve;

mod record;

mod load;

mod armed;

mod crash;

mod reboot;

mod vmcore;

mod device;

use compat::prelude::*;

module! {
    type: RustKexec,
    name: "rust_kexec",
    description: "kexec and kdump in Rust: loads a capture kernel, boots it when the kernel crashes, serves /proc/vmcore",
    license: "GPL",
}

/// The role of this kernel, with the registrations that it needs.
enum RustKexec {
    /// A capture kernel can be loaded.
    Production { _device: device::Registration },
    /// The memory of a crashed kernel can be read.
    Capture { _file: vmcore::Registration },
}

impl kernel::Module for RustKexec {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        match vmcore::elfcorehdr_address()? {
            None => Ok(Self::Production {
                _device: device::Registration::new()?,
            }),
            Some(address) => Ok(Self::Capture {
                _file: vmcore::serve(address)?,
            }),
        }
    }
}
