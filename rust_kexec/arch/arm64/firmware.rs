// SPDX-License-Identifier: GPL-2.0

//! Calls of firmware (Arm DEN0028, "SMC Calling Convention").

#[cfg(CONFIG_ACPI)]
use crate::sys::acpi;
use crate::{
    compat::prelude::*,
    sys::{
        acpi::AcpiTable,
        bindings, //
    }, //
};
use core::{
    ffi::CStr,
    mem::zeroed,
    ptr, //
};

/// The instruction that reaches firmware.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Conduit {
    /// `hvc`, by way of the hypervisor.
    Hvc = 1,
    /// `smc`.
    Smc = 2,
}

impl Conduit {
    /// The one that has this number.
    pub(super) fn from_number(number: u32) -> Option<Self> {
        [Self::Hvc, Self::Smc]
            .into_iter()
            .find(|conduit| *conduit as u32 == number)
    }

    /// How firmware is called that switches CPUs on and off (PSCI), if it can be.
    pub(super) fn of_psci() -> Option<Self> {
        if let Some(flags) = boot_flags() {
            if flags & bindings::ACPI_FADT_PSCI_COMPLIANT as u16 != 0 {
                return Some(by_acpi(flags));
            }
        }
        described(c"arm,psci-1.0").or_else(|| described(c"arm,psci-0.2"))
    }

    /// How firmware is called that delivers its own events (SDEI), if it does.
    pub(super) fn of_sdei() -> Option<Self> {
        match boot_flags().filter(|_| AcpiTable::get(c"SDEI").is_some()) {
            // The FADT names one conduit, for all calls.
            Some(flags) => Some(by_acpi(flags)),
            None => described(c"arm,sdei-1.0"),
        }
    }

    /// Calls a function that takes no arguments.
    ///
    /// # Safety
    ///
    /// The conduit must be the one that the machine's description names, and the function's effect
    /// what the caller may have.
    pub(super) unsafe fn call(self, function: u32) {
        let function = function as usize;
        // SAFETY: Any bytes are a result.
        let mut result: bindings::arm_smccc_res = unsafe { zeroed() };
        let no_quirk = ptr::null_mut();
        // SAFETY: The caller vouches for the call; the result is ours.
        unsafe {
            match self {
                Self::Hvc => {
                    bindings::__arm_smccc_hvc(function, 0, 0, 0, 0, 0, 0, 0, &mut result, no_quirk)
                }
                Self::Smc => {
                    bindings::__arm_smccc_smc(function, 0, 0, 0, 0, 0, 0, 0, &mut result, no_quirk)
                }
            }
        }
    }
}

/// The flags of ACPI's FADT about booting, where ACPI describes the machine.
fn boot_flags() -> Option<u16> {
    #[cfg(CONFIG_ACPI)]
    if acpi::is_enabled() {
        // SAFETY: The kernel's copy of the table is constant after boot.
        return Some(unsafe { bindings::acpi_gbl_FADT.arm_boot_flags });
    }
    None
}

fn by_acpi(flags: u16) -> Conduit {
    match flags & bindings::ACPI_FADT_PSCI_USE_HVC as u16 {
        0 => Conduit::Smc,
        _ => Conduit::Hvc,
    }
}

/// How the device tree says that this firmware is called. Firmware that can be called, but must not
/// be, is described as disabled.
fn described(compatible: &CStr) -> Option<Conduit> {
    let mut method = c"".as_char_ptr();
    // SAFETY: A null pointer stands for no node. The node is there until it is put back; the string is
    // a part of the tree, which the kernel keeps.
    let method = unsafe {
        let anywhere = ptr::null_mut();
        let any = ptr::null();
        let node = bindings::of_find_compatible_node(anywhere, any, compatible.as_char_ptr());
        if bindings::of_device_is_available(node) {
            bindings::of_property_read_string(node, c"method".as_char_ptr(), &mut method);
        }
        bindings::rust_kexec_of_node_put(node);
        CStr::from_char_ptr(method)
    };
    match method.to_bytes() {
        b"hvc" => Some(Conduit::Hvc),
        b"smc" => Some(Conduit::Smc),
        _ => None,
    }
}
