// SPDX-License-Identifier: GPL-2.0

//! The options, each with what is lost without it.

use kexec_core::types::elf::Architecture;

/// What becomes of the dump without an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// There is none.
    Dump,
    /// It is poorer, or some crashes have none.
    Part,
    /// Nothing of it, but something else.
    Other,
}

/// The role of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It may crash.
    Production,
    /// It saves the dump.
    Capture,
}

impl Role {
    /// The name of findings about its options.
    pub fn id(self) -> &'static str {
        match self {
            Self::Production => "production-options",
            Self::Capture => "capture-options",
        }
    }
}

/// An option that a kernel should have.
pub struct Rule {
    role: Role,
    /// Its name, without CONFIG_.
    pub name: &'static str,
    /// Arguments for scripts/config: the option, and what it depends on.
    pub enable: &'static str,
    /// The one architecture that it is about.
    only: Option<Architecture>,
    /// What is lost without it.
    pub loss: Loss,
    /// What is not without it, as the end of a sentence.
    pub without: &'static str,
}

const fn rule(
    role: Role,
    name: &'static str,
    enable: &'static str,
    loss: Loss,
    without: &'static str,
) -> Rule {
    Rule {
        role,
        name,
        enable,
        only: None,
        loss,
        without,
    }
}

const fn only(architecture: Architecture, rule: Rule) -> Rule {
    Rule {
        only: Some(architecture),
        ..rule
    }
}

/// The options, those without which there is no dump first.
const RULES: &[Rule] = {
    use Architecture::*;
    use Loss::*;
    use Role::*;
    &[
        rule(
            Production,
            "MODULES",
            "-e MODULES",
            Dump,
            "no module can be loaded",
        ),
        rule(
            Production,
            "RUST",
            "-e RUST -d MODVERSIONS",
            Dump,
            "the module cannot be built, which is Rust",
        ),
        rule(
            Production,
            "KPROBES",
            "-e KPROBES",
            Dump,
            "the module cannot be built: it asks them for addresses",
        ),
        rule(
            Production,
            "PROC_FS",
            "-e PROC_FS",
            Dump,
            "loads are refused: /proc/iomem has the kernel's addresses",
        ),
        rule(
            Production,
            "SYSFS",
            "-e SYSFS",
            Dump,
            "loads are refused: files there have addresses",
        ),
        rule(
            Production,
            "CRASH_DUMP",
            "-e KEXEC -e KEXEC_FILE -e CRASH_DUMP",
            Part,
            "there is no crashkernel=, and memory has to be taken by rkexec reserve",
        ),
        rule(
            Production,
            "FUNCTION_TRACER",
            "-e FTRACE -e FUNCTION_TRACER",
            Part,
            "the hooks are kprobes, which can be switched off",
        ),
        rule(
            Production,
            "DYNAMIC_FTRACE",
            "-e FTRACE -e FUNCTION_TRACER -e DYNAMIC_FTRACE",
            Part,
            "the hooks are kprobes, which can be switched off",
        ),
        only(
            Arm64,
            rule(
                Production,
                "ARM64_PSEUDO_NMI",
                "-e ARM64_PSEUDO_NMI",
                Part,
                "CPUs that have interrupts masked are not stopped, and lack registers in the dump",
            ),
        ),
        only(
            Arm64,
            rule(
                Production,
                "VMAP_STACK",
                "-e VMAP_STACK",
                Part,
                "the loaded image may stay writable",
            ),
        ),
        only(
            X86_64,
            rule(
                Production,
                "ACPI",
                "-e ACPI",
                Part,
                "interrupt controllers are not silenced before the jump",
            ),
        ),
        rule(
            Production,
            "SYSTEM_DATA_VERIFICATION",
            "-e SYSTEM_DATA_VERIFICATION",
            Other,
            "no signature of a kernel is good, so none can be required",
        ),
        rule(
            Production,
            "KALLSYMS",
            "-e KALLSYMS",
            Other,
            "readers of the dump find symbols in debug information only",
        ),
        rule(
            Production,
            "DEBUG_INFO",
            "-e DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT",
            Other,
            "drgn and crash cannot open the dump with this build's vmlinux",
        ),
        rule(
            Production,
            "MAGIC_SYSRQ",
            "-e MAGIC_SYSRQ",
            Other,
            "nobody can crash the machine by a key or /proc/sysrq-trigger",
        ),
        rule(
            Capture,
            "CRASH_DUMP",
            "-e KEXEC -e KEXEC_FILE -e CRASH_DUMP",
            Dump,
            "the kernel does not know elfcorehdr=, and does not see that there is a dump",
        ),
        only(
            X86_64,
            rule(
                Capture,
                "RELOCATABLE",
                "-e RELOCATABLE",
                Dump,
                "the kernel cannot run in the reserved memory, and the load is refused",
            ),
        ),
        rule(
            Capture,
            "BLK_DEV_INITRD",
            "-e BLK_DEV_INITRD",
            Dump,
            "no initrd is unpacked, which would save the dump",
        ),
        rule(
            Capture,
            "BINFMT_ELF",
            "-e BINFMT_ELF",
            Dump,
            "no program runs",
        ),
        rule(
            Capture,
            "PROC_FS",
            "-e PROC_FS",
            Dump,
            "there is no /proc/vmcore",
        ),
        rule(
            Capture,
            "BINFMT_SCRIPT",
            "-e BINFMT_SCRIPT",
            Part,
            "an /init that is a shell script does not run",
        ),
        rule(
            Capture,
            "DEVTMPFS",
            "-e DEVTMPFS",
            Part,
            "initrds that expect devices in /dev find none",
        ),
    ]
};

/// The options that a kernel should have in a role on an architecture.
pub fn rules(role: Role, architecture: Architecture) -> impl Iterator<Item = &'static Rule> {
    let is_about = move |rule: &&Rule| rule.only.is_none_or(|only| only == architecture);
    let rules = RULES.iter().filter(move |rule| rule.role == role);
    rules.filter(is_about)
}
