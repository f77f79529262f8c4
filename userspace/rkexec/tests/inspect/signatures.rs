// SPDX-License-Identifier: GPL-2.0

//! Signatures: who signed, and whether the file is the one that was signed.

use serde_json::{
    json,
    Value, //
};

use super::{
    inspect,
    kernels::{
        arm64_image,
        efi_bzimage,
        gzip,
        unified, //
    },
    pe_fixture,
    rkexec,
    sentence,
    signing::{
        attach,
        Signer, //
    },
    Files, //
};

#[test]
fn a_signature_says_who_signed_and_is_compared_with_the_file() {
    let files = Files::new("signed");
    let signer = Signer::new("CN=a test's own key,O=rust_kexec");
    let uki = unified(0x8664, &efi_bzimage(), b"quiet").assemble();
    for (name, unsigned) in [
        ("vmlinuz", efi_bzimage()),
        ("Image", arm64_image()),
        ("uki", uki),
    ] {
        let path = files.write(name, &signer.sign(&unsigned));
        let (report, status) = inspect(&[&path]);
        assert_eq!(
            (status, &report["refusal"]),
            (Some(0), &Value::Null),
            "{name}"
        );
        let signature = &report["signature"];
        assert_eq!(signature["digest_matches"], true);
        assert_eq!(
            signature["signers"],
            json!([{
                "subject": "CN=a test's own key,O=rust_kexec",
                "issuer": "CN=a test's own key,O=rust_kexec",
                "serial": "2a",
                "digest_algorithm": "sha256",
                "not_before": "2024-01-01T00:00:00Z",
                "not_after": "2034-01-01T00:00:00Z",
            }])
        );
        let text = String::from_utf8(rkexec(&[&path]).stdout).unwrap();
        assert!(text.contains("signed by     CN=a test's own key"), "{text}");
        assert!(
            text.contains("contents      is the file that was signed"),
            "{text}"
        );

        // What was signed and then compressed.
        let path = files.write("gz", &gzip(&signer.sign(&unsigned)));
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(0), "{name}");
        assert_eq!(report["signature"]["digest_matches"], true);

        // In the last section, so that nothing else notices.
        let mut changed = signer.sign(&unsigned);
        changed[unsigned.len() - 1] ^= 1;
        let path = files.write(name, &changed);
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(1));
        assert_eq!(report["signature"]["digest_matches"], false);
        assert_eq!(report["refusal"]["errno"], "EKEYREJECTED");
        assert!(sentence(&report).starts_with("the kernel is not the file that was signed"));
    }
}

#[test]
fn a_signature_of_something_else_is_refused() {
    let files = Files::new("other-signature");
    let signer = Signer::new("CN=key");
    let unsigned = efi_bzimage();
    for (name, message, part) in [
        (
            "not-der",
            pe_fixture::der(0x30, b"abc"),
            "the signature cannot be read",
        ),
        (
            "contents",
            signer.message(&pe_fixture::der(0x30, b"")),
            "not an Authenticode digest",
        ),
    ] {
        let path = files.write(name, &attach(&unsigned, &message));
        let (report, status) = inspect(&[&path]);
        assert_eq!(status, Some(1), "{name}");
        assert_eq!(report["refusal"]["errno"], "EBADMSG", "{name}");
        assert!(sentence(&report).contains(part), "{name}: {report}");
    }
}
