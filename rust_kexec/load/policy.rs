// SPDX-License-Identifier: GPL-2.0

//! The module parameter `signatures=`, and what the running kernel demands beyond it.

use crate::compat::prelude::*;
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use kernel::error::Error;
use kernel::ffi::{c_char, c_int};
use kexec_core::signature::{Finding, Policy, PolicyError, SignatureError};

/// The policy's number.
static POLICY: AtomicU8 = AtomicU8::new(Policy::CheckIfSigned as u8);

/// Whether the policy can only be tightened from now on.
static SEALED: AtomicBool = AtomicBool::new(false);

extern "C" {
    fn rust_kexec_kexec_sig_force() -> bool;
    fn rust_kexec_kexec_is_locked_down() -> bool;
}

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
    // SAFETY: Both ask the kernel about its state.
    let (forced, locked_down) = unsafe {
        (rust_kexec_kexec_sig_force(), || {
            rust_kexec_kexec_is_locked_down()
        })
    };
    current().judge(finding, forced, locked_down)
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

/// The parameter is set, at load or through sysfs.
///
/// # Safety
///
/// `value` must be readable for `len` bytes.
#[no_mangle]
unsafe extern "C" fn rust_kexec_set_policy(value: *const c_char, len: usize) -> c_int {
    // SAFETY: By this function's contract.
    let name = unsafe { core::slice::from_raw_parts(value.cast(), len) };
    match set(name) {
        Ok(()) => 0,
        Err(error) => {
            pr_warn!("{}\n", format_args!("{error}"));
            Error::from_errno(-error.errno().number()).to_errno()
        }
    }
}

/// The name of the policy in force, and its length.
///
/// # Safety
///
/// `len` must be valid for a write.
#[no_mangle]
unsafe extern "C" fn rust_kexec_policy_name(len: *mut c_int) -> *const c_char {
    let name = current().name();
    // SAFETY: By this function's contract. Names are short.
    unsafe { len.write(name.len() as c_int) };
    name.as_ptr().cast()
}
