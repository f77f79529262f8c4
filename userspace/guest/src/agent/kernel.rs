// SPDX-License-Identifier: GPL-2.0

//! What the agent says about the kernel that it runs on.

use std::{
    fs,
    path::Path, //
};

use nix::{
    sys::utsname::uname,
    unistd::{
        sysconf,
        SysconfVar, //
    }, //
};
use serde::Serialize;

use crate::report::Failure;

/// The agent's first line.
#[derive(Debug, Serialize)]
pub struct Hello {
    event: &'static str,
    role: Role,
    release: String,
    cpus_online: i64,
}

/// What the kernel was booted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    Production,
    Capture,
}

/// What the device tree of a capture kernel has, whoever loaded it; not all write `elfcorehdr=` too.
const ELFCOREHDR_PROPERTY: &str = "/sys/firmware/devicetree/base/chosen/linux,elfcorehdr";

impl Role {
    fn of_this_kernel(command_line: &str) -> Self {
        match Path::new(ELFCOREHDR_PROPERTY).exists() {
            true => Self::Capture,
            false => Self::from_command_line(command_line),
        }
    }

    fn from_command_line(command_line: &str) -> Self {
        let mut words = command_line.split_ascii_whitespace();
        if words.any(|word| word.starts_with("elfcorehdr=")) {
            Self::Capture
        } else {
            Self::Production
        }
    }
}

impl Hello {
    /// The hello of the running kernel.
    pub fn new() -> Result<Self, Failure> {
        let command_line = fs::read("/proc/cmdline")
            .map_err(|error| Failure::io("cannot read /proc/cmdline", &error))?;
        let name = uname().map_err(|errno| Failure::errno("cannot ask for the release", errno))?;
        let cpus = sysconf(SysconfVar::_NPROCESSORS_ONLN)
            .map_err(|errno| Failure::errno("cannot count the CPUs", errno))?;
        Ok(Self {
            event: "hello",
            role: Role::of_this_kernel(&String::from_utf8_lossy(&command_line)),
            release: name.release().to_string_lossy().into_owned(),
            cpus_online: cpus.ok_or_else(|| Failure::new("the number of CPUs is unknown"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elfcorehdr_makes_a_capture_kernel() {
        for (command_line, role) in [
            ("console=ttyS0 elfcorehdr=0x6f000000\n", Role::Capture),
            ("elfcorehdr=1M@2G quiet", Role::Capture),
            ("console=ttyS0 crashkernel=256M\n", Role::Production),
            ("not_elfcorehdr=1", Role::Production),
            ("", Role::Production),
        ] {
            assert_eq!(
                Role::from_command_line(command_line),
                role,
                "{command_line}"
            );
        }
    }
}
