// SPDX-License-Identifier: GPL-2.0

//! Kernel images that can be loaded on x86_64.

use super::port;
use crate::{
    refusal::Refusal,
    sys::physical, //
};
use kexec_core::{
    image::{
        unpack::Inner,
        x86_64::{
            kernel::Kernel,
            payload::Parameters,
            protocol::BootProtocol,
            verify::EntryConditions, //
        },
        Verified, //
    },
    types::ranges::Range,
    uapi::Decompression, //
};

/// A kernel image that was found fit for this machine.
pub(crate) type Image<'a> = Verified<Kernel<'a>>;

/// CR4.LA57: 5-level paging.
const CR4_LA57: u64 = 1 << 12;

/// Whether the running kernel pages with five levels, which the handover cannot change.
pub(crate) fn five_level_paging() -> bool {
    port::read_cr4() & CR4_LA57 != 0
}

/// Whether kernels of this architecture have another one in them.
pub(crate) const HAVE_INNER_KERNELS: bool = true;

/// Checks a kernel image and whether it, or the one in it, can be entered on this machine from
/// `region`.
pub(crate) fn verify<'a>(
    file: &'a [u8],
    inner: Inner<'a>,
    command_line: &[u8],
    region: Range,
) -> Result<(Image<'a>, Decompression), Refusal> {
    let conditions = EntryConditions {
        five_level_paging: five_level_paging(),
        region,
    };
    let parameters = Parameters::read(command_line);
    let (kernel, decompression) = Kernel::parse(file)?.or_inner(inner, parameters, &conditions);
    Ok((kernel.verify(&conditions)?, decompression))
}

/// The same for a kernel that a reboot enters. One with KASLR chooses its addresses itself, in a bzImage's own
/// code; with `nokaslr` on the command line that need not run.
pub(crate) fn verify_for_reboot<'a>(
    file: &'a [u8],
    inner: Inner<'a>,
    command_line: &[u8],
    region: Range,
) -> Result<(Image<'a>, Decompression), Refusal> {
    let inner = match Parameters::read(command_line).nokaslr {
        true => inner,
        false => Inner::Compressed(Decompression::RandomAddresses),
    };
    verify(file, inner, command_line, region)
}

/// The longest command line that the image takes, in bytes.
pub(crate) fn command_line_limit(image: &Image<'_>) -> u32 {
    image.command_line_max()
}

/// Where the initrd has to lie.
pub(crate) fn initrd_limit(image: &Image<'_>, _kernel: Range) -> Range {
    image.initrd_limit()
}

/// The running kernel's top page table.
pub(super) fn running_top_table() -> *const kexec_core::handover::x86_64::page_tables::Table {
    const ADDRESS: u64 = 0x000f_ffff_ffff_f000;
    physical::direct_map_address(port::read_cr3() & ADDRESS).cast()
}
