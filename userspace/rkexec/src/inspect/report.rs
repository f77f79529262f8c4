// SPDX-License-Identifier: GPL-2.0

//! Reports of inspected files, for people and as JSON.

use std::{
    fmt,
    path::Path, //
};

use kexec_core::{
    error::Error,
    types::size::Size, //
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::Address,
    status::When,
    UNKNOWN, //
};

/// All files' reports, in the order in which the files were named.
#[derive(Debug, Serialize)]
pub struct Reports(pub Vec<Report>);

/// The report of one file. Unknown facts are null.
#[derive(Debug, Serialize)]
pub struct Report {
    file: String,
    /// The formats, from the outside in; the last is the kernel's own.
    pub formats: Vec<&'static str>,
    pub architecture: Option<&'static str>,
    pub version: Option<String>,
    pub needs: Option<Needs>,
    /// When a load would decompress it, on a kernel that has all decompressors.
    pub decompression: Option<When>,
    pub signature: Option<Signature>,
    /// The reason for which the file would be refused.
    pub refusal: Option<Refusal>,
    /// Whether it is refused because it could not be read.
    #[serde(skip)]
    unreadable: bool,
}

impl Report {
    /// A report that says nothing yet.
    pub fn new(path: &Path) -> Self {
        Self {
            file: path.display().to_string(),
            formats: Vec::new(),
            architecture: None,
            version: None,
            needs: None,
            decompression: None,
            signature: None,
            refusal: None,
            unreadable: false,
        }
    }

    /// A report of a file that could not be read.
    pub fn unreadable(path: &Path, failure: &Failure) -> Self {
        Self {
            refusal: Some(Refusal::new(failure.sentence(), failure.errno_name())),
            unreadable: true,
            ..Self::new(path)
        }
    }

    /// The exit status for this file. The program's is the largest of all.
    pub fn exit_status(&self) -> u8 {
        match &self.refusal {
            None => 0,
            Some(_) if self.unreadable => UNKNOWN,
            Some(_) => 1,
        }
    }
}

/// A kernel's demands on a machine.
#[derive(Debug, Serialize)]
pub struct Needs {
    pub memory_len: u64,
    pub alignment: Address,
    /// Distance of the start from the multiple of the alignment below it.
    pub alignment_offset: Address,
    /// The lowest address that it can be loaded at.
    pub from: Address,
    pub command_line_max: u32,
    /// The highest address of the initrd, unless it can be anywhere.
    pub initrd_max: Option<Address>,
    pub boot_protocol: Option<String>,
    pub above_4g: Option<bool>,
    /// Whether it can be entered with 5-level paging.
    pub five_level_paging: Option<bool>,
    pub page_size: Option<u64>,
    /// Whether it can use memory below itself.
    pub anywhere: Option<bool>,
}

impl Default for Needs {
    fn default() -> Self {
        Self {
            memory_len: 0,
            alignment: Address(0),
            alignment_offset: Address(0),
            from: Address(0),
            command_line_max: 0,
            initrd_max: None,
            boot_protocol: None,
            above_4g: None,
            five_level_paging: None,
            page_size: None,
            anywhere: None,
        }
    }
}

/// The signature of a file. Whether its key is trusted is not known here.
#[derive(Debug, Serialize)]
pub struct Signature {
    pub signers: Vec<Signer>,
    /// Whether the file is the one that was signed.
    pub digest_matches: bool,
}

/// A signer of a file.
#[derive(Debug, Default, Serialize)]
pub struct Signer {
    pub subject: Option<String>,
    pub issuer: Option<String>,
    pub serial: Option<String>,
    pub digest_algorithm: String,
    pub not_before: Option<String>,
    pub not_after: Option<String>,
}

/// The reason for which a file would be refused.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    sentence: String,
    errno: String,
}

impl Refusal {
    /// A refusal that is not `kexec_core`'s.
    pub fn new(sentence: impl Into<String>, errno: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            errno: errno.into(),
        }
    }

    /// The sentence.
    pub fn into_sentence(self) -> String {
        self.sentence
    }
}

impl<E: Into<Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        let error = error.into();
        Self::new(error.to_string(), error.errno().name())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::new(format!("{} ({})", refusal.sentence, refusal.errno))
    }
}

impl fmt::Display for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, report) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            report.fmt(f)?;
        }
        Ok(())
    }
}

/// Writes a line for each value that there is.
macro_rules! lines {
    ($f:expr, $($name:literal => $value:expr),* $(,)?) => {
        $(
            if let Some(value) = &$value {
                writeln!($f, "{:<14}{value}", $name)?;
            }
        )*
    };
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<14}{}", "file", self.file)?;
        let formats = (!self.formats.is_empty()).then(|| self.formats.join(", in it "));
        lines!(f,
            "format" => formats,
            "architecture" => self.architecture,
            "version" => self.version,
        );
        if let Some(needs) = &self.needs {
            needs.fmt(f)?;
        }
        lines!(f, "decompress" => self.decompression);
        match &self.signature {
            Some(signature) => signature.fmt(f)?,
            None if self.needs.is_some() => writeln!(f, "{:<14}no", "signed")?,
            None => {}
        }
        match &self.refusal {
            Some(refusal) => {
                writeln!(
                    f,
                    "{:<14}{} ({})",
                    "refused", refusal.sentence, refusal.errno
                )
            }
            None => writeln!(f, "{:<14}no", "refused"),
        }
    }
}

impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<14}{}", "memory", Size(self.memory_len))?;
        if self.alignment_offset.0 != 0 {
            write!(f, ", {} above", self.alignment_offset)?;
        } else {
            write!(f, " at")?;
        }
        write!(f, " a multiple of {}", self.alignment)?;
        if self.from.0 != 0 {
            write!(f, " from {} on", self.from)?;
        }
        writeln!(f)?;
        let yes = |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" });
        lines!(f,
            "command line" => Some(format_args!("{} bytes at most", self.command_line_max)),
            "initrd" => self.initrd_max.map(|max| format!("up to {max}")),
            "protocol" => self.boot_protocol,
            "above 4 GiB" => yes(self.above_4g),
            "5 levels" => yes(self.five_level_paging),
            "page size" => self.page_size.map(|len| format!("{} KiB", len >> 10)),
            "anywhere" => yes(self.anywhere),
        );
        Ok(())
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for signer in &self.signers {
            let valid = signer.not_before.as_ref().zip(signer.not_after.as_ref());
            lines!(f,
                "signed by" => signer.subject,
                "  issuer" => signer.issuer,
                "  serial" => signer.serial,
                "  digest" => Some(&signer.digest_algorithm),
                "  valid" => valid.map(|(from, to)| format!("{from} to {to}")),
            );
        }
        let matches = match self.digest_matches {
            true => "is the file that was signed (the key is not checked here)",
            false => "is not the file that was signed",
        };
        writeln!(f, "{:<14}{matches}", "contents")
    }
}
