// SPDX-License-Identifier: GPL-2.0

//! The differences between the kernel versions that this module builds for.
//!
//! The rest of the module is written for the newest `kernel` crate. A thing that an older one lacks has
//! the same name and shape here. Kbuild looks into the tree's files, not at its version, and says by
//! `kernel_…` cfgs what is there.

#[cfg(not(kernel_c_str_ext))]
mod c_str;
#[cfg(not(kernel_global_lock))]
pub(crate) mod global_lock;
#[cfg(not(kernel_miscdevice))]
pub(crate) mod miscdevice;

/// What every file of the module uses in place of the kernel's own prelude.
pub(crate) mod prelude {
    #[cfg(not(kernel_c_str_ext))]
    pub(crate) use super::c_str::CStrExt as _;
    pub(crate) use core::mem::size_of;
    pub(crate) use kernel::prelude::*;
}

#[cfg(not(kernel_global_lock))]
pub(crate) use global_lock::global_lock;
#[cfg(kernel_global_lock)]
pub(crate) use kernel::sync::global_lock;

#[cfg(kernel_miscdevice)]
pub(crate) use kernel::miscdevice;

/// Open files, as the misc device's methods get them.
pub(crate) mod fs {
    #[cfg(kernel_miscdevice)]
    pub(crate) use kernel::fs::File;

    #[cfg(not(kernel_miscdevice))]
    pub(crate) use super::miscdevice::File;
}

/// Types that are made of plain bytes.
pub(crate) mod transmute {
    #[cfg(kernel_transmute)]
    pub(crate) use kernel::transmute::{
        AsBytes,
        FromBytes, //
    };

    #[cfg(not(kernel_transmute))]
    pub(crate) use kernel::types::{
        AsBytes,
        FromBytes, //
    };
}

/// User-space memory.
pub(crate) mod uaccess {
    #[cfg(kernel_user_ptr)]
    pub(crate) use kernel::uaccess::UserPtr;
    pub(crate) use kernel::uaccess::UserSlice;

    /// A pointer into user space.
    #[cfg(not(kernel_user_ptr))]
    pub(crate) struct UserPtr;

    #[cfg(not(kernel_user_ptr))]
    impl UserPtr {
        /// The pointer to this address.
        pub(crate) fn from_addr(address: usize) -> kernel::uaccess::UserPtr {
            address
        }
    }
}
