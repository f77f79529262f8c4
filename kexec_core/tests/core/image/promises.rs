// SPDX-License-Identifier: GPL-2.0

//! The promises of every kernel image, for the tests and for the fuzz targets.

use kexec_core::image::KernelImage;

/// Checks the properties that a plan relies on.
pub fn keeps_promises(kernel: &impl KernelImage) {
    let mut end = 0;
    for piece in kernel.pieces() {
        assert!(piece.offset >= end);
        end = piece.end();
    }
    assert_eq!(end, kernel.file_len());
    assert!(end <= kernel.memory_len());
    assert!(kernel.alignment().is_power_of_two());
}
