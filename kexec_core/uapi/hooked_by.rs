// SPDX-License-Identifier: GPL-2.0

//! The hooks of the loaded module.

/// By what a crash is noticed. The number is the one in [`super::Status::hooks`].
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookedBy {
    /// Hooks by ftrace, which are always called.
    Ftrace = 1,
    /// Hooks by kprobes, in a kernel without ftrace.
    Kprobes = 2,
    /// What the kernel exports alone: the kprobes are not called.
    Exported = 3,
}

impl HookedBy {
    /// Every value, in the order of the numbers.
    pub const ALL: [Self; 3] = [Self::Ftrace, Self::Kprobes, Self::Exported];

    /// The value with this number.
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|by| *by as u32 == number)
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ftrace => "ftrace",
            Self::Kprobes => "kprobes",
            Self::Exported => "panic notifiers",
        }
    }

    /// The name, with what is lost and why, if anything is.
    pub const fn loss(self) -> Option<&'static str> {
        match self {
            Self::Ftrace => None,
            Self::Kprobes => Some(
                "kprobes, because the running kernel has no ftrace: a panic inside another kprobe is \
                 noticed by the panic notifiers, and may lose the registers of CPUs that panic at \
                 the same time",
            ),
            Self::Exported => Some(
                "panic notifiers alone, because the running kernel has no ftrace and its kprobes are \
                 switched off: nothing keeps the kernel's own kexec from the crash region, \
                 kexec_crash_loaded is 0, and the registers of CPUs that panic at the same time may be \
                 lost: write 1 to /sys/kernel/debug/kprobes/enabled",
            ),
        }
    }
}
