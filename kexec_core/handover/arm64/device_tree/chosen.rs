// SPDX-License-Identifier: GPL-2.0

//! The properties of /chosen, and the limits of a device tree.

use crate::crashkernel::CMA_RANGES_MAX;

/// Longest device tree that an arm64 kernel reads
/// (`Documentation/arch/arm64/booting.rst` in the kernel's tree).
pub const TREE_LEN_MAX: usize = 2 << 20;
/// Alignment of the address of a device tree (likewise).
pub const TREE_ALIGNMENT: u64 = 8;

/// Most usable ranges that every kernel reads.
pub(super) const REGIONS_MAX: usize = 2;
/// Most usable ranges that a kernel of 6.17 or newer reads (MAX_USABLE_RANGES, `drivers/of/fdt.c`). An
/// older one uses the first.
pub(super) const USABLE_MAX: usize = REGIONS_MAX + CMA_RANGES_MAX;
pub(super) const CHOSEN: &str = "chosen";

// Properties of /chosen (`drivers/of/fdt.c`, `drivers/of/kexec.c` and `arch/arm64` in the kernel's
// tree read and write them).
pub(super) const ELFCOREHDR: &str = "linux,elfcorehdr";
pub(super) const USABLE_MEMORY_RANGE: &str = "linux,usable-memory-range";
pub(super) const INITRD_START: &str = "linux,initrd-start";
pub(super) const INITRD_END: &str = "linux,initrd-end";
pub(super) const BOOTARGS: &str = "bootargs";
pub(super) const KASLR_SEED: &str = "kaslr-seed";
pub(super) const RNG_SEED: &str = "rng-seed";
pub(super) const BOOTED_FROM_KEXEC: &str = "linux,booted-from-kexec";
pub(super) const IMA_KEXEC_BUFFER: &str = "linux,ima-kexec-buffer";

/// The properties that are written into /chosen. Those of the running kernel are dropped.
pub(super) const CHANGED: [&str; 8] = [
    ELFCOREHDR,
    USABLE_MEMORY_RANGE,
    INITRD_START,
    INITRD_END,
    BOOTARGS,
    KASLR_SEED,
    RNG_SEED,
    BOOTED_FROM_KEXEC,
];
/// Further properties that are dropped: they name memory in which an earlier kernel has left
/// something for the running one.
pub(super) const DROPPED: [&str; 4] = [
    IMA_KEXEC_BUFFER,
    "linux,kho-fdt",
    "linux,kho-scratch",
    "linux,dmcryptkeys",
];

/// The properties by which a kernel finds UEFI's tables and memory map (`drivers/firmware/efi/fdtparams.c`).
pub(super) const FIRMWARE: [&str; 5] = [
    "linux,uefi-system-table",
    "linux,uefi-mmap-start",
    "linux,uefi-mmap-size",
    "linux,uefi-mmap-desc-size",
    "linux,uefi-mmap-desc-ver",
];
