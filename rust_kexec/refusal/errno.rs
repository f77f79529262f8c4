// SPDX-License-Identifier: GPL-2.0

//! Error numbers, from kexec_core's to the kernel's.

use kernel::error::Error;
use kexec_core::types::errno::Errno;

/// The kernel's error of this number.
pub(crate) fn errno(errno: Errno) -> Error {
    Error::from_errno(-errno.number())
}
