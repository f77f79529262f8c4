// SPDX-License-Identifier: GPL-2.0

//! The capture kernel's command line: its added parameters, and the console that it names.

use core::fmt::{
    self,
    Write, //
};

use crate::types::{
    bytes::{
        to_u64,
        write, //
    },
    errno::Errno,
    parameters::{
        parameters,
        settings, //
    }, //
};

/// The parameter that names the address of the elfcorehdr to a capture kernel.
const ELFCOREHDR: &[u8] = b"elfcorehdr=";

/// The parameter that keeps a capture kernel from the memory devices that ACPI describes. It would
/// use their memory although it was not told to, and overwrite memory that is to be dumped
/// (Documentation/admin-guide/kernel-parameters.txt).
const NO_MEMORY_DEVICES: &str = "acpi_no_memhotplug";

/// Why a command line cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandLineError {
    /// The command line has a byte that would end it.
    Control {
        /// The byte's value.
        byte: u8,
        /// The byte's offset.
        offset: usize,
    },
    /// The command line has an `elfcorehdr=` already.
    Elfcorehdr {
        /// The parameter's offset.
        offset: usize,
    },
    /// The command line is too long.
    TooLong {
        /// Length of the user's part.
        user_len: usize,
        /// Length of the added part.
        added_len: usize,
        /// The kernel's limit.
        limit: u32,
    },
    /// The buffer has no room.
    Buffer {
        /// Room that is needed.
        needed: u64,
        /// Length of the buffer.
        len: usize,
    },
}

impl CommandLineError {
    /// The errno that this is reported as.
    pub fn errno(&self) -> Errno {
        match self {
            Self::Buffer { .. } => Errno::NoMem,
            _ => Errno::Inval,
        }
    }
}

impl fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Control { byte, offset } => write!(
                f,
                "the command line has the byte {byte:#04x} at offset {offset}: NUL and newline \
                 cannot be part of a command line"
            ),
            Self::Elfcorehdr { offset } => write!(
                f,
                "the command line has elfcorehdr= at offset {offset}: leave it out, the right \
                 one is added at load"
            ),
            Self::TooLong {
                user_len,
                added_len,
                limit,
            } => write!(
                f,
                "the command line has {user_len} bytes and {added_len} are added at load, but this \
                 kernel takes {limit} at most"
            ),
            Self::Buffer { needed, len } => write!(
                f,
                "the command line needs {needed} bytes with its NUL, but there is room for {len}"
            ),
        }
    }
}

/// Writes the capture kernel's command line and a NUL to `out`, and returns its length without
/// the NUL.
///
/// `limit` is the longest command line that the kernel takes, without the NUL; `acpi` says whether
/// ACPI describes the machine. The added parameters come first: after the user's part, an open
/// quote or a `--` would hide them from the kernel.
///
/// ```
/// use kexec_core::handover::command_line::{capture_command_line, CommandLineError};
///
/// let mut line = [0; 2048];
/// let len = capture_command_line(&mut line, b"console=ttyS0", 0x1fff_e000, false, 2047)?;
/// assert_eq!(&line[..len], b"elfcorehdr=0x1fffe000 console=ttyS0");
///
/// let error = capture_command_line(&mut line, b"elfcorehdr=1M", 0x1fff_e000, false, 2047);
/// assert_eq!(error, Err(CommandLineError::Elfcorehdr { offset: 0 }));
/// # Ok::<(), CommandLineError>(())
/// ```
pub fn capture_command_line(
    out: &mut [u8],
    user: &[u8],
    elfcorehdr_address: u64,
    acpi: bool,
    limit: u32,
) -> Result<usize, CommandLineError> {
    let mut added = Text::default();
    // A number of 64 bits has at most 16 digits, and `Text` has room for them.
    let _ = write!(added, "elfcorehdr={elfcorehdr_address:#x}");
    if acpi {
        let _ = write!(added, " {NO_MEMORY_DEVICES}");
    }
    if !user.is_empty() {
        let _ = write!(added, " ");
    }
    join(out, added.as_bytes(), user, limit)
}

/// Writes the command line of a kernel that a reboot enters, and a NUL, to `out`, and returns its length
/// without the NUL. Nothing is added to the user's; `limit` is that of [`capture_command_line`].
pub fn reboot_command_line(
    out: &mut [u8],
    user: &[u8],
    limit: u32,
) -> Result<usize, CommandLineError> {
    join(out, &[], user, limit)
}

fn join(out: &mut [u8], added: &[u8], user: &[u8], limit: u32) -> Result<usize, CommandLineError> {
    let control = |byte: &u8| matches!(*byte, 0 | b'\n' | b'\r');
    if let Some(offset) = user.iter().position(control) {
        let byte = user.get(offset).copied().unwrap_or_default();
        return Err(CommandLineError::Control { byte, offset });
    }
    if let Some(parameter) = parameters(user).find(|p| p.text.starts_with(ELFCOREHDR)) {
        return Err(CommandLineError::Elfcorehdr {
            offset: parameter.offset,
        });
    }
    let len = added.len().saturating_add(user.len());
    if to_u64(len) > limit.into() {
        return Err(CommandLineError::TooLong {
            user_len: user.len(),
            added_len: added.len(),
            limit,
        });
    }
    let out_len = out.len();
    if out_len <= len {
        return Err(CommandLineError::Buffer {
            needed: to_u64(len).saturating_add(1),
            len: out_len,
        });
    }
    let line = added.iter().chain(user).chain(&[0]);
    for (to, from) in out.iter_mut().zip(line) {
        *to = *from;
    }
    Ok(len)
}

/// Room for `elfcorehdr=0x`, 16 digits, [`NO_MEMORY_DEVICES`] and two spaces.
struct Text {
    bytes: [u8; ADDED_MAX],
    len: usize,
}

const ADDED_MAX: usize = ELFCOREHDR.len() + 2 + 16 + NO_MEMORY_DEVICES.len() + 2;

impl Default for Text {
    fn default() -> Self {
        Self {
            bytes: [0; ADDED_MAX],
            len: 0,
        }
    }
}

impl Text {
    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..).unwrap_or_default();
        if text.len() > room.len() {
            return Err(fmt::Error);
        }
        write(room, 0, text.as_bytes());
        self.len = self.len.saturating_add(text.len());
        Ok(())
    }
}

/// A console that the purgatory can write to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// An 8250 UART with I/O ports.
    Uart8250 {
        /// The first port.
        port: u16,
    },
    /// A PL011 UART, or the subset of one that Arm's SBSA defines. No x86 machine has one.
    Pl011 {
        /// Physical address of its registers.
        address: u64,
    },
}

impl Console {
    /// Ports of `ttyS0` to `ttyS3` on a PC.
    const PC_PORTS: [u16; 4] = [0x3f8, 0x2f8, 0x3e8, 0x2e8];

    /// The console in a value of `console=` or `earlycon=`: `ttyS0,115200`,
    /// `uart8250,io,0x3f8,115200` or `pl011,mmio32,0x9000000`.
    pub(crate) fn from_console(value: &[u8]) -> Option<Self> {
        let mut fields = value.split(|byte| *byte == b',');
        let device = fields.next()?;
        if let Some(number) = device.strip_prefix(b"ttyS") {
            return Self::from_tty_number(number);
        }
        if matches!(device, b"uart" | b"uart8250") && fields.next()? == b"io" {
            return Self::from_port(fields.next()?);
        }
        if device == b"pl011" {
            return Self::from_pl011(fields);
        }
        None
    }

    /// The console in the fields after `pl011,`: its address, with or without the width of
    /// accesses.
    fn from_pl011<'a>(mut fields: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let address = match fields.next()? {
            b"mmio" | b"mmio32" => fields.next()?,
            address => address,
        };
        let digits = core::str::from_utf8(address.strip_prefix(b"0x")?).ok()?;
        let address = u64::from_str_radix(digits, 16).ok()?;
        Some(Self::Pl011 { address })
    }

    /// The console in a value of `earlyprintk=`: `serial,ttyS0,115200`, `serial,0x3f8`, `ttyS0`
    /// or `serial` alone.
    fn from_earlyprintk(value: &[u8]) -> Option<Self> {
        let mut fields = value.split(|byte| *byte == b',');
        let device = fields.next()?;
        if let Some(number) = device.strip_prefix(b"ttyS") {
            return Self::from_tty_number(number);
        }
        if device != b"serial" {
            return None;
        }
        match fields.next() {
            None => Self::from_tty_number(b"0"),
            Some(device) if device.starts_with(b"0x") => Self::from_port(device),
            Some(device) => Self::from_tty_number(device.strip_prefix(b"ttyS").unwrap_or(device)),
        }
    }

    fn from_tty_number(number: &[u8]) -> Option<Self> {
        let number: usize = core::str::from_utf8(number).ok()?.parse().ok()?;
        let port = *Self::PC_PORTS.get(number)?;
        Some(Self::Uart8250 { port })
    }

    fn from_port(port: &[u8]) -> Option<Self> {
        let digits = core::str::from_utf8(port.strip_prefix(b"0x")?).ok()?;
        let port = u16::from_str_radix(digits, 16).ok()?;
        Some(Self::Uart8250 { port })
    }
}

/// The serial port that the last `console=`, `earlycon=` or `earlyprintk=` of one names.
///
/// Consoles of other kinds on the command line are ignored.
pub fn find_console(command_line: &[u8]) -> Option<Console> {
    settings(command_line)
        .filter_map(|(name, value)| match name {
            b"console" | b"earlycon" => Console::from_console(value),
            b"earlyprintk" => Console::from_earlyprintk(value),
            _ => None,
        })
        .last()
}
