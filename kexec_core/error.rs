// SPDX-License-Identifier: GPL-2.0

//! The errors of all rooms in one, which keep their sentences and their errno.

use crate::{
    contiguous::Shortage,
    crashkernel::{
        RequestError,
        ReservationError, //
    },
    dump::{
        elfcorehdr::ElfcorehdrError,
        note::NoteError,
        vmcore::{
            excluded::ExcludedError,
            VmcoreError, //
        },
        vmcoreinfo::VmcoreinfoError, //
    },
    estimate::TooSmall,
    handover::{
        arm64 as arm64_handover,
        command_line::CommandLineError,
        x86_64::{
            boot_params::BootParamsError,
            page_tables::PageTableError, //
        }, //
    },
    image::{
        arm64,
        compressed::CompressedError,
        elf_kernel::ElfKernelError,
        format::FormatError,
        unpack::UnpackError,
        x86_64, //
    },
    plan::PlanError,
    scattered::ScatteredError,
    signature::{
        authenticode::AuthenticodeError,
        pe::PeError,
        PolicyError,
        SignatureError, //
    },
    types::{
        errno::wrap_errors,
        ranges::CapacityError, //
    },
    uapi::StructureError, //
};

wrap_errors! {
    /// Any error of this crate.
    pub enum Error {
        /// So much memory cannot be taken from the running kernel.
        Shortage(Shortage),
        /// Pages for an image cannot be arranged.
        Scattered(ScatteredError),
        /// `crashkernel=` asks for nothing.
        CrashkernelRequest(RequestError),
        /// There is no room for what `crashkernel=` asks for.
        CrashkernelReservation(ReservationError),
        /// The initrd has no room on the command line's terms.
        Estimate(TooSmall),
        /// A fixed-size list of ranges is full.
        Capacity(CapacityError),
        /// The file has no format that can be loaded.
        Format(FormatError),
        /// The ELF kernel is malformed.
        ElfKernel(ElfKernelError),
        /// The compressed kernel is malformed.
        Compressed(CompressedError),
        /// The kernel cannot be unpacked.
        Unpack(UnpackError),
        /// The kernel image is malformed.
        BzImage(x86_64::bzimage::BzImageError),
        /// The file is not an x86_64 kernel that can be loaded.
        X86_64Kernel(x86_64::kernel::KernelError),
        /// The kernel image does not suit this machine.
        X86_64Verify(x86_64::verify::VerifyError),
        /// The boot parameters cannot be built.
        BootParams(BootParamsError),
        /// The page tables for the handover cannot be built.
        PageTable(PageTableError),
        /// The file is not an arm64 kernel that can be loaded.
        Arm64Kernel(arm64::kernel::KernelError),
        /// The arm64 kernel image is malformed.
        Arm64Image(arm64::header::ImageError),
        /// The arm64 kernel image does not suit this machine.
        Arm64Verify(arm64::verify::VerifyError),
        /// The device tree is malformed.
        Fdt(arm64_handover::fdt::FdtError),
        /// The capture kernel's device tree cannot be made.
        DeviceTree(arm64_handover::device_tree::DeviceTreeError),
        /// The page tables for the handover cannot be built on arm64.
        Arm64PageTable(arm64_handover::page_tables::PageTableError),
        /// The file is not a PE file that could be signed.
        Pe(PeError),
        /// The signature does not vouch for the file.
        Authenticode(AuthenticodeError),
        /// The policy for signatures cannot be changed so.
        Policy(PolicyError),
        /// A signature is missing, or does not vouch for its file.
        Signature(SignatureError),
        /// A request's structure is of a version that is not understood.
        Structure(StructureError),
        /// A segment cannot be placed.
        Plan(PlanError),
        /// The command line cannot be used.
        CommandLine(CommandLineError),
        /// An ELF note is malformed.
        Note(NoteError),
        /// VMCOREINFO is malformed.
        Vmcoreinfo(VmcoreinfoError),
        /// The elfcorehdr is malformed.
        Elfcorehdr(ElfcorehdrError),
        /// The dump file cannot be laid out.
        Vmcore(VmcoreError),
        /// The list of excluded memory is malformed.
        Excluded(ExcludedError),
    }
}
