// SPDX-License-Identifier: GPL-2.0

//! The policy for signatures, and the reasons for refusing one.

pub mod authenticode;
pub mod der;
pub mod pe;

use core::fmt;

use crate::{
    signature::{
        authenticode::AuthenticodeError,
        pe::PeError, //
    },
    types::errno::Errno,
    uapi::SignatureState, //
};

/// The administrator's policy for signatures. Ordered from the loosest to the tightest.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Policy {
    /// Signatures are not checked, unless the running kernel requires one.
    Off = 0,
    /// A kernel need not be signed. One that is signed has to be the one that was signed, and its
    /// signature has to be good if its signer is known.
    CheckIfSigned = 1,
    /// A kernel has to have a good signature.
    Require = 2,
}

impl Policy {
    /// All policies, from the loosest to the tightest.
    pub const ALL: [Self; 3] = [Self::Off, Self::CheckIfSigned, Self::Require];

    /// The name in the module's parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::CheckIfSigned => "check-if-signed",
            Self::Require => "require",
        }
    }

    /// The policy of this name. A line feed at its end, as `echo` writes it, is ignored.
    pub fn from_name(name: &[u8]) -> Result<Self, PolicyError> {
        let name = name.strip_suffix(b"\n").unwrap_or(name);
        Self::ALL
            .into_iter()
            .find(|policy| policy.name().as_bytes() == name)
            .ok_or(PolicyError::Unknown)
    }

    /// The policy with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| *policy as u8 == number)
    }

    /// The policy after a request for `wanted`, which must not be looser.
    pub fn tighten(self, wanted: Self) -> Result<Self, PolicyError> {
        if wanted < self {
            return Err(PolicyError::Looser {
                current: self,
                wanted,
            });
        }
        Ok(wanted)
    }
}

/// Why a policy is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// There is no policy of that name.
    Unknown,
    /// The policy in force is tighter.
    Looser {
        /// The policy in force.
        current: Policy,
        /// The policy that was asked for.
        wanted: Policy,
    },
}

impl PolicyError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Unknown => Errno::Inval,
            Self::Looser { .. } => Errno::Perm,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("signatures= is none of off, check-if-signed and require: use one")
            }
            Self::Looser { current, wanted } => write!(
                f,
                "signatures={} is in force and {} is looser, but the policy of a loaded module \
                 can only be tightened: remove the module and load it with signatures={}",
                current.name(),
                wanted.name(),
                wanted.name()
            ),
        }
    }
}

/// The reason why a kernel has to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// The module's parameter.
    Parameter,
    /// The running kernel was built with `KEXEC_SIG_FORCE`.
    KexecSigForce,
    /// The running kernel's integrity policy, because the machine was started by Secure Boot.
    SecureBoot,
    /// The running kernel is locked down.
    Lockdown,
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parameter => "the module's parameter signatures=require",
            Self::KexecSigForce => "this kernel, built with KEXEC_SIG_FORCE,",
            Self::SecureBoot => {
                "this kernel, which enforces signatures under Secure Boot (IMA_ARCH_POLICY),"
            }
            Self::Lockdown => "this kernel, which is locked down (/sys/kernel/security/lockdown),",
        })
    }
}

/// The result of checking a kernel's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// A trusted key vouches for the file.
    Good,
    /// There is no signature.
    Unsigned,
    /// The file is the one that was signed, but the running kernel does not know the signer. So the
    /// file is whole, but anybody can have made it and signed it.
    UnknownSigner(SignatureError),
    /// The signature does not vouch for the file.
    Bad(SignatureError),
}

impl Finding {
    /// The state in the status.
    pub fn state(self) -> SignatureState {
        match self {
            Self::Good => SignatureState::Good,
            Self::Unsigned => SignatureState::Unsigned,
            Self::UnknownSigner(_) => SignatureState::UnknownSigner,
            Self::Bad(_) => SignatureState::Bad,
        }
    }
}

impl Policy {
    /// Whether a kernel with this finding may be loaded. `enforced` is the reason why the running
    /// kernel enforces signatures, if it does. `locked_down` is called only if the result depends
    /// on it, because each call adds a line to the kernel's log.
    pub fn judge(
        self,
        finding: Finding,
        enforced: Option<Demand>,
        locked_down: impl Fn() -> bool,
    ) -> Result<(), SignatureError> {
        match finding {
            Finding::Good => Ok(()),
            Finding::Unsigned => match self.demand(enforced, locked_down) {
                Some(demand) => Err(SignatureError::Unsigned { demand }),
                None => Ok(()),
            },
            Finding::Bad(error) if self == Self::CheckIfSigned => Err(error),
            Finding::Bad(error) | Finding::UnknownSigner(error) => {
                match self.demand(enforced, locked_down) {
                    Some(_) => Err(error),
                    None => Ok(()),
                }
            }
        }
    }

    /// The reason why a good signature is required, if one is.
    pub fn demand(
        self,
        enforced: Option<Demand>,
        locked_down: impl Fn() -> bool,
    ) -> Option<Demand> {
        let parameter = (self == Self::Require).then_some(Demand::Parameter);
        enforced
            .or(parameter)
            .or_else(|| locked_down().then_some(Demand::Lockdown))
    }
}

/// Why a signature does not vouch for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The kernel has no signature, and one is required.
    Unsigned {
        /// The reason.
        demand: Demand,
    },
    /// A signed part of a unified kernel image would be replaced by a file or text that is not
    /// signed.
    Replaced {
        /// The part: "command line" or "initrd".
        part: &'static str,
        /// The reason why it has to be signed.
        demand: Demand,
    },
    /// A device tree would be handed on, which cannot have a signature.
    DeviceTree {
        /// The reason why there has to be one.
        demand: Demand,
    },
    /// The file is not laid out as a signed EFI program.
    Pe(PeError),
    /// The signature is one of another file.
    Authenticode(AuthenticodeError),
    /// The kernel was signed, and revoked.
    Revoked,
    /// The running kernel refuses the signature.
    Refused {
        /// The signed file: "kernel" or "initrd".
        what: &'static str,
        /// The reason.
        reason: KeyringError,
    },
}

/// The answer of the kernel's keyrings about a PKCS#7 message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// The signer's key is on none of the keyrings.
    UnknownKey,
    /// The signature does not fit the signed contents, its key was revoked or was not valid at that
    /// time, or it has attributes that only signatures of EFI programs may have. The kernel has one
    /// number for all of these.
    Rejected,
    /// No key can have made the signature.
    Altered,
    /// The message is not a PKCS#7 message of the expected kind.
    Malformed,
    /// The kernel has no code for an algorithm of the message, or for such messages at all.
    Unsupported,
    /// Anything else, by the kernel's errno.
    Other(i32),
}

impl KeyringError {
    /// The meaning of a positive errno of `verify_pkcs7_signature()`.
    pub fn from_errno(errno: i32) -> Self {
        const EINVAL: i32 = 22;
        match errno {
            _ if errno == Errno::NoKey.number() => Self::UnknownKey,
            _ if errno == Errno::KeyRejected.number() => Self::Rejected,
            _ if errno == Errno::BadMsg.number() || errno == Errno::NoData.number() => {
                Self::Malformed
            }
            // The public key does not turn the signature into a padded digest.
            EINVAL => Self::Altered,
            _ if errno == Errno::NoPkg.number() => Self::Unsupported,
            other => Self::Other(other),
        }
    }
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownKey => f.write_str(
                "its key is not on the builtin, secondary or platform keyring of this kernel: \
                 sign with a key that this kernel trusts (keyctl list %:.builtin_trusted_keys)",
            ),
            Self::Rejected => f.write_str(
                "it was altered, its key was revoked, it was made while its certificate was not \
                 valid, or by openssl without -nosmimecap: sign again, with a key that is neither \
                 expired nor on the .blacklist keyring",
            ),
            Self::Altered => f.write_str("it was altered: get the file again, or sign it again"),
            Self::Malformed => f.write_str(
                "it was altered, or is not a PKCS#7 message as sbsign writes them, or openssl cms \
                 -sign -binary -nosmimecap -outform DER: sign again",
            ),
            Self::Unsupported => f.write_str(
                "this kernel has no code for its algorithms: sign with RSA and SHA-256, and see \
                 that the kernel has SYSTEM_DATA_VERIFICATION",
            ),
            Self::Other(errno) => write!(f, "checking it failed with error {errno}"),
        }
    }
}

impl SignatureError {
    /// The errno that this is reported as. It is that of kexec_file_load(2) in the same case.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Unsigned {
                demand: Demand::Lockdown,
            }
            | Self::Replaced { .. }
            | Self::DeviceTree { .. }
            | Self::Revoked => Errno::Perm,
            Self::Unsigned { .. } => Errno::NoData,
            Self::Pe(error) => error.errno(),
            Self::Authenticode(error) => error.errno(),
            Self::Refused { reason, .. } => match reason {
                KeyringError::UnknownKey => Errno::NoKey,
                KeyringError::Rejected => Errno::KeyRejected,
                KeyringError::Altered => Errno::Inval,
                KeyringError::Malformed => Errno::BadMsg,
                KeyringError::Unsupported => Errno::NoPkg,
                KeyringError::Other(_) => Errno::KeyRejected,
            },
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned { demand } => write!(
                f,
                "the kernel has no signature, but {demand} requires one: sign it with sbsign, or \
                 give a detached PKCS#7 signature with --signature"
            ),
            Self::Replaced { part, demand } => write!(
                f,
                "the unified kernel image has a signed {part}, which the one that is given would \
                 replace, but {demand} requires a signature: leave the {part} out"
            ),
            Self::DeviceTree { demand } => write!(
                f,
                "a device tree has no signature, but {demand} requires one: leave it out, and the new kernel \
                 gets the running one's"
            ),
            Self::Pe(error) => error.fmt(f),
            Self::Authenticode(error) => error.fmt(f),
            Self::Revoked => f.write_str(
                "the kernel is on the list of revoked programs (dbx) of this machine's firmware: \
                 use a newer one",
            ),
            Self::Refused { what, reason } => {
                write!(f, "the {what}'s signature is refused: {reason}")
            }
        }
    }
}

impl From<PeError> for SignatureError {
    fn from(error: PeError) -> Self {
        Self::Pe(error)
    }
}

impl From<AuthenticodeError> for SignatureError {
    fn from(error: AuthenticodeError) -> Self {
        Self::Authenticode(error)
    }
}
