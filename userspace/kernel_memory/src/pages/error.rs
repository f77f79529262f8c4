// SPDX-License-Identifier: GPL-2.0

//! Why page structs cannot be found.

use std::fmt;

use crate::vmcoreinfo::VmcoreinfoError;

/// Why page structs cannot be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagesError {
    /// VMCOREINFO does not say what is needed.
    Vmcoreinfo(VmcoreinfoError),
    /// A number is none that a kernel can have.
    Number {
        /// The line of VMCOREINFO.
        name: &'static str,
        /// Its value.
        value: u64,
    },
}

impl From<VmcoreinfoError> for PagesError {
    fn from(error: VmcoreinfoError) -> Self {
        Self::Vmcoreinfo(error)
    }
}

impl fmt::Display for PagesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vmcoreinfo(error) => {
                write!(f, "the kernel's page structs cannot be found in the dump: {error}")
            }
            Self::Number { name, value } => write!(
                f,
                "the kernel's VMCOREINFO says {name}={value}, with which its page structs cannot be \
                 found"
            ),
        }
    }
}

impl std::error::Error for PagesError {}
