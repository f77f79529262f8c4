// SPDX-License-Identifier: GPL-2.0

//! Refusals of kernels and machines from which no crash could be handed over.

use crate::compat::prelude::*;
use core::fmt;
use kexec_core::types::ranges::Range;

/// Why this kernel, or the machine that it runs on, is not fit.
pub(crate) enum MachineError {
    /// Something that the kernel tells about itself is missing.
    Missing {
        what: &'static str,
        remedy: &'static str,
    },
    /// A CPU's crash notes are said to be where the kernel has no RAM.
    NotesOutsideRam { cpu: usize, memory: Range },
    /// The crash path could not be hooked.
    Hook { what: &'static str, error: Error },
    /// Memory is encrypted, and the handover is written for plain memory.
    MemoryEncrypted,
    /// This kernel's own state is to be handed over to the next one.
    StateHandover,
    /// The hypervisor has to be told of a crash by what only the kernel has.
    #[cfg_attr(CONFIG_ARM64, expect(dead_code, reason = "there none has to be told"))]
    Hypervisor(&'static str),
}

impl MachineError {
    /// The errno that goes with it.
    pub(super) fn errno(&self) -> Error {
        match self {
            Self::Hook { error, .. } => *error,
            Self::Missing { .. } | Self::NotesOutsideRam { .. } => ENODEV,
            Self::MemoryEncrypted | Self::StateHandover | Self::Hypervisor(_) => ENODEV,
        }
    }
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { what, remedy } => write!(f, "{what} could not be read: {remedy}"),
            Self::NotesOutsideRam { cpu, memory } => write!(
                f,
                "the kernel says that the crash notes of CPU {cpu} are at {memory}, where it has \
                 no RAM, so that the CPU's registers have no place: report this with /proc/iomem",
            ),
            Self::Hook { what, error } => write!(
                f,
                "{what} could not be hooked (error {}), and without that a crash could go \
                 unnoticed: set kernel.ftrace_enabled to 1, if there is such a sysctl, and see docs/kernels.md for the \
                 options that the kernel needs",
                -error.to_errno(),
            ),
            Self::MemoryEncrypted => f.write_str(
                "this machine encrypts its memory (SME, SEV, TDX or a realm of Arm CCA), and \
                 handing encrypted memory to a capture kernel is not implemented: boot with \
                 mem_encrypt=off, or in an ordinary machine",
            ),
            Self::StateHandover => f.write_str(
                "this kernel was booted with kho=on: it hands its own state over to the next kernel, which \
                 only an image of its own kexec can be told: boot without that, or load with the kernel's \
                 own kexec",
            ),
            Self::Hypervisor(name) => write!(
                f,
                "this machine is a guest of {name}, which has to be told of a crash by means that \
                 only the kernel itself has: load the capture kernel with the kernel's own kexec",
            ),
        }
    }
}
