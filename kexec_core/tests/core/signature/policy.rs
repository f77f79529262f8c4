// SPDX-License-Identifier: GPL-2.0

//! Which kernels the policy for signatures lets be loaded.

use kexec_core::{
    signature::{
        authenticode::{
            AuthenticodeError,
            DigestAlgorithm, //
        },
        pe::PeError,
        Demand,
        Finding,
        KeyringError,
        Policy,
        PolicyError,
        SignatureError, //
    },
    types::errno::Errno, //
};

const BAD: SignatureError = SignatureError::Refused {
    what: "kernel",
    reason: KeyringError::UnknownKey,
};

fn unsigned(demand: Demand) -> Result<(), SignatureError> {
    Err(SignatureError::Unsigned { demand })
}

fn judge(
    policy: Policy,
    finding: Finding,
    forced: bool,
    locked: bool,
) -> Result<(), SignatureError> {
    policy.judge(finding, forced.then_some(Demand::KexecSigForce), || locked)
}

#[test]
fn a_good_signature_is_enough_for_all() {
    for policy in Policy::ALL {
        for (forced, locked) in [(false, false), (true, false), (false, true), (true, true)] {
            assert_eq!(judge(policy, Finding::Good, forced, locked), Ok(()));
        }
    }
}

#[test]
fn lockdown_is_asked_only_when_the_answer_depends_on_it() {
    for policy in Policy::ALL {
        let asked = || panic!("lockdown was asked");
        assert_eq!(policy.judge(Finding::Good, None, asked), Ok(()));
    }
    assert_eq!(
        Policy::Require.judge(Finding::Unsigned, None, || panic!("lockdown was asked")),
        unsigned(Demand::Parameter)
    );
}

#[test]
fn unsigned_kernels_are_for_who_asks_for_no_signature() {
    use Finding::Unsigned;
    for policy in [Policy::Off, Policy::CheckIfSigned] {
        assert_eq!(judge(policy, Unsigned, false, false), Ok(()));
        assert_eq!(
            judge(policy, Unsigned, false, true),
            unsigned(Demand::Lockdown)
        );
        assert_eq!(
            judge(policy, Unsigned, true, true),
            unsigned(Demand::KexecSigForce)
        );
    }
    for locked in [false, true] {
        assert_eq!(
            judge(Policy::Require, Unsigned, false, locked),
            unsigned(Demand::Parameter)
        );
    }
}

#[test]
fn a_bad_signature_is_let_through_only_where_none_would_do_and_none_is_looked_at() {
    let bad = Finding::Bad(BAD);
    assert_eq!(judge(Policy::Off, bad, false, false), Ok(()));
    assert_eq!(judge(Policy::Off, bad, false, true), Err(BAD));
    assert_eq!(judge(Policy::Off, bad, true, false), Err(BAD));
    for policy in [Policy::CheckIfSigned, Policy::Require] {
        assert_eq!(judge(policy, bad, false, false), Err(BAD));
    }
}

#[test]
fn secure_boot_demands_what_a_kernel_built_so_demands() {
    let enforced = Some(Demand::SecureBoot);
    for policy in Policy::ALL {
        let error = policy
            .judge(Finding::Unsigned, enforced, || panic!("lockdown was asked"))
            .unwrap_err();
        assert_eq!(Err(error), unsigned(Demand::SecureBoot));
        assert_eq!(error.errno(), Errno::NoData);
        for finding in [Finding::Bad(BAD), Finding::UnknownSigner(BAD)] {
            assert_eq!(policy.judge(finding, enforced, || false), Err(BAD));
        }
        assert_eq!(policy.judge(Finding::Good, enforced, || true), Ok(()));
    }
}

#[test]
fn an_unknown_signer_is_as_good_as_none_where_none_is_required() {
    let unknown = Finding::UnknownSigner(BAD);
    for policy in [Policy::Off, Policy::CheckIfSigned] {
        assert_eq!(judge(policy, unknown, false, false), Ok(()));
        assert_eq!(judge(policy, unknown, true, false), Err(BAD));
        assert_eq!(judge(policy, unknown, false, true), Err(BAD));
    }
    assert_eq!(judge(Policy::Require, unknown, false, false), Err(BAD));
}

#[test]
fn a_policy_can_only_be_tightened() {
    for (index, current) in Policy::ALL.into_iter().enumerate() {
        for (other, wanted) in Policy::ALL.into_iter().enumerate() {
            let expected = if other >= index {
                Ok(wanted)
            } else {
                Err(PolicyError::Looser { current, wanted })
            };
            assert_eq!(current.tighten(wanted), expected);
        }
    }
}

#[test]
fn policies_have_names() {
    for policy in Policy::ALL {
        let name = policy.name();
        assert_eq!(Policy::from_name(name.as_bytes()), Ok(policy));
        assert_eq!(
            Policy::from_name(format!("{name}\n").as_bytes()),
            Ok(policy)
        );
        assert_eq!(Policy::from_number(policy as u8), Some(policy));
    }
    for name in ["", "\n", "on", "Require", "require\n\n", "off "] {
        assert_eq!(
            Policy::from_name(name.as_bytes()),
            Err(PolicyError::Unknown)
        );
    }
    assert_eq!(Policy::from_number(3), None);
}

#[test]
fn errnos_are_kexec_file_loads() {
    let errno = |error: SignatureError| error.errno();
    for (demand, expected) in [
        (Demand::Parameter, Errno::NoData),
        (Demand::KexecSigForce, Errno::NoData),
        (Demand::Lockdown, Errno::Perm),
    ] {
        assert_eq!(errno(SignatureError::Unsigned { demand }), expected);
    }
    // The numbers that verify_pkcs7_signature() returns, and their meanings.
    for (number, expected) in [
        (126, Errno::NoKey),
        (129, Errno::KeyRejected),
        (74, Errno::BadMsg),
        (61, Errno::BadMsg),
        (22, Errno::Inval),
        (65, Errno::NoPkg),
        (12, Errno::KeyRejected),
    ] {
        let reason = KeyringError::from_errno(number);
        let error = SignatureError::Refused {
            what: "initrd",
            reason,
        };
        assert_eq!(errno(error), expected, "{number}");
        assert!(error
            .to_string()
            .starts_with("the initrd's signature is refused: "));
    }
}

#[test]
fn a_refusal_says_who_wants_what_and_the_way_out() {
    for (demand, who) in [
        (
            Demand::Parameter,
            "the module's parameter signatures=require",
        ),
        (
            Demand::KexecSigForce,
            "this kernel, built with KEXEC_SIG_FORCE,",
        ),
        (
            Demand::Lockdown,
            "this kernel, which is locked down (/sys/kernel/security/lockdown),",
        ),
    ] {
        assert_eq!(
            SignatureError::Unsigned { demand }.to_string(),
            format!(
                "the kernel has no signature, but {who} requires one: sign it with sbsign, or \
                 give a detached PKCS#7 signature with --signature"
            )
        );
    }
    for (reason, sentence) in [
        (
            KeyringError::UnknownKey,
            "its key is not on the builtin, secondary or platform keyring of this kernel: sign \
             with a key that this kernel trusts (keyctl list %:.builtin_trusted_keys)",
        ),
        (
            KeyringError::Rejected,
            "it was altered, its key was revoked, it was made while its certificate was not valid, \
             or by openssl without -nosmimecap: sign again, with a key that is neither expired nor \
             on the .blacklist keyring",
        ),
        (
            KeyringError::Altered,
            "it was altered: get the file again, or sign it again",
        ),
        (
            KeyringError::Malformed,
            "it was altered, or is not a PKCS#7 message as sbsign writes them, or openssl cms \
             -sign -binary -nosmimecap -outform DER: sign again",
        ),
        (
            KeyringError::Unsupported,
            "this kernel has no code for its algorithms: sign with RSA and SHA-256, and see that \
             the kernel has SYSTEM_DATA_VERIFICATION",
        ),
        (KeyringError::Other(12), "checking it failed with error 12"),
    ] {
        let refused = SignatureError::Refused {
            what: "kernel",
            reason,
        };
        assert_eq!(
            refused.to_string(),
            format!("the kernel's signature is refused: {sentence}")
        );
    }
    assert_eq!(SignatureError::Revoked.errno(), Errno::Perm);
    assert_eq!(
        SignatureError::Revoked.to_string(),
        "the kernel is on the list of revoked programs (dbx) of this machine's firmware: use a \
         newer one"
    );
}

#[test]
fn a_policy_that_is_not_taken_says_which_one_is_in_force() {
    let looser = PolicyError::Looser {
        current: Policy::Require,
        wanted: Policy::CheckIfSigned,
    };
    assert_eq!(looser.errno(), Errno::Perm);
    assert_eq!(
        looser.to_string(),
        "signatures=require is in force and check-if-signed is looser, but the policy of a loaded \
         module can only be tightened: remove the module and load it with \
         signatures=check-if-signed"
    );
    assert_eq!(PolicyError::Unknown.errno(), Errno::Inval);
    assert_eq!(
        PolicyError::Unknown.to_string(),
        "signatures= is none of off, check-if-signed and require: use one"
    );
}

#[test]
fn what_is_wrong_with_the_file_is_said_as_the_format_says_it() {
    let layout = PeError::TooShort { len: 3 };
    let digest = AuthenticodeError::Mismatch {
        algorithm: DigestAlgorithm::Sha256,
    };
    for (error, sentence, errno) in [
        (
            SignatureError::from(layout),
            layout.to_string(),
            layout.errno(),
        ),
        (digest.into(), digest.to_string(), digest.errno()),
    ] {
        assert_eq!(error.to_string(), sentence);
        assert_eq!(error.errno(), errno);
    }
}

#[test]
fn a_device_tree_is_refused_by_who_wants_all_signed() {
    let error = SignatureError::DeviceTree {
        demand: Demand::Lockdown,
    };
    assert_eq!(error.errno(), Errno::Perm);
    assert_eq!(
        error.to_string(),
        "a device tree has no signature, but this kernel, which is locked down \
         (/sys/kernel/security/lockdown), requires one: leave it out, and the new kernel gets the running \
         one's"
    );
}

#[test]
fn a_replacement_of_what_is_signed_is_refused_by_who_wants_it_signed() {
    let error = SignatureError::Replaced {
        part: "command line",
        demand: Demand::Parameter,
    };
    assert_eq!(error.errno(), Errno::Perm);
    assert_eq!(
        error.to_string(),
        "the unified kernel image has a signed command line, which the one that is given would \
         replace, but the module's parameter signatures=require requires a signature: leave the \
         command line out"
    );
    assert_eq!(Policy::Off.demand(None, || false), None);
    assert_eq!(Policy::Off.demand(None, || true), Some(Demand::Lockdown));
    assert_eq!(
        Policy::Require.demand(None, || true),
        Some(Demand::Parameter)
    );
}
