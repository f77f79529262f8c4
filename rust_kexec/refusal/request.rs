// SPDX-License-Identifier: GPL-2.0

//! Refusals of requests that cannot be served, whatever files they name.

use crate::compat::prelude::*;
use core::fmt;
use kexec_core::handover::Purpose;

/// Why a request cannot be served.
pub(crate) enum RequestError {
    /// The module is being removed.
    ModuleGoing,
    /// No image of this purpose is loaded that could be unloaded.
    NothingLoaded(Purpose),
    /// The request has flags that we do not know.
    UnknownFlags(u32),
    /// The request asks for digests that we cannot compute.
    UnknownDigest(u32),
    /// A device tree is given for a machine that has none.
    NoDeviceTree,
    /// The command line is longer than any image could take.
    CommandLineLength { found: u64, limit: u64 },
    /// User-space memory that the request names cannot be accessed.
    BadAddress,
}

impl RequestError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        match self {
            Self::ModuleGoing => ENODEV,
            Self::NothingLoaded(_) => ENOENT,
            Self::UnknownFlags(_) | Self::UnknownDigest(_) => EINVAL,
            Self::NoDeviceTree | Self::CommandLineLength { .. } => EINVAL,
            Self::BadAddress => EFAULT,
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ModuleGoing => {
                f.write_str("the module is being removed: insert it again, and load then")
            }
            Self::NothingLoaded(Purpose::Crash) => {
                f.write_str("there is no capture kernel loaded that could be unloaded")
            }
            Self::NothingLoaded(Purpose::Reboot) => {
                f.write_str("there is no kernel loaded for a reboot that could be unloaded")
            }
            Self::UnknownFlags(flags) => write!(
                f,
                "the request has flags {flags:#x}, of which this module knows none: use rkexec \
                 and rust_kexec.ko of the same version",
            ),
            Self::UnknownDigest(number) => write!(
                f,
                "the request asks for digest {number}, which this module does not know: use \
                 rkexec and rust_kexec.ko of the same version",
            ),
            Self::NoDeviceTree => f.write_str(
                "the request has a device tree, but kernels of this architecture take none: leave it out",
            ),
            Self::CommandLineLength { found, limit } => write!(
                f,
                "the command line is {found} bytes long and no kernel takes more than {limit}: \
                 shorten it",
            ),
            Self::BadAddress => {
                f.write_str("the request names memory that the caller cannot access")
            }
        }
    }
}
