// SPDX-License-Identifier: GPL-2.0

//! The module parameter `signatures=`, and the demands of the running kernel beyond it.

use crate::{
    arch,
    compat::prelude::*,
    refusal::errno,
    sys::{
        lockdown::is_locked_down,
        parameters::{
            self,
            SignaturesParameter, //
        },
        secure_boot, //
    }, //
};
use core::sync::atomic::{
    AtomicBool,
    AtomicU8,
    Ordering, //
};
use kexec_core::signature::{
    Demand,
    Finding,
    Policy,
    PolicyError,
    SignatureError, //
};

/// The policy's number.
static POLICY: AtomicU8 = AtomicU8::new(Policy::CheckIfSigned as u8);

/// Whether the policy can only be tightened from now on.
static SEALED: AtomicBool = AtomicBool::new(false);

/// Whether the machine was started by Secure Boot, once that was found out.
static SECURE_BOOT: AtomicU8 = AtomicU8::new(UNKNOWN);

// Its values.
const UNKNOWN: u8 = 0;
const OFF: u8 = 1;
const ON: u8 = 2;

/// From now on the policy can only be tightened. The parameters of the module have been read.
pub(crate) fn seal() {
    SEALED.store(true, Ordering::Release);
}

fn current() -> Policy {
    // Only policies' numbers are stored; the tightest is what any other would mean.
    Policy::from_number(POLICY.load(Ordering::Acquire)).unwrap_or(Policy::Require)
}

/// Whether a kernel of this finding may be loaded.
pub(super) fn judge(finding: Finding) -> Result<(), SignatureError> {
    current().judge(finding, enforced(), is_locked_down)
}

/// Whether something may be loaded in the place of what a unified kernel image has: the image's
/// signature covers its own alone.
pub(super) fn judge_replacement(
    part: &'static str,
    given: Option<&[u8]>,
    own: Option<&[u8]>,
) -> Result<(), SignatureError> {
    if given.is_none() || own.is_none() || given == own {
        return Ok(());
    }
    match current().demand(enforced(), is_locked_down) {
        Some(demand) => Err(SignatureError::Replaced { part, demand }),
        None => Ok(()),
    }
}

/// Whether a device tree of the caller's may be handed on. By what it says, a kernel that is signed can be made to
/// do anything, so it is let through where the kernel itself would not have to be signed.
pub(super) fn judge_device_tree() -> Result<(), SignatureError> {
    match current().demand(enforced(), is_locked_down) {
        Some(demand) => Err(SignatureError::DeviceTree { demand }),
        None => Ok(()),
    }
}

/// The demand for signatures that kexec_file_load has by its flag `sig_enforce`.
fn enforced() -> Option<Demand> {
    if cfg!(CONFIG_KEXEC_SIG_FORCE) {
        return Some(Demand::KexecSigForce);
    }
    is_enforced_by_secure_boot().then_some(Demand::SecureBoot)
}

/// Whether set_kexec_sig_enforced() was called. The flag that it sets is static data that nothing
/// exports. On x86_64 and arm64 it has one caller, IMA's arch_get_ima_policy(): once at boot, in
/// kernels with IMA_ARCH_POLICY, on machines where arch_get_secureboot() says yes. So that is asked.
fn is_enforced_by_secure_boot() -> bool {
    if !cfg!(all(CONFIG_KEXEC_SIG, CONFIG_IMA_ARCH_POLICY)) {
        return false;
    }
    // The firmware is asked once, as arch_get_secureboot() does.
    match SECURE_BOOT.load(Ordering::Acquire) {
        UNKNOWN => {}
        known => return known == ON,
    }
    let is_on = arch::secure_boot::found_at_boot().unwrap_or_else(secure_boot::firmware_says);
    SECURE_BOOT.store(if is_on { ON } else { OFF }, Ordering::Release);
    is_on
}

fn set(name: &[u8]) -> Result<(), PolicyError> {
    let wanted = Policy::from_name(name)?;
    if !SEALED.load(Ordering::Acquire) {
        POLICY.store(wanted as u8, Ordering::Release);
        return Ok(());
    }
    // Whoever comes in between has tightened it too.
    loop {
        let current = current();
        let tightened = current.tighten(wanted)?;
        let stored = POLICY.compare_exchange(
            current as u8,
            tightened as u8,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
        if stored.is_ok() {
            return Ok(());
        }
    }
}

/// The module's parameter.
struct Parameter;

impl SignaturesParameter for Parameter {
    fn set(name: &[u8]) -> Result {
        set(name).map_err(|error| {
            pr_warn!("{}\n", format_args!("{error}"));
            errno(error.errno())
        })
    }

    fn get() -> &'static str {
        current().name()
    }
}

parameters::signatures!(Parameter);
