// SPDX-License-Identifier: GPL-2.0

//! What is known of a capture kernel.

use std::{
    io::Read,
    path::Path, //
};

use flate2::read::GzDecoder;
use kexec_core::{
    image::unpack::{
        Decompressed,
        Inner,
        Unpack, //
    },
    types::elf::Architecture, //
};

use super::{
    options,
    options_files, //
};
use crate::{
    doctor::{
        facts::Kernel as Facts,
        options::Options, //
    },
    estimate::{
        contains,
        of, //
    },
    initrd::Measured,
    inspect::{
        place,
        signature,
        unpack::{
            inner,
            unpack, //
        },
        Kernel,
        Refusal,
        REGION, //
    }, //
};

/// A kernel without CRASH_DUMP does not have the name of the parameter in it.
const ELFCOREHDR: &[u8] = b"elfcorehdr\0";
/// What fs/proc/vmcore.c says in the log.
const VMCORE: &[u8] = b"Core image elf header not found";
/// What is around the options in a kernel with IKCONFIG.
const IKCONFIG: [&[u8]; 2] = [b"IKCFG_ST", b"IKCFG_ED"];

/// A kernel that was unpacked.
pub struct Opened<'a> {
    unpacked: Unpack<'a>,
    inner: Inner<'a>,
}

impl<'a> Opened<'a> {
    /// Unpacks a kernel.
    pub fn open(file: &'a [u8], memory: &'a Decompressed<Vec<u8>>) -> Result<Self, Refusal> {
        let mut unpacked = Unpack::new(file);
        unpack(&mut unpacked, memory)?;
        let inner = inner(&unpacked, memory)?;
        Ok(Self { unpacked, inner })
    }

    /// Whether what a load copies of it is the right thing: of itself, or of the kernel in it.
    pub fn is(&self, command_line: Option<&[u8]>, right: impl Fn(&[u8]) -> bool) -> bool {
        let line = command_line.unwrap_or_default();
        [self.inner, Inner::None].into_iter().any(|inner| {
            let kernel = Kernel::parse(self.unpacked.bytes()).ok();
            let kernel = kernel.map(|kernel| kernel.or_inner(inner, line, REGION).0);
            let contents = kernel.and_then(|kernel| kernel.contents());
            contents.is_some_and(|contents| right(&contents))
        })
    }

    /// How much memory it needs.
    pub fn needed(
        &self,
        initrd: &Measured,
        command_line: &[u8],
        cpus: u64,
        tool_len: u64,
    ) -> Result<u64, String> {
        let found = of(
            &self.unpacked,
            self.inner,
            initrd,
            Some(command_line),
            cpus,
            tool_len,
        );
        found
            .map(|found| found.estimate.crashkernel())
            .map_err(|failure| failure.sentence().into())
    }

    /// The initrd in a unified kernel image.
    pub fn initrd(&self) -> Option<&'a [u8]> {
        self.unpacked.initrd()
    }

    fn bytes(&self) -> Option<&'a [u8]> {
        match self.inner {
            Inner::Decompressed(bytes) => Some(bytes),
            Inner::None => Some(self.unpacked.bytes()),
            Inner::Compressed(_) => None,
        }
    }

    /// The machines that it is for, the release, and whether there is a signature.
    fn check(&self, command_line: Option<&[u8]>) -> Result<Checked, Refusal> {
        let kernel = Kernel::parse(self.unpacked.bytes())?;
        let version = kernel.version(self.unpacked.bytes());
        let release = version.and_then(|text| text.split(' ').next().map(Into::into));
        let signed = match signature(&self.unpacked)? {
            None => false,
            Some(found) => {
                found.checked?;
                true
            }
        };
        let line = command_line.unwrap_or_default();
        let (kernel, _) = kernel.or_inner(self.inner, line, REGION);
        place(&kernel, REGION, None, line)?;
        Ok(Checked {
            architecture: kernel.machine(),
            release,
            signed,
        })
    }
}

/// What is known of a kernel that can be loaded.
struct Checked {
    architecture: Architecture,
    release: Option<String>,
    signed: bool,
}

/// The facts about a kernel.
pub fn facts(
    path: &Path,
    opened: Result<Opened<'_>, Refusal>,
    command_line: Option<&[u8]>,
) -> Facts {
    let mut facts = Facts {
        path: path.display().to_string(),
        refusal: None,
        signed: false,
        release: None,
        architecture: None,
        knows_elfcorehdr: None,
        has_vmcore: None,
        options: None,
    };
    let checked = opened.and_then(|opened| {
        let checked = opened.check(command_line)?;
        Ok((checked, opened.bytes()))
    });
    let (checked, bytes) = match checked {
        Ok(found) => found,
        Err(refusal) => {
            facts.refusal = Some(refusal.into_sentence());
            return facts;
        }
    };
    facts.signed = checked.signed;
    facts.architecture = Some(checked.architecture);
    facts.knows_elfcorehdr = bytes.map(|bytes| contains(bytes, ELFCOREHDR));
    facts.has_vmcore = bytes.map(|bytes| contains(bytes, VMCORE));
    let own = bytes
        .and_then(own_options)
        .map(|found| (facts.path.clone(), found));
    facts.options = own.or_else(|| options(options_files(checked.release.as_deref()?)));
    facts.release = checked.release;
    facts
}

/// The options that a kernel has in it.
fn own_options(kernel: &[u8]) -> Option<Options> {
    let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|part| part == what);
    if !contains(kernel, IKCONFIG[0]) {
        return None;
    }
    let start = find(kernel, IKCONFIG[0])? + IKCONFIG[0].len();
    let rest = kernel.get(start..)?;
    let packed = rest.get(..find(rest, IKCONFIG[1])?)?;
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).ok()?;
    Some(Options::parse(&text))
}
