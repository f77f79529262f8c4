// SPDX-License-Identifier: GPL-2.0

//! Kernel images that can be loaded on arm64.

use crate::refusal::Refusal;
use core::arch::asm;
use kexec_core::{
    image::{
        arm64::{
            arm64_image::{
                self,
                COMMAND_LINE_MAX, //
            },
            kernel::Kernel,
            verify::{
                EntryConditions,
                PageSizes, //
            }, //
        },
        unpack::Inner,
        Verified, //
    },
    types::ranges::Range,
    uapi::Decompression, //
};

/// A kernel image that was found fit for this machine.
pub(crate) type Image<'a> = Verified<Kernel<'a>>;

/// Which page sizes this CPU has (Arm ARM, "ID_AA64MMFR0_EL1").
fn page_sizes() -> PageSizes {
    let features: u64;
    // SAFETY: Reading an identification register has no effect.
    unsafe { asm!("mrs {}, id_aa64mmfr0_el1", out(reg) features, options(nomem, nostack)) };
    let field = |shift: u32| (features >> shift) & 0xf;
    // TGran4 and TGran64 say "not there" with all ones, TGran16 with 0.
    PageSizes {
        kib4: field(28) != 0xf,
        kib16: field(20) != 0,
        kib64: field(24) != 0xf,
    }
}

/// Whether kernels of this architecture have another one in them. A bzImage is refused as it is.
pub(crate) const HAVE_INNER_KERNELS: bool = false;

/// Checks a kernel image and whether it can be entered on this machine from `region`.
pub(crate) fn verify<'a>(
    file: &'a [u8],
    _inner: Inner<'a>,
    _command_line: &[u8],
    region: Range,
) -> Result<(Image<'a>, Decompression), Refusal> {
    let conditions = EntryConditions {
        page_sizes: page_sizes(),
        region,
    };
    let image = Kernel::parse(file)?.verify(&conditions)?;
    Ok((image, Decompression::None))
}

/// The same for a kernel that a reboot enters.
pub(crate) use self::verify as verify_for_reboot;

/// The longest command line that the image takes, in bytes.
pub(crate) fn command_line_limit(_image: &Image<'_>) -> u32 {
    COMMAND_LINE_MAX
}

/// Where the initrd has to lie, for a kernel in this memory.
pub(crate) fn initrd_limit(_image: &Image<'_>, kernel: Range) -> Range {
    arm64_image::initrd_limit(kernel)
}
