// SPDX-License-Identifier: GPL-2.0

//! The loaded kernel's command line, from the running kernel's and the user's.

use std::fs;

use kexec_core::handover::Purpose;

use crate::{
    arguments::ImageOptions,
    failure::Failure, //
};

/// Parameters of the running kernel that make no sense in one that kexec enters: it was not started by the
/// boot loader, and a capture kernel gets an elfcorehdr of its own.
const DROPPED: [&[u8]; 2] = [b"BOOT_IMAGE", b"elfcorehdr"];

/// Those that besides make none in a capture kernel: it cannot reserve memory for another one, and is told
/// of its memory, which may be what the running kernel keeps free. A kernel that a reboot enters takes
/// the running one's place, and keeps them.
const DROPPED_FOR_A_CRASH: [&[u8]; 3] = [b"crashkernel", b"mem", b"memmap"];

/// The command line that `options` ask for.
pub fn wanted(purpose: Purpose, options: &ImageOptions) -> Result<Vec<u8>, Failure> {
    let running = if options.reuse_cmdline {
        fs::read("/proc/cmdline")
            .map_err(|error| Failure::from_io("cannot read /proc/cmdline", &error))?
    } else {
        Vec::new()
    };
    let given = options.boot.command_line.as_deref().unwrap_or_default();
    Ok(join(reusable(purpose, &running), given.as_encoded_bytes()))
}

fn join(mut base: Vec<u8>, addition: &[u8]) -> Vec<u8> {
    if !base.is_empty() && !addition.is_empty() {
        base.push(b' ');
    }
    base.extend_from_slice(addition);
    base
}

/// `command_line` without the parameters that are dropped, one space between the others.
fn reusable(purpose: Purpose, command_line: &[u8]) -> Vec<u8> {
    let for_a_crash: &[&[u8]] = match purpose {
        Purpose::Crash => &DROPPED_FOR_A_CRASH,
        Purpose::Reboot => &[],
    };
    let is_dropped = |name: &[u8]| {
        DROPPED
            .iter()
            .chain(for_a_crash)
            .any(|dropped| *dropped == name)
    };
    words(command_line)
        .into_iter()
        .filter(|word| !is_dropped(name(word)))
        .collect::<Vec<_>>()
        .join(&b' ')
}

/// The words of a command line. As the kernel has it, a space inside double quotes does not end
/// a word, and a quote may open and close anywhere.
pub fn words(command_line: &[u8]) -> Vec<&[u8]> {
    let mut quoted = false;
    command_line
        .split(|&byte| {
            quoted ^= byte == b'"';
            !quoted && byte.is_ascii_whitespace()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The name of the parameter that a word sets. The quotes may stand around the whole word.
pub fn name(word: &[u8]) -> &[u8] {
    let word = word.strip_prefix(b"\"").unwrap_or(word);
    let end = word
        .iter()
        .position(|&byte| byte == b'=' || byte == b'"')
        .unwrap_or(word.len());
    word.get(..end).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reused(command_line: &str) -> String {
        reused_for(Purpose::Crash, command_line)
    }

    fn reused_for(purpose: Purpose, command_line: &str) -> String {
        let reused = reusable(purpose, command_line.as_bytes());
        String::from_utf8(reused).expect("UTF-8 stays UTF-8")
    }

    #[test]
    fn a_kernel_for_a_reboot_reserves_memory_as_the_running_one_did() {
        assert_eq!(
            reused_for(
                Purpose::Reboot,
                "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 crashkernel=256M mem=8G elfcorehdr=0x1\n"
            ),
            "root=/dev/vda1 crashkernel=256M mem=8G"
        );
    }

    #[test]
    fn what_only_the_running_kernel_needs_is_dropped() {
        assert_eq!(
            reused(
                "BOOT_IMAGE=/boot/vmlinuz root=/dev/vda1 crashkernel=256M quiet elfcorehdr=0x1\n"
            ),
            "root=/dev/vda1 quiet"
        );
    }

    #[test]
    fn every_occurrence_is_dropped() {
        assert_eq!(reused("crashkernel=1G,high a crashkernel=64M,low"), "a");
    }

    #[test]
    fn limits_of_memory_are_dropped() {
        assert_eq!(reused("mem=1G a memmap=256M$1G memory=2"), "a memory=2");
    }

    #[test]
    fn a_longer_name_is_another_parameter() {
        let line = "crashkernel_size=1 my.crashkernel=2 NOT_BOOT_IMAGE=3";
        assert_eq!(reused(line), line);
    }

    #[test]
    fn a_dropped_name_inside_a_quoted_value_stays() {
        let line = r#"dyndbg="file a.c +p; crashkernel=1 x" b="#;
        assert_eq!(reused(line), line);
    }

    #[test]
    fn a_parameter_quoted_as_a_whole_is_dropped() {
        assert_eq!(reused(r#"a "crashkernel=256M" b"#), "a b");
    }

    #[test]
    fn an_unclosed_quote_reaches_to_the_end() {
        let line = r#"a b="c crashkernel=1"#;
        assert_eq!(reused(line), line);
    }

    #[test]
    fn init_arguments_stay() {
        assert_eq!(reused("a -- single"), "a -- single");
    }

    #[test]
    fn the_addition_follows_after_one_space() {
        assert_eq!(join(b"a".to_vec(), b"b c"), b"a b c");
        assert_eq!(join(Vec::new(), b"b"), b"b");
        assert_eq!(join(b"a".to_vec(), b""), b"a");
    }
}
