// SPDX-License-Identifier: GPL-2.0

//! The signature in a kernel: its signers, as the PKCS#7 message names them, and the comparison of its
//! digest with the file.

use cms::{
    cert::{
        CertificateChoices,
        IssuerAndSerialNumber, //
    },
    content_info::ContentInfo,
    signed_data::{
        SignedData,
        SignerIdentifier,
        SignerInfo, //
    }, //
};
use der::{
    Decode,
    Encode, //
};
use kexec_core::signature::{
    authenticode::{
        DigestAlgorithm,
        IndirectData, //
    },
    pe::PeImage, //
};
use sha2::{
    Digest,
    Sha256,
    Sha384,
    Sha512, //
};
use x509_cert::Certificate;

use super::report::{
    Refusal,
    Signature,
    Signer, //
};
use crate::output::hexadecimal;

/// A PKCS#7 message.
pub struct Message {
    /// The signed contents.
    pub content: Vec<u8>,
    signers: Vec<Signer>,
}

/// Reads the PKCS#7 message of a file.
pub fn read(message: &[u8]) -> Result<Message, Refusal> {
    let unreadable = |error: der::Error| {
        Refusal::new(
            format!("the signature cannot be read: {error}: sign the kernel again"),
            "EBADMSG",
        )
    };
    let info = ContentInfo::from_der(message).map_err(unreadable)?;
    let signed: SignedData = info.content.decode_as().map_err(unreadable)?;
    let content = match &signed.encap_content_info.econtent {
        Some(content) => content.to_der().map_err(unreadable)?,
        None => Vec::new(),
    };
    let certificates: Vec<&Certificate> = signed
        .certificates
        .iter()
        .flat_map(|set| set.0.iter())
        .filter_map(|choice| match choice {
            CertificateChoices::Certificate(certificate) => Some(certificate),
            CertificateChoices::Other(_) => None,
        })
        .collect();
    let signers = signed.signer_infos.0.iter();
    Ok(Message {
        content,
        signers: signers.map(|info| signer(info, &certificates)).collect(),
    })
}

/// A signer's names. They are incomplete if the signer's certificate is not in the message.
fn signer(info: &SignerInfo, certificates: &[&Certificate]) -> Signer {
    let mut signer = Signer {
        digest_algorithm: algorithm_name(&info.digest_alg.oid.to_string()),
        ..Signer::default()
    };
    let SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
        issuer,
        serial_number,
    }) = &info.sid
    else {
        return signer;
    };
    signer.issuer = Some(issuer.to_string());
    signer.serial = Some(hexadecimal(serial_number.as_bytes()));
    let certificate = certificates.iter().find(|certificate| {
        let certificate = &certificate.tbs_certificate;
        certificate.issuer == *issuer && certificate.serial_number == *serial_number
    });
    if let Some(certificate) = certificate {
        let certificate = &certificate.tbs_certificate;
        signer.subject = Some(certificate.subject.to_string());
        signer.not_before = Some(certificate.validity.not_before.to_string());
        signer.not_after = Some(certificate.validity.not_after.to_string());
    }
    signer
}

fn algorithm_name(identifier: &str) -> String {
    match identifier {
        "1.3.14.3.2.26" => "sha1",
        "2.16.840.1.101.3.4.2.1" => "sha256",
        "2.16.840.1.101.3.4.2.2" => "sha384",
        "2.16.840.1.101.3.4.2.3" => "sha512",
        other => other,
    }
    .to_owned()
}

/// Compares the digest in the signed contents with the file's.
pub fn check(image: &PeImage<'_>, content: &[u8]) -> Result<(), Refusal> {
    let data = IndirectData::parse(content)?;
    let digest = match data.algorithm() {
        DigestAlgorithm::Sha256 => digest::<Sha256>(image),
        DigestAlgorithm::Sha384 => digest::<Sha384>(image),
        DigestAlgorithm::Sha512 => digest::<Sha512>(image),
    }?;
    data.check(&digest)?;
    Ok(())
}

fn digest<D: Digest>(image: &PeImage<'_>) -> Result<Vec<u8>, Refusal> {
    let mut digest = D::new();
    for range in image.digest_ranges()? {
        digest.update(&image.bytes()[range]);
    }
    Ok(digest.finalize().to_vec())
}

impl Message {
    /// Its part of a report.
    pub fn summary(self, digest_matches: bool) -> Signature {
        Signature {
            signers: self.signers,
            digest_matches,
        }
    }
}
