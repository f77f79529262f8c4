// SPDX-License-Identifier: GPL-2.0

//! Sysctls and the like: which faults of the kernel become a crash, and who may cause one.

use kexec_core::types::elf::Architecture;

use crate::doctor::{
    facts::{
        Facts,
        Machine, //
    },
    finding::Finding, //
};

/// The bit of kernel.sysrq that lets a key crash the machine (SYSRQ_ENABLE_DUMP).
const SYSRQ_CRASH: i64 = 8;
/// What makes a panic of a hang.
const HANGS: [&str; 4] = [
    "softlockup_panic",
    "hardlockup_panic",
    "hung_task_panic",
    "panic_on_rcu_stall",
];

/// Judges the settings.
pub fn judge(facts: &Facts, found: &mut Vec<Finding>) {
    let machine = &facts.machine;
    found.extend(oops(machine));
    found.extend(sysrq(machine));
    found.extend(match machine.architecture {
        Architecture::X86_64 => nmi(machine),
        Architecture::Arm64 => Some(pseudo_nmi(machine)),
    });
    found.push(hangs(machine));
    found.extend(timeout(machine));
    found.extend(notifiers(machine));
    found.extend(watchdogs(machine));
    found.push(debug_information(machine));
}

fn oops(machine: &Machine) -> Option<Finding> {
    const ID: &str = "panic-on-oops";
    Some(match machine.number("panic_on_oops")? {
        0 => Finding::warning(
            ID,
            "kernel.panic_on_oops is 0: after an oops the machine goes on without the task, and leaves no \
             dump",
            "sysctl -w kernel.panic_on_oops=1, and a file in /etc/sysctl.d with that line",
        ),
        _ => Finding::good(ID, "an oops is a panic (kernel.panic_on_oops)"),
    })
}

fn sysrq(machine: &Machine) -> Option<Finding> {
    const ID: &str = "sysrq";
    Some(match machine.number("sysrq") {
        Some(mask) if mask == 1 || mask & SYSRQ_CRASH != 0 => {
            Finding::good(ID, "sysrq-c at the keyboard or by a serial break crashes the machine")
        }
        Some(mask) => Finding::note(
            ID,
            format!(
                "kernel.sysrq is {mask}: a machine that hangs cannot be crashed by key or serial break; \
                 /proc/sysrq-trigger works"
            ),
            "sysctl -w kernel.sysrq=8, or another plan for a hang: an NMI button, the management board",
        ),
        None => return None,
    })
}

fn nmi(machine: &Machine) -> Option<Finding> {
    const ID: &str = "nmi";
    Some(match machine.number("unknown_nmi_panic")? {
        0 => Finding::note(
            ID,
            "kernel.unknown_nmi_panic is 0: an NMI by button, management board or hypervisor does not \
             crash a machine that hangs",
            "sysctl -w kernel.unknown_nmi_panic=1, and try the button once; panic_on_io_nmi and \
             panic_on_unrecovered_nmi are about NMIs of failing hardware",
        ),
        _ => Finding::good(ID, "an unknown NMI is a panic (kernel.unknown_nmi_panic)"),
    })
}

fn pseudo_nmi(machine: &Machine) -> Finding {
    const ID: &str = "pseudo-nmi";
    match machine.number("gicv3_pseudo_nmi") == Some(1) {
        true => Finding::good(ID, "CPUs that have interrupts masked are stopped by pseudo-NMIs"),
        false => Finding::note(
            ID,
            "without pseudo-NMIs a CPU that has interrupts masked is not stopped, and lacks registers in the \
             dump",
            "boot with irqchip.gicv3_pseudo_nmi=1, on a machine with a GICv3 and CONFIG_ARM64_PSEUDO_NMI=y",
        ),
    }
}

fn hangs(machine: &Machine) -> Finding {
    const ID: &str = "hangs";
    let set: Vec<&str> = HANGS
        .into_iter()
        .filter(|name| machine.number(name).is_some_and(|number| number > 0))
        .collect();
    match set.is_empty() {
        true => Finding::note(
            ID,
            "no detector of hangs causes a panic: a machine that hangs leaves no dump by itself",
            "sysctl -w kernel.softlockup_panic=1 kernel.hardlockup_panic=1, where a restart is better than a hang; \
             kernel.hung_task_panic=1",
        ),
        false => Finding::good(ID, format!("a hang is a panic ({})", set.join(", "))),
    }
}

fn timeout(machine: &Machine) -> Option<Finding> {
    const ID: &str = "panic-timeout";
    Some(match machine.number("panic")? {
        0 => Finding::note(
            ID,
            "kernel.panic is 0: should the capture kernel not be entered, the machine stands still",
            "sysctl -w kernel.panic=10",
        ),
        _ => Finding::good(
            ID,
            "a panic that cannot be dumped ends in a reboot (kernel.panic)",
        ),
    })
}

fn notifiers(machine: &Machine) -> Option<Finding> {
    (machine.number("crash_kexec_post_notifiers") == Some(1)).then(|| {
        Finding::note(
            "post-notifiers",
            "crash_kexec_post_notifiers is set: code of drivers runs before the dump, and one that hangs \
             loses it",
            "leave it out, unless a hypervisor or pstore needs it",
        )
    })
}

fn watchdogs(machine: &Machine) -> Option<Finding> {
    (!machine.watchdogs.is_empty()).then(|| {
        Finding::warning(
            "watchdog",
            format!(
                "a hardware watchdog runs ({}): it goes on after the crash, and may reset the machine while \
                 the dump is saved",
                machine.watchdogs.join(", ")
            ),
            "have its driver in the initrd, and something that feeds it, or let it wait longer than a dump \
             takes",
        )
    })
}

fn debug_information(machine: &Machine) -> Finding {
    const ID: &str = "debug-information";
    match &machine.debug_information {
        Some(path) => Finding::good(ID, format!("{path} has the kernel's debug information")),
        None => Finding::note(
            ID,
            "this machine has no debug information of its kernel, by which drgn and crash open a dump",
            "install it, or know where it is: the package of exactly this kernel, or the vmlinux of its build",
        ),
    }
}
