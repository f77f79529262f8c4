// SPDX-License-Identifier: GPL-2.0

//! The signatures of the files of a load.

use super::policy;
use crate::{
    compat::prelude::*,
    refusal::Refusal,
    sys::{
        digest::{
            Digest,
            DIGEST_MAX, //
        },
        keyring, //
    }, //
};
use core::ffi::CStr;
use kexec_core::signature::{
    authenticode::{
        signed_contents,
        AuthenticodeError,
        DigestAlgorithm,
        IndirectData, //
    },
    pe::PeImage,
    Finding,
    KeyringError,
    SignatureError, //
};

/// The bytes of a kernel that the policy lets be loaded. These are parsed and loaded, and no others.
///
/// # Invariants
///
/// [`Trusted::new`] has returned this value, or one that has these bytes in it.
#[derive(Clone, Copy)]
pub(crate) struct Trusted<'a> {
    bytes: &'a [u8],
    finding: Finding,
}

impl<'a> Trusted<'a> {
    /// Checks the signature of a kernel: the detached one that came with it, or its own.
    // Out of line for the stack: the findings.
    #[inline(never)]
    pub(super) fn new(kernel: &'a [u8], detached: Option<&[u8]>) -> Result<Self, Refusal> {
        let finding = match detached {
            Some(message) => match verify_detached("kernel", kernel, message) {
                Ok(()) => Finding::Good,
                Err(error) => Finding::Bad(error),
            },
            None => own_signature(kernel),
        };
        policy::judge(finding)?;
        if let Finding::UnknownSigner(_) = finding {
            pr_notice!(
                "the kernel is the one that was signed, but its signer is none that this kernel \
                 knows, so nobody vouches for it\n"
            );
        }
        // INVARIANT: The policy was asked above.
        Ok(Self {
            bytes: kernel,
            finding,
        })
    }

    /// Bytes that were found in these, or made of them and nothing else.
    pub(super) fn part<'b>(&self, bytes: &'b [u8]) -> Trusted<'b> {
        // INVARIANT: A signature of the whole is one of its parts.
        Trusted { bytes, ..*self }
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The finding about the signature.
    pub(super) fn finding(&self) -> Finding {
        self.finding
    }
}

/// Checks a detached signature of a file that needs none. One that is given has to be good.
pub(super) fn verify_detached(
    what: &'static str,
    bytes: &[u8],
    message: &[u8],
) -> Result<(), SignatureError> {
    keyring::verify_detached(bytes, message)
        .map_err(|reason| SignatureError::Refused { what, reason })
}

/// The finding about the signature in the file, if it is an EFI program.
// Out of line for the stack: the parsed file and its digests.
#[inline(never)]
fn own_signature(kernel: &[u8]) -> Finding {
    // A file that is no EFI program, an ELF file for example, has no place for a signature.
    if !kernel.starts_with(&kexec_core::signature::pe::DOS_MAGIC) {
        return Finding::Unsigned;
    }
    let checked = PeImage::parse(kernel).map_err(SignatureError::from);
    let checked = checked.and_then(|image| match image.signature() {
        None => Ok(Finding::Unsigned),
        Some(message) => verify_own(&image, message),
    });
    checked.unwrap_or_else(Finding::Bad)
}

fn verify_own(image: &PeImage<'_>, message: &[u8]) -> Result<Finding, SignatureError> {
    let refused = |reason| SignatureError::Refused {
        what: "kernel",
        reason,
    };
    match keyring::verify_contents(message, &mut |content| compare(image, content)) {
        Ok(compared) => compared.map(|()| Finding::Good),
        // Before the kernel looks for the signer's key it has checked that the message is one piece:
        // what it signs is what its attributes say, and a certificate in it fits the signature
        // (pkcs7_verify()). Without code for such messages nobody has. The file is not in it.
        Err(reason @ (KeyringError::UnknownKey | KeyringError::Unsupported)) => {
            compare(image, signed_contents(message)?)?;
            Ok(Finding::UnknownSigner(refused(reason)))
        }
        Err(reason) => Err(refused(reason)),
    }
}

/// Compares the digest in the signed contents with the file's, and sees that nobody has revoked the
/// file.
fn compare(image: &PeImage<'_>, content: &[u8]) -> Result<(), SignatureError> {
    let signed = IndirectData::parse(content)?;
    let mut computed = [0; DIGEST_MAX];
    let computed = digest(image, signed.algorithm(), &mut computed)?;
    signed.check(computed)?;
    // dbx names a program by this digest, whatever it was signed with (UEFI specification,
    // "EFI_CERT_SHA256_GUID").
    let mut sha256 = [0; DIGEST_MAX];
    let sha256 = match signed.algorithm() {
        DigestAlgorithm::Sha256 => computed,
        _ => digest(image, DigestAlgorithm::Sha256, &mut sha256)?,
    };
    match keyring::is_revoked(sha256) {
        true => Err(SignatureError::Revoked),
        false => Ok(()),
    }
}

/// The file's digest as Authenticode defines it, at the start of `out`.
fn digest<'a>(
    image: &PeImage<'_>,
    algorithm: DigestAlgorithm,
    out: &'a mut [u8; DIGEST_MAX],
) -> Result<&'a [u8], SignatureError> {
    let unsupported = SignatureError::Refused {
        what: "kernel",
        reason: KeyringError::Unsupported,
    };
    let name: &CStr = match algorithm {
        DigestAlgorithm::Sha256 => c"sha256",
        DigestAlgorithm::Sha384 => c"sha384",
        DigestAlgorithm::Sha512 => c"sha512",
    };
    let mut digest = Digest::new(name).ok_or(unsupported)?;
    for range in image.digest_ranges()? {
        let part = image.bytes().get(range).unwrap_or_default();
        digest.update(part).map_err(|_| unsupported)?;
    }
    let len = algorithm.digest_len();
    let computed = out
        .get_mut(..len)
        .ok_or(AuthenticodeError::DigestLen { algorithm, len })?;
    digest.finish(computed).map_err(|_| unsupported)?;
    Ok(computed)
}
