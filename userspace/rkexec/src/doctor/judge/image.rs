// SPDX-License-Identifier: GPL-2.0

//! The image that is armed.

use kexec_core::uapi::{
    HookedBy,
    Protection,
    RegionHolder,
    Replacement,
    SignatureState,
    Status, //
};

use crate::doctor::{
    facts::{
        Facts,
        Machine, //
    },
    finding::Finding, //
};

/// Judges the armed image. `cause` is what is wrong already, and so may be why there is none.
pub fn judge(facts: &Facts, cause: Option<&'static str>, found: &mut Vec<Finding>) {
    let machine = &facts.machine;
    // What is armed now is not what is judged otherwise.
    if !facts.now {
        return;
    }
    match machine.status().filter(|status| status.armed != 0) {
        Some(status) => {
            armed(status, found);
            // A region that is too small for one image has no room for two.
            if cause != Some("region-size") {
                found.extend(replacement(status));
            }
        }
        None => found.push(not_armed(machine, cause)),
    }
}

fn not_armed(machine: &Machine, cause: Option<&'static str>) -> Finding {
    const ID: &str = "image";
    if let Some(cause) = cause {
        return Finding::note(
            ID,
            format!("no image of rust_kexec is armed: see {cause}"),
            None,
        );
    }
    let held = machine.status().map(|status| status.holder);
    let by_the_kernel = held == Some(RegionHolder::Kernel as u32);
    if by_the_kernel || machine.crash_loaded {
        return Finding::wrong(
            ID,
            "the kernel's own kexec has an image loaded, which cannot be judged here",
            "kexec -p -u, and load it by rkexec -p",
        );
    }
    Finding::wrong(
        ID,
        "no image is armed",
        "rkexec -p KERNEL --initrd=FILE --append=\"…\", at each boot and after each update",
    )
}

fn armed(status: &Status, found: &mut Vec<Finding>) {
    found.push(Finding::good("image", "an image is armed"));
    let signature = SignatureState::from_number(status.signature);
    if let Some(state @ (SignatureState::UnknownSigner | SignatureState::Bad)) = signature {
        let name = state.name();
        found.push(Finding::note(
            "image-signature",
            format!("its signature: {name}"),
            None,
        ));
    }
    if Protection::from_number(status.protection) == Some(Protection::Writable) {
        found.push(Finding::warning(
            "write-protection",
            "the image is not write-protected: a stray write may damage it, which the crash finds, and \
             then there is no dump",
            "dmesg says why",
        ));
    }
    let memory = &status.elfcorehdr;
    if memory.outdated != 0 || memory.without_room > 0 {
        found.push(Finding::warning(
            "hotplug",
            format!(
                "the dump's headers do not have all memory: {} pieces have no room{}",
                memory.without_room,
                match memory.outdated {
                    0 => "",
                    _ => ", and the latest change could not be followed",
                }
            ),
            "load again",
        ));
    }
    match HookedBy::from_number(status.hooks) {
        Some(HookedBy::Ftrace) => {
            found.push(Finding::good("hooks", "a crash is noticed by ftrace's hooks"));
        }
        Some(by @ HookedBy::Kprobes) => {
            let sentence = by.loss().unwrap_or(by.name());
            found.push(Finding::note("hooks", sentence, None));
        }
        Some(HookedBy::Exported) => found.push(Finding::warning(
            "hooks",
            "the kernel's kprobes are switched off, and a crash is noticed by panic notifiers alone",
            "echo 1 > /sys/kernel/debug/kprobes/enabled",
        )),
        None => {}
    }
}

fn replacement(status: &Status) -> Option<Finding> {
    let place = Replacement::from_number(status.replacement);
    (place == Some(Replacement::Instead)).then(|| {
        Finding::note(
            "replacement",
            "an image that replaces this one has no room beside it: a crash while it is copied is lost",
            "a crashkernel= that is as large again as the image avoids that",
        )
    })
}
