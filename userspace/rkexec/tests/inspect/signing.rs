// SPDX-License-Identifier: GPL-2.0

//! Signing as sbsign does, with a key of the test's own. The digest is computed here by literal
//! offsets, not by the code under test.

use std::{
    str::FromStr,
    time::Duration, //
};

use cms::{
    builder::{
        SignedDataBuilder,
        SignerInfoBuilder, //
    },
    cert::{
        CertificateChoices,
        IssuerAndSerialNumber, //
    },
    signed_data::{
        EncapsulatedContentInfo,
        SignerIdentifier, //
    }, //
};
use der::{
    asn1::{
        ObjectIdentifier,
        UtcTime, //
    },
    Any,
    Decode,
    Encode, //
};
use p256::{
    ecdsa::{
        DerSignature,
        SigningKey, //
    },
    pkcs8::{
        EncodePublicKey,
        SubjectPublicKeyInfo, //
    }, //
};
use sha2::{
    Digest,
    Sha256, //
};
use x509_cert::{
    builder::{
        Builder,
        CertificateBuilder,
        Profile, //
    },
    name::Name,
    serial_number::SerialNumber,
    spki::AlgorithmIdentifierOwned,
    time::{
        Time,
        Validity, //
    },
    Certificate, //
};

use crate::{
    fixture::put,
    pe_fixture::{
        certificate,
        der, //
    }, //
};

/// `SPC_INDIRECT_DATA_OBJID`.
const INDIRECT_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.2.1.4");
const SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// `SPC_PE_IMAGE_DATAOBJ`, 1.3.6.1.4.1.311.2.1.15.
const PE_IMAGE_DATA: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 15];

/// A key and its certificate, valid for ten years from 2024 on.
pub struct Signer {
    key: SigningKey,
    certificate: Certificate,
}

impl Signer {
    /// A key that is the same in every run.
    pub fn new(subject: &str) -> Self {
        const JANUARY_2024: u64 = 1_704_067_200;
        const JANUARY_2034: u64 = 2_019_686_400;

        let key = SigningKey::from_slice(&[0x42; 32]).expect("the scalar is in range");
        let time = |seconds| {
            let time = UtcTime::from_unix_duration(Duration::from_secs(seconds));
            Time::UtcTime(time.expect("the year has two digits"))
        };
        let public = key
            .verifying_key()
            .to_public_key_der()
            .expect("it is a point");
        let builder = CertificateBuilder::new(
            Profile::Root,
            SerialNumber::from(42_u8),
            Validity {
                not_before: time(JANUARY_2024),
                not_after: time(JANUARY_2034),
            },
            Name::from_str(subject).expect("the name is one"),
            SubjectPublicKeyInfo::try_from(public.as_bytes()).expect("just encoded"),
            &key,
        );
        let certificate = builder.and_then(Builder::build::<DerSignature>);
        Self {
            certificate: certificate.expect("the certificate can be signed"),
            key,
        }
    }

    /// A PKCS#7 message that signs these contents.
    pub fn message(&self, content: &[u8]) -> Vec<u8> {
        let content = EncapsulatedContentInfo {
            econtent_type: INDIRECT_DATA,
            econtent: Some(Any::from_der(content).expect("the contents are DER")),
        };
        let algorithm = AlgorithmIdentifierOwned {
            oid: SHA256,
            parameters: None,
        };
        let certificate = &self.certificate.tbs_certificate;
        let identifier = SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: certificate.issuer.clone(),
            serial_number: certificate.serial_number.clone(),
        });
        let info = SignerInfoBuilder::new(&self.key, identifier, algorithm.clone(), &content, None)
            .expect("the signer can be described");
        let message = SignedDataBuilder::new(&content)
            .add_digest_algorithm(algorithm)
            .and_then(|builder| {
                builder.add_certificate(CertificateChoices::Certificate(self.certificate.clone()))
            })
            .and_then(|builder| builder.add_signer_info::<SigningKey, DerSignature>(info))
            .and_then(SignedDataBuilder::build);
        let message = message.expect("the contents can be signed");
        message.to_der().expect("the message can be encoded")
    }

    /// The file with its signature.
    pub fn sign(&self, file: &[u8]) -> Vec<u8> {
        let data = der(
            0x30,
            &[
                der(0x06, PE_IMAGE_DATA),
                der(
                    0x30,
                    &[der(0x03, &[0]), der(0xa0, &[0xa2, 2, 0x80, 0])].concat(),
                ),
            ]
            .concat(),
        );
        let identifier = [der(0x06, SHA256.as_bytes()), der(0x05, &[])].concat();
        let digest = [der(0x30, &identifier), der(0x04, &digest(file))].concat();
        let content = der(0x30, &[data, der(0x30, &digest)].concat());
        attach(file, &self.message(&content))
    }
}

/// Where an unsigned file has its optional header.
fn optional_header(file: &[u8]) -> usize {
    let pe = u32::from_le_bytes(
        file[0x3c..0x40]
            .try_into()
            .expect("four bytes are a number"),
    );
    pe as usize + 24
}

/// The Authenticode digest of an unsigned file with 64-bit addresses.
fn digest(file: &[u8]) -> [u8; 32] {
    let optional = optional_header(file);
    let directory = optional + 112 + 4 * 8;
    let mut digest = Sha256::new();
    digest.update(&file[..optional + 64]);
    digest.update(&file[optional + 68..directory]);
    digest.update(&file[directory + 8..]);
    digest.finalize().into()
}

/// The file with a certificate table that holds this message.
pub fn attach(file: &[u8], message: &[u8]) -> Vec<u8> {
    let table = certificate(message);
    let directory = optional_header(file) + 112 + 4 * 8;
    let mut signed = file.to_vec();
    let place = [file.len() as u32, table.len() as u32];
    put(
        &mut signed,
        directory,
        &place.map(u32::to_le_bytes).concat(),
    );
    signed.extend_from_slice(&table);
    signed
}
