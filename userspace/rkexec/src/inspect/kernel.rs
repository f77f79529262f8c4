// SPDX-License-Identifier: GPL-2.0

//! A kernel of either architecture, and the facts in its headers.

use kexec_core::{
    image::{
        arm64::{
            self,
            arm64_image::{
                initrd_limit,
                COMMAND_LINE_MAX, //
            },
            verify::PageSizes, //
        },
        format::Format,
        unpack::Inner,
        write,
        x86_64::{
            self,
            payload::Parameters,
            protocol::BootProtocol, //
        },
        KernelImage, //
    },
    plan::{
        Placement,
        Placer, //
    },
    types::{
        elf::{
            Architecture,
            Header, //
        },
        ranges::Range, //
    },
    uapi::Decompression, //
};

use super::report::{
    Needs,
    Refusal, //
};
use crate::output::Address;

/// The start of every kernel's banner, before the release.
const BANNER: &[u8] = b"Linux version ";
/// Longest banner that is shown.
const BANNER_LEN_MAX: usize = 256;

/// A recognised kernel.
pub enum Kernel<'a> {
    X86_64(x86_64::kernel::Kernel<'a>),
    Arm64(arm64::kernel::Kernel<'a>),
}

impl<'a> Kernel<'a> {
    /// Reads the headers of an unpacked kernel.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Refusal> {
        let format = Format::detect(bytes)?;
        let e_machine = Header::decode(bytes).map_or(0, |header| header.machine);
        let is_arm64 = match format {
            Format::Elf => e_machine == Architecture::Arm64.e_machine(),
            format => format == Format::Arm64Image,
        };
        Ok(match is_arm64 {
            true => Self::Arm64(arm64::kernel::Kernel::parse(bytes)?),
            false => Self::X86_64(x86_64::kernel::Kernel::parse(bytes)?),
        })
    }

    /// The architecture's name.
    pub fn architecture(&self) -> &'static str {
        match self.machine() {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
        }
    }

    /// The machine that it is for.
    pub fn machine(&self) -> Architecture {
        match self {
            Self::X86_64(_) => Architecture::X86_64,
            Self::Arm64(_) => Architecture::Arm64,
        }
    }

    /// The release and how it was built, from the header or from the kernel's own banner.
    pub fn version(&self, bytes: &[u8]) -> Option<String> {
        if let Self::X86_64(x86_64::kernel::Kernel::BzImage(image)) = self {
            return image.kernel_version().map(str::to_owned);
        }
        let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
        let start = (0..bytes.len())
            .find(|at| bytes[*at..].starts_with(BANNER) && digit(at + BANNER.len()))?;
        let banner = bytes[start + BANNER.len()..].iter().take(BANNER_LEN_MAX);
        let banner = banner.take_while(|byte| matches!(byte, b' '..=b'~'));
        let banner: String = banner.map(|byte| char::from(*byte)).collect();
        Some(banner.trim_end().to_owned())
    }

    /// The longest command line, without the NUL.
    pub fn command_line_max(&self) -> u32 {
        match self {
            Self::X86_64(kernel) => kernel.command_line_max(),
            Self::Arm64(_) => COMMAND_LINE_MAX,
        }
    }

    /// The addresses that the initrd may have if the kernel is in `memory`.
    pub fn initrd_limit(&self, memory: Range) -> Range {
        match self {
            Self::X86_64(kernel) => kernel.initrd_limit(),
            Self::Arm64(_) => initrd_limit(memory),
        }
    }

    /// The kernel that is entered: this one, or the one that was found in it.
    pub fn or_inner(
        self,
        inner: Inner<'a>,
        command_line: &[u8],
        region: Range,
    ) -> (Self, Decompression) {
        match self {
            Self::X86_64(kernel) => {
                let parameters = Parameters::read(command_line);
                let conditions = x86_64_conditions(region);
                let (kernel, decompression) = kernel.or_inner(inner, parameters, &conditions);
                (Self::X86_64(kernel), decompression)
            }
            Self::Arm64(_) => (self, Decompression::None),
        }
    }

    /// Verifies the kernel for a machine with all optional features, and places it.
    pub fn place(&self, placer: &mut Placer, region: Range) -> Result<Range, Refusal> {
        let placed = match self {
            Self::X86_64(kernel) => {
                let verified = kernel.verify(&x86_64_conditions(region))?;
                placer.place_kernel(&verified, Placement::Lowest)
            }
            Self::Arm64(kernel) => {
                let conditions = arm64::verify::EntryConditions {
                    page_sizes: PageSizes {
                        kib4: true,
                        kib16: true,
                        kib64: true,
                    },
                    region,
                };
                let verified = kernel.verify(&conditions)?;
                placer.place_kernel(&verified, Placement::Lowest)
            }
        };
        Ok(placed?.memory)
    }

    /// What a load copies to the kernel's memory.
    pub fn contents(&self) -> Option<Vec<u8>> {
        match self {
            Self::X86_64(kernel) => contents(kernel),
            Self::Arm64(kernel) => contents(kernel),
        }
    }

    /// The kernel's demands on a machine.
    pub fn needs(&self) -> Needs {
        let mut needs = match self {
            Self::X86_64(kernel) => Needs::of(kernel),
            Self::Arm64(kernel) => Needs::of(kernel),
        };
        needs.command_line_max = self.command_line_max();
        match self {
            Self::X86_64(kernel) => {
                needs.initrd_max = kernel.initrd_max().map(Address);
                if let x86_64::kernel::Kernel::BzImage(image) = kernel {
                    let [major, minor] = image.version().to_be_bytes();
                    needs.boot_protocol = Some(format!("{major}.{minor:02}"));
                    needs.above_4g = Some(image.can_be_loaded_above_4g());
                    needs.five_level_paging = Some(image.supports_5level());
                }
            }
            Self::Arm64(kernel) => {
                needs.page_size = kernel.granule().map(|granule| granule.page_len());
                needs.anywhere = Some(kernel.can_be_loaded_anywhere());
            }
        }
        needs
    }
}

fn contents(kernel: &impl KernelImage) -> Option<Vec<u8>> {
    let mut memory = vec![0; usize::try_from(kernel.file_len()).ok()?];
    write(kernel, &mut memory).ok()?;
    Some(memory)
}

fn x86_64_conditions(region: Range) -> x86_64::verify::EntryConditions {
    x86_64::verify::EntryConditions {
        five_level_paging: false,
        region,
    }
}

impl Needs {
    /// The demands that every format states.
    fn of(kernel: &impl KernelImage) -> Self {
        Self {
            memory_len: kernel.memory_len(),
            alignment: Address(kernel.alignment()),
            alignment_offset: Address(kernel.alignment_offset()),
            from: Address(kernel.limit().start()),
            ..Self::default()
        }
    }
}
