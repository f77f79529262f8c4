// SPDX-License-Identifier: GPL-2.0

//! QEMU: where it is, and what it is asked for.

use std::{
    env,
    fs::{
        self,
        OpenOptions, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process::Command, //
};

use kexec_core::types::elf::Architecture;

use crate::failure::Failure;

/// The most CPUs of a guest.
const CPUS_MAX: u64 = 64;

/// The program for an architecture.
pub struct Qemu {
    /// Its file.
    pub program: PathBuf,
    architecture: Architecture,
    kvm: bool,
}

/// An architecture, by its name.
pub fn name(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
    }
}

impl Qemu {
    /// The program that was given, or the one in PATH.
    pub fn find(given: Option<&Path>, architecture: Architecture) -> Result<Self, Failure> {
        let (name, package) = match architecture {
            Architecture::X86_64 => ("qemu-system-x86_64", "qemu-system-x86"),
            Architecture::Arm64 => ("qemu-system-aarch64", "qemu-system-arm"),
        };
        let program = match given {
            Some(path) => Some(path.to_owned()),
            None => {
                let path = env::var_os("PATH").unwrap_or_default();
                let mut files = env::split_paths(&path).map(|folder| folder.join(name));
                files.find(|file| file.is_file())
            }
        };
        let program = program.ok_or_else(|| {
            Failure::new(format!(
                "there is no {name} in PATH, which --measure boots the capture kernel with: install it (Debian's \
                 package is {package}), or give its path with --qemu"
            ))
        })?;
        let kvm = kvm_works(architecture) && has_kvm(&program);
        Ok(Self {
            program,
            architecture,
            kvm,
        })
    }

    /// Its arguments for a machine without devices, with so many CPUs.
    pub fn machine(&self, cpus: u64) -> Vec<String> {
        // TCG executes rep movsb and rep stosb byte by byte, and the architecture's own algorithm for pointer
        // authentication would take most of its time (QEMU 7.2).
        let (machine, cpu) = match (self.architecture, self.kvm) {
            (Architecture::X86_64, true) => ("q35", "max"),
            (Architecture::X86_64, false) => ("q35", "max,erms=off,fsrm=off"),
            (Architecture::Arm64, true) => ("virt,gic-version=host", "max"),
            (Architecture::Arm64, false) => ("virt,gic-version=3", "max,pauth-impdef=on"),
        };
        let accelerator = match self.kvm {
            true => "kvm",
            false => "tcg,thread=multi",
        };
        let cpus = cpus.clamp(1, CPUS_MAX).to_string();
        [
            "-nodefaults",
            "-no-user-config",
            "-no-reboot",
            "-display",
            "none",
            "-machine",
            &format!("{machine},memory-backend=ram"),
            "-accel",
            accelerator,
            "-cpu",
            cpu,
            "-smp",
            &cpus,
        ]
        .map(str::to_owned)
        .to_vec()
    }
}

/// Whether KVM can run a guest. Some hosts have its device without the CPU's extensions, and a guest there never
/// gets past its early boot.
fn kvm_works(architecture: Architecture) -> bool {
    let device = || OpenOptions::new().read(true).write(true).open("/dev/kvm");
    match architecture {
        Architecture::X86_64 if cfg!(target_arch = "x86_64") => {
            let facts = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
            let mut flags = facts.split_ascii_whitespace();
            flags.any(|flag| matches!(flag, "vmx" | "svm")) && device().is_ok()
        }
        Architecture::Arm64 if cfg!(target_arch = "aarch64") => device().is_ok(),
        _ => false,
    }
}

/// Whether this QEMU has KVM for its guests. It may have been built without, or for a host of another architecture.
fn has_kvm(program: &Path) -> bool {
    let asked = Command::new(program).args(["-accel", "help"]).output();
    let answer = asked.map(|asked| asked.stdout).unwrap_or_default();
    answer
        .split(|byte| *byte == b'\n')
        .any(|line| line == b"kvm")
}
