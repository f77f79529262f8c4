// SPDX-License-Identifier: GPL-2.0

//! The running kernel, what is below it, and the module in it.

use crate::doctor::{
    facts::{
        Facts,
        Machine,
        Module, //
    },
    finding::Finding,
    options::{
        self,
        Role, //
    }, //
};

/// Judges what does not depend on any image.
pub fn judge(facts: &Facts, found: &mut Vec<Finding>) {
    let machine = &facts.machine;
    found.push(hypervisor(machine));
    found.push(encryption(machine));
    found.extend(cpu(machine));
    found.push(module(facts));
    if let Some((file, options)) = &machine.options {
        // A module that runs has what it needs, but for what it would do better with.
        let is_loaded = machine.status().is_some();
        let judged = options::judge(Role::Production, machine.architecture, file, options);
        found.extend(
            judged
                .findings
                .into_iter()
                .filter(|one| !is_loaded || !one.is_wrong()),
        );
    }
    found.extend(limits(facts));
    found.extend(ftrace(machine));
    found.push(lockdown(machine));
}

fn hypervisor(machine: &Machine) -> Finding {
    const ID: &str = "hypervisor";
    match machine.hypervisor.as_deref() {
        None => Finding::good(ID, "no hypervisor that has to be told of a crash"),
        Some(name @ ("Hyper-V" | "Xen")) => Finding::wrong(
            ID,
            format!("this machine is a guest of {name}, and loads are refused there"),
            "load the capture kernel with the kernel's own kexec: it tells the hypervisor of the crash",
        ),
        Some(name) => Finding::note(
            ID,
            format!("this machine is a guest of {name}"),
            "have the host leave the guest alone when it panics (QEMU with pvpanic: -action panic=none), \
             and know its own dump for when this one fails (virsh dump)",
        ),
    }
}

fn encryption(machine: &Machine) -> Finding {
    const ID: &str = "memory-encryption";
    match &machine.encryption {
        None => Finding::good(ID, "memory is not encrypted"),
        Some(name) => Finding::wrong(
            ID,
            format!("memory is encrypted by {name}, and loads are refused then"),
            "boot with mem_encrypt=off, or use an ordinary machine",
        ),
    }
}

fn cpu(machine: &Machine) -> Option<Finding> {
    let features = &machine.cpu_features;
    (!features.is_empty()).then(|| {
        let features = features.join(", ");
        Finding::good(
            "cpu",
            format!("the CPU has {features}: the jump knows of them"),
        )
    })
}

fn module(facts: &Facts) -> Finding {
    const ID: &str = "module";
    let machine = &facts.machine;
    let release = &machine.release;
    match (&machine.module, &machine.module_file) {
        (Module::Loaded(_), _) => Finding::good(ID, "rust_kexec is loaded"),
        (Module::Mute(sentence), _) => Finding::wrong(
            ID,
            format!("the module could not be asked: {sentence}"),
            "run rkexec doctor as root",
        ),
        (Module::Absent, None) => Finding::wrong(
            ID,
            format!("rust_kexec is not loaded, and /lib/modules/{release} has none"),
            "build it against this kernel (make KDIR=/path/to/tree), and insmod rust_kexec.ko",
        ),
        (Module::Absent, Some(file)) => {
            if machine.signed_modules_only && file.signed == Some(false) {
                return Finding::wrong(
                    ID,
                    format!("this kernel takes signed modules only, and {} has no signature", file.path),
                    "sign it by a key that the kernel knows (scripts/sign-file of the kernel's tree; a \
                     machine owner key, mokutil --import), and load it",
                );
            }
            let sentence = format!("rust_kexec is not loaded; it is {}", file.path);
            if !facts.now {
                return Finding::note(ID, sentence, "modprobe rust_kexec");
            }
            Finding::wrong(
                ID,
                sentence,
                "modprobe rust_kexec, and have it loaded at each boot: \
                 echo rust_kexec > /etc/modules-load.d/rust_kexec.conf",
            )
        }
    }
}

fn limits(facts: &Facts) -> Option<Finding> {
    const ID: &str = "load-limits";
    let machine = &facts.machine;
    let disabled = machine.number("kexec_load_disabled") == Some(1);
    let used_up = machine.number("kexec_load_limit_panic") == Some(0);
    let what = match (disabled, used_up) {
        (true, _) => "kernel.kexec_load_disabled is 1",
        (_, true) => "kernel.kexec_load_limit_panic is 0",
        _ => return None,
    };
    let remedy = "reboot, and load before it is set";
    Some(match machine.is_armed() && facts.now {
        true => Finding::note(
            ID,
            format!("{what}: the armed image stays, and none can replace it until the next boot"),
            None,
        ),
        false => Finding::wrong(
            ID,
            format!("{what}, which forbids to load until the next boot"),
            remedy,
        ),
    })
}

/// Where an image is armed, the kernel refuses to switch ftrace off, or has none.
fn ftrace(machine: &Machine) -> Option<Finding> {
    let is_off = machine.number("ftrace_enabled") == Some(0) && !machine.is_armed();
    is_off.then(|| {
        Finding::wrong(
            "ftrace",
            "kernel.ftrace_enabled is 0, and loads are refused then: the crash would go unnoticed",
            "sysctl -w kernel.ftrace_enabled=1",
        )
    })
}

fn lockdown(machine: &Machine) -> Finding {
    const ID: &str = "lockdown";
    match &machine.lockdown {
        None => Finding::good(ID, "the kernel is not locked down"),
        Some(mode) => Finding::note(
            ID,
            format!(
                "the kernel is locked down ({mode}): modules and capture kernels have to be signed"
            ),
            None,
        ),
    }
}
