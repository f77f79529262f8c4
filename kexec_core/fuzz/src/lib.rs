// SPDX-License-Identifier: GPL-2.0

//! Targets for a fuzzer. Each gives its input to one of `kexec_core`'s parsers, or to a reader of dumps.
//! It panics if the parser does, or if an accepted value does not keep its type's promises.

mod dump;
mod dump_file;
mod handover;
mod kernel;
mod kernel_memory;

/// One thing that is fed with bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The target's name, and that of its folder in the corpus.
    pub name: &'static str,
    /// Reads an input.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    target("arm64_image", kernel::arm64_image),
    target("authenticode", kernel::authenticode),
    target("bzimage", kernel::bzimage),
    target("command_line", handover::command_line),
    target("compressed", kernel::compressed),
    target("compressed_file", dump_file::compressed_file),
    target("crashkernel", handover::crashkernel),
    target("elf_core", dump_file::elf_core),
    target("elf_kernel", kernel::elf_kernel),
    target("elfcorehdr", dump::elfcorehdr),
    target("fdt", handover::fdt),
    target("flattened", dump_file::flattened),
    target("format", kernel::format),
    target("iomem", handover::iomem),
    target("kdump_compressed", dump::kdump_compressed),
    target("kernel_pages", kernel_memory::kernel_pages),
    target("note", dump::note),
    target("payload", kernel::payload),
    target("pe", kernel::pe),
    target("plan", handover::plan),
    target("report", dump::report),
    target("typed_vmcoreinfo", kernel_memory::typed_vmcoreinfo),
    target("uki", kernel::uki),
    target("vmcore", dump::vmcore),
    target("vmcoreinfo", dump::vmcoreinfo),
    target("zboot", kernel::zboot),
];

const fn target(name: &'static str, run: fn(&[u8])) -> Target {
    Target { name, run }
}

/// Takes a number off the front of an input; 0 where it has ended.
fn take_u64(input: &mut &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = input.len().min(bytes.len());
    let (front, rest) = input.split_at(len);
    bytes[..len].copy_from_slice(front);
    *input = rest;
    u64::from_le_bytes(bytes)
}
