// SPDX-License-Identifier: GPL-2.0

//! The properties of a kernel image that boot_params need.

use crate::{
    image::KernelImage,
    types::ranges::Range, //
};

/// A kernel that is entered with boot_params.
pub trait BootProtocol: KernelImage {
    /// Writes the setup header into a cleared page, at the offsets that it has in a bzImage.
    fn put_setup_header(&self, page: &mut [u8]);

    /// Whether the kernel can be entered with 5-level paging switched on. One that cannot, or does
    /// not tell, can be entered with four levels.
    fn supports_5level(&self) -> bool;

    /// The longest command line in bytes, without the NUL.
    fn command_line_max(&self) -> u32;

    /// The highest address that the initrd may occupy, unless it can be anywhere.
    fn initrd_max(&self) -> Option<u64>;

    /// The range in which the initrd can lie.
    fn initrd_limit(&self) -> Range {
        let end = self
            .initrd_max()
            .map_or(u64::MAX, |max| max.saturating_add(1));
        Range::new(0, end).unwrap_or(Range::ALL)
    }
}
