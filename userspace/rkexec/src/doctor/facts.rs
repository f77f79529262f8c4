// SPDX-License-Identifier: GPL-2.0

//! What was found out about a machine, without a judgement.

use std::collections::BTreeMap;

use kexec_core::{
    types::{
        elf::Architecture,
        ranges::Range, //
    },
    uapi::Status, //
};

use super::options::Options;

/// All that the doctor knows of a machine.
pub struct Facts {
    /// Whether the question is about a crash now; otherwise about one after the files were loaded.
    pub now: bool,
    /// The running kernel and what is below it.
    pub machine: Machine,
    /// The capture kernel's file.
    pub kernel: Which<Kernel>,
    /// Its initrd.
    pub initrd: Which<Initrd>,
    /// Its command line, if it is known.
    pub command_line: Option<Vec<u8>>,
    /// The memory that the two need, or why that is not known.
    pub needed: Option<Result<u64, String>>,
    /// Where the dump goes, if it is known.
    pub target: Option<Target>,
}

/// The running kernel and what is below it.
pub struct Machine {
    /// The machine's architecture.
    pub architecture: Architecture,
    /// The release of the running kernel.
    pub release: String,
    /// The module.
    pub module: Module,
    /// The module's file, where it is not loaded.
    pub module_file: Option<ModuleFile>,
    /// Whether the running kernel takes signed modules only.
    pub signed_modules_only: bool,
    /// The mode of the kernel's lockdown, unless it is off.
    pub lockdown: Option<String>,
    /// Whether the module is told to require signatures of kernels.
    pub signed_kernels_only: bool,
    /// Whether the kernel's own kexec, or our module, has an image for a crash.
    pub crash_loaded: bool,
    /// The memory that the kernel says is reserved.
    pub reserved: Vec<Range>,
    /// Why none is, where the command line asks for some.
    pub unreserved: Option<String>,
    /// All memory.
    pub memory_len: u64,
    /// The memory of the kernel's own, which every dump has.
    pub kernel_memory_len: u64,
    /// The hypervisor's name.
    pub hypervisor: Option<String>,
    /// By what memory is encrypted.
    pub encryption: Option<String>,
    /// Features of the CPU that a jump between kernels has to know about.
    pub cpu_features: Vec<&'static str>,
    /// Sysctls and parameters by their names.
    pub settings: BTreeMap<&'static str, String>,
    /// Watchdogs that run: their names, and what they say of their time.
    pub watchdogs: Vec<String>,
    /// Debug information of the running kernel.
    pub debug_information: Option<String>,
    /// The running kernel's options, and the file that has them.
    pub options: Option<(String, Options)>,
}

impl Machine {
    /// A setting's number. Y is 1, and what is not there none.
    pub fn number(&self, setting: &str) -> Option<i64> {
        match self.settings.get(setting)?.as_str() {
            "Y" | "y" | "on" => Some(1),
            "N" => Some(0),
            text => text.parse().ok(),
        }
    }

    /// The module's status, if it is loaded.
    pub fn status(&self) -> Option<&Status> {
        match &self.module {
            Module::Loaded(status) => Some(status),
            _ => None,
        }
    }

    /// Whether an image is armed.
    pub fn is_armed(&self) -> bool {
        self.status().is_some_and(|status| status.armed != 0)
    }

    /// All memory that the capture kernel may use; the first one is where the image goes.
    pub fn regions(&self) -> Vec<Range> {
        let Some(status) = self.status() else {
            return self.reserved.clone();
        };
        let first = [status.region, status.low_region];
        let others = usize::try_from(status.more_region_count).unwrap_or_default();
        let all = first
            .iter()
            .chain(status.more_regions.iter().take(others))
            .copied()
            .chain(status.shared())
            .filter_map(|one| Range::from_start_len(one.start, one.len));
        all.filter(|range| !range.is_empty()).collect()
    }
}

/// The state of the module.
pub enum Module {
    /// It is loaded, and has this status.
    Loaded(Box<Status>),
    /// It is not loaded.
    Absent,
    /// It is loaded, or may be, and cannot be asked: a sentence.
    Mute(String),
}

/// A file of the module.
#[derive(Clone, Debug)]
pub struct ModuleFile {
    /// Where it is.
    pub path: String,
    /// Whether a signature is at its end. None where the file is compressed.
    pub signed: Option<bool>,
}

/// A file that could be the loaded one.
pub enum Which<T> {
    /// The loaded one, or the one that would be loaded.
    Known(T),
    /// None of these, which are there, is the loaded one.
    Others(Vec<String>),
    /// None of these is there.
    Missing(Vec<String>),
    /// None is loaded.
    None,
}

impl<T> Which<T> {
    /// The file, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(file) => Some(file),
            _ => None,
        }
    }
}

/// A capture kernel.
pub struct Kernel {
    /// Its file.
    pub path: String,
    /// Why it would be refused.
    pub refusal: Option<String>,
    /// Whether it has a signature.
    pub signed: bool,
    /// Its release.
    pub release: Option<String>,
    /// The machines that it is for.
    pub architecture: Option<Architecture>,
    /// Whether it knows `elfcorehdr=` (CRASH_DUMP); none if it could not be decompressed.
    pub knows_elfcorehdr: Option<bool>,
    /// Whether it has a /proc/vmcore of its own (PROC_VMCORE).
    pub has_vmcore: Option<bool>,
    /// Its options, and the file that has them.
    pub options: Option<(String, Options)>,
}

/// An initrd.
pub struct Initrd {
    /// Its file.
    pub path: String,
    /// Why it cannot be read, or what is in it.
    pub contents: Result<Contents, String>,
}

/// What is in an initrd.
#[derive(Clone, Debug)]
pub struct Contents {
    /// How its archives are compressed.
    pub compressions: Vec<&'static str>,
    /// The first process, and what is wrong with it.
    pub init: Init,
    /// Whether there is a shell.
    pub has_shell: bool,
    /// The releases of the kernels that the module in it is for; none for one that does not tell.
    pub modules: Vec<Option<String>>,
    /// The names of all kernel modules in it, with underscores.
    pub drivers: Vec<String>,
}

/// The program that is the first process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Init {
    /// It is there.
    Good,
    /// It is not there.
    Absent,
    /// It may not be executed.
    NotExecutable,
    /// What interprets it is not there.
    Uninterpreted(String),
}

/// Where the dump goes.
pub struct Target {
    /// The directory or block device.
    pub path: String,
    /// What it is.
    pub kind: TargetKind,
    /// Modules of the running kernel that drive it.
    pub drivers: Vec<String>,
}

/// What a target is.
pub enum TargetKind {
    /// A directory on a file system of this name.
    Directory {
        /// The file system's name.
        filesystem: String,
        /// What is free there.
        free: u64,
        /// Whether it is the root file system.
        is_root: bool,
    },
    /// A block device of this length.
    Device {
        /// Its length.
        len: u64,
    },
    /// It cannot be judged: a sentence.
    Unknown(String),
}
