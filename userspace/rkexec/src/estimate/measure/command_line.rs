// SPDX-License-Identifier: GPL-2.0

//! The guest's command line: the capture kernel's own, with what makes it one and what the watcher needs.

use kexec_core::types::elf::Architecture;
use watcher::{
    account::{
        token_text,
        Token, //
    },
    DIRECTORY,
    INIT,
    PROGRAM,
    SERVICE,
    TOKEN,
    TOOL_LEN, //
};

use super::layout::Layout;
use crate::{
    command_line::{
        name,
        words, //
    },
    failure::Failure, //
};

/// What the kernel starts unless it is told otherwise.
const USUAL_INIT: &str = "/init";
/// Words after this one are for the first program.
const END: &[u8] = b" -- ";

/// The parts of a guest's command line.
pub struct Line<'a> {
    /// The kernel's.
    pub architecture: Architecture,
    /// The capture kernel's own.
    pub given: &'a [u8],
    /// The initrd's own first program.
    pub init: &'a str,
    /// A program that has to run.
    pub service: Option<&'a str>,
    /// The bytes that programs which save the dump allocate.
    pub tool_len: u64,
    /// The longest line that the kernel takes.
    pub max: usize,
}

impl Line<'_> {
    /// The line for a guest with this memory.
    pub fn of(&self, layout: &Layout, token: &Token) -> Result<Vec<u8>, Failure> {
        let end = self.given.windows(END.len()).position(|word| word == END);
        let (own, rest) = self.given.split_at(end.unwrap_or(self.given.len()));
        // Before the others: the last console is the one that programs get. The timer of a guest on a busy
        // host is late, not broken.
        let console = match self.architecture {
            Architecture::X86_64 => "console=ttyS0 earlyprintk=serial,ttyS0,115200 no_timer_check ",
            Architecture::Arm64 => "console=ttyAMA0 earlycon=pl011,0x9000000 ",
        };
        // After the others: of the same parameter, the last one holds.
        let mut ours = format!(
            " panic=-1 rdinit=/{DIRECTORY}/{PROGRAM} mem={} elfcorehdr={} {TOKEN}={} {INIT}={} {TOOL_LEN}={}",
            layout.mem(),
            layout.elfcorehdr(),
            token_text(token),
            self.init,
            self.tool_len,
        );
        if let Some(service) = self.service {
            ours.push_str(&format!(" {SERVICE}={service}"));
        }
        let line = [console.as_bytes(), own, ours.as_bytes(), rest].concat();
        if line.len() > self.max {
            return Err(Failure::new(format!(
                "the command line has no room for what a guest needs beside it: {} bytes, and the kernel takes \
                 {}",
                line.len(),
                self.max
            )));
        }
        Ok(line)
    }
}

/// The initrd's first program, as the kernel would start it.
pub fn first_program(command_line: &[u8]) -> String {
    let value = |word: &[u8]| {
        let value = word.get(name(word).len() + 1..)?;
        (name(word) == b"rdinit").then(|| String::from_utf8_lossy(value).into_owned())
    };
    let mut values = words(command_line).into_iter().filter_map(value);
    values.next_back().unwrap_or_else(|| USUAL_INIT.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(given: &str, max: usize) -> Result<String, Failure> {
        let line = Line {
            architecture: Architecture::X86_64,
            given: given.as_bytes(),
            init: "/init",
            service: Some("kdump-save"),
            tool_len: 1 << 20,
            max,
        };
        let layout = Layout::new(Architecture::X86_64, 64 << 20, 1 << 20);
        let line = line.of(&layout.expect("it has room"), &Token::default())?;
        Ok(String::from_utf8(line).expect("it is text"))
    }

    #[test]
    fn what_is_for_the_first_program_stays_last() {
        let line = line("quiet mem=1G -- single", 2048).expect("it fits");
        assert!(line.starts_with("console=ttyS0 "));
        assert!(line.ends_with(" rkexec_watcher.service=kdump-save -- single"));
        assert!(line.find("mem=1G") < line.find("mem=64M"));
    }

    #[test]
    fn a_line_that_is_too_long_is_refused() {
        let sentence = line("quiet", 100)
            .expect_err("there is no room")
            .to_string();
        assert!(sentence.contains("and the kernel takes 100"), "{sentence}");
    }

    #[test]
    fn the_first_program_is_the_one_that_the_kernel_would_start() {
        assert_eq!(first_program(b"quiet init=/sbin/init"), "/init");
        assert_eq!(first_program(b"rdinit=/a rdinit=/bin/sh"), "/bin/sh");
    }
}
