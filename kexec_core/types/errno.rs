// SPDX-License-Identifier: GPL-2.0

//! The errno that an error is reported as.

/// The error numbers that requests are refused with, as Linux numbers them on every architecture
/// that we support.
#[repr(i32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// The caller lacks a capability.
    Perm = 1,
    /// A structure of the interface has fields that this version does not know.
    TooBig = 7,
    /// The file is not an image that can be executed here.
    NoExec = 8,
    /// There is not enough memory.
    NoMem = 12,
    /// The resource that the request needs is in use.
    Busy = 16,
    /// An argument is wrong.
    Inval = 22,
    /// A signature is missing.
    NoData = 61,
    /// An algorithm is missing.
    NoPkg = 65,
    /// A message has other contents than expected.
    BadMsg = 74,
    /// The file is damaged.
    LibBad = 80,
    /// A message is too long.
    MsgSize = 90,
    /// The reserved region has no room, or there is none.
    AddrNotAvail = 99,
    /// The signer's key is not trusted.
    NoKey = 126,
    /// A signature is not one of this file.
    KeyRejected = 129,
}

impl Errno {
    /// The positive number.
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The name that manual pages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Perm => "EPERM",
            Self::TooBig => "E2BIG",
            Self::NoExec => "ENOEXEC",
            Self::NoMem => "ENOMEM",
            Self::Busy => "EBUSY",
            Self::Inval => "EINVAL",
            Self::NoData => "ENODATA",
            Self::NoPkg => "ENOPKG",
            Self::BadMsg => "EBADMSG",
            Self::LibBad => "ELIBBAD",
            Self::MsgSize => "EMSGSIZE",
            Self::AddrNotAvail => "EADDRNOTAVAIL",
            Self::NoKey => "ENOKEY",
            Self::KeyRejected => "EKEYREJECTED",
        }
    }
}

/// Declares an enum of errors that are other errors: each has the errno and the sentence of the
/// error that it wraps, and `?` wraps it.
macro_rules! wrap_errors {
    (
        $(#[$enum_doc:meta])*
        pub enum $name:ident {
            $($(#[$doc:meta])* $variant:ident($error:ty)),* $(,)?
        }
    ) => {
        $(#[$enum_doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant($error),)*
        }

        impl $name {
            /// The errno that this is reported as.
            pub fn errno(&self) -> $crate::types::errno::Errno {
                match self {
                    $(Self::$variant(error) => error.errno(),)*
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match self {
                    $(Self::$variant(error) => error.fmt(f),)*
                }
            }
        }

        $(
            impl From<$error> for $name {
                fn from(error: $error) -> Self {
                    Self::$variant(error)
                }
            }
        )*
    };
}
pub(crate) use wrap_errors;
