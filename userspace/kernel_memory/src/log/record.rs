// SPDX-License-Identifier: GPL-2.0

//! A record of the kernel's log, and how programs print it.

use std::io::{
    self,
    Write, //
};

/// The bit of a caller that tells a CPU from a task.
const IS_CPU: u32 = 1 << 31;

/// A record of the kernel's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was written, since the kernel booted.
    pub nanoseconds: u64,
    /// Who wrote it: a task, or with the highest bit a CPU.
    pub caller: Option<u32>,
    /// What was written, without the last newline.
    pub text: Vec<u8>,
}

/// The program that a record is printed as by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// With the caller, and further lines below the first.
    Makedumpfile,
    /// Without the caller, and further lines from the left margin on.
    VmcoreDmesg,
}

impl Record {
    /// Writes it after its time, with what cannot be printed as `\x` and two digits.
    pub fn write(&self, out: &mut impl Write, style: Style) -> io::Result<()> {
        let mut head = format!(
            "[{:5}.{:06}] ",
            self.nanoseconds / 1_000_000_000,
            self.nanoseconds % 1_000_000_000 / 1000
        );
        if let Some(caller) = self.caller.filter(|_| style == Style::Makedumpfile) {
            let kind = if caller & IS_CPU == 0 { 'T' } else { 'C' };
            let caller = format!("{kind}{}", caller & !IS_CPU);
            head += &format!("[{caller:>8}] ");
        }
        let margin = match style {
            Style::Makedumpfile => head.len(),
            Style::VmcoreDmesg => 0,
        };
        out.write_all(head.as_bytes())?;
        for byte in &self.text {
            match byte {
                b'\n' => write!(out, "\n{:margin$}", "")?,
                b' '..=b'~' | b'\t' | b'\r' | 0x0b | 0x0c => out.write_all(&[*byte])?,
                _ => write!(out, "\\x{byte:02x}")?,
            }
        }
        out.write_all(b"\n")
    }
}
