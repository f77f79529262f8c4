// SPDX-License-Identifier: GPL-2.0

//! Targets for kernel images and their signatures.

#[path = "../../tests/core/image/promises.rs"]
mod promises;

use kexec_core::{
    error::Error,
    handover::x86_64::boot_params::{
        BootParams,
        BOOT_PARAMS_LEN, //
    },
    image::{
        self,
        arm64::{
            self,
            verify::PageSizes, //
        },
        compressed::{
            Compressed,
            DECOMPRESSED_LEN_MAX, //
        },
        format::Format,
        uki::Uki,
        unpack::Inner,
        x86_64::{
            self,
            bzimage::BzImage, //
        },
        zboot::Zboot,
        KernelImage, //
    },
    signature::{
        authenticode::{
            signed_contents,
            IndirectData, //
        },
        pe::PeImage, //
    },
    types::ranges::Range,
    uapi::Decompression, //
};

use crate::take_u64;

/// A gigabyte below 4 GiB, which fits most kernels.
fn region() -> Range {
    Range::new(1 << 30, 2 << 30).unwrap_or(Range::ALL)
}

fn x86_64_conditions(five_level_paging: bool) -> x86_64::verify::EntryConditions {
    x86_64::verify::EntryConditions {
        five_level_paging,
        region: region(),
    }
}

fn arm64_conditions() -> arm64::verify::EntryConditions {
    arm64::verify::EntryConditions {
        page_sizes: PageSizes {
            kib4: true,
            kib16: false,
            kib64: true,
        },
        region: region(),
    }
}

/// Checks the promises of every image, and writes it to memory that is long enough.
fn check_image<T: KernelImage>(kernel: &T) {
    promises::keeps_promises(kernel);
    assert!(kernel.entry_offset() < kernel.memory_len());
    let end = kernel.file_len();
    let mut memory = vec![0xaa; end.min(1 << 16) as usize];
    let written = image::write(kernel, &mut memory);
    assert_eq!(written.is_ok(), memory.len() as u64 == end);
}

/// A bzImage, and boot_params for it.
pub fn bzimage(input: &[u8]) {
    let Ok(image) = BzImage::parse(input) else {
        return;
    };
    let _ = (image.kernel_version(), image.payload());
    for five_level_paging in [false, true] {
        if let Ok(image) = image.verify(&x86_64_conditions(five_level_paging)) {
            // The entry point of a short image can be in the zeroed part.
            assert!(image.file_len() <= image.memory_len());
            let mut page = [0; BOOT_PARAMS_LEN];
            let mut params = BootParams::new(&mut page, &image);
            let _ = params.set_initrd(region());
        }
    }
}

/// The length of the bzImage, the command line's parameters, a bzImage, and what its payload becomes.
pub fn payload(mut input: &[u8]) {
    let len = take_u64(&mut input) as usize % (input.len() + 1);
    let flags = take_u64(&mut input);
    let (file, inner) = input.split_at(len.min(input.len()));
    let parameters = x86_64::payload::Parameters {
        no5lvl: flags & 1 != 0,
        mem_encrypt: flags & 2 != 0,
        nokaslr: flags & 4 != 0,
    };
    let Ok(bzimage) = BzImage::parse(file) else {
        return;
    };
    match x86_64::payload::find(&bzimage) {
        Ok(Ok(compressed)) => {
            check_compressed(&compressed);
            assert!(compressed.decompressed_len().is_some());
        }
        Ok(Err(reason)) => assert!(reason.reason().is_some()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let kernel = x86_64::kernel::Kernel::BzImage(bzimage);
    for five_level_paging in [false, true] {
        let conditions = x86_64_conditions(five_level_paging);
        let (taken, decompression) =
            kernel.or_inner(Inner::Decompressed(inner), parameters, &conditions);
        // The decompressed kernel is taken only where it can be entered.
        if decompression == Decompression::AtLoad {
            check_image(&taken);
            assert!(taken.verify(&conditions).is_ok());
        }
    }
}

/// An Image.
pub fn arm64_image(input: &[u8]) {
    if let Ok(image) = arm64::arm64_image::Image::parse(input) {
        check_image(&image);
        let _ = image.verify(&arm64_conditions());
    }
}

/// An ELF file, as a kernel for either architecture.
pub fn elf_kernel(input: &[u8]) {
    if let Ok(kernel) = x86_64::vmlinux::Vmlinux::parse(input) {
        check_image(&kernel);
        let _ = kernel.verify(&x86_64_conditions(false));
    }
    if let Ok(kernel) = arm64::vmlinux::Vmlinux::parse(input) {
        check_image(&kernel);
        let _ = kernel.verify(&arm64_conditions());
    }
}

/// Any file.
pub fn format(input: &[u8]) {
    match Format::detect(input) {
        Ok(format) => assert_eq!(Format::of(input), Some(format)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let refusals = [
        x86_64::kernel::Kernel::parse(input).err().map(Error::from),
        arm64::kernel::Kernel::parse(input).err().map(Error::from),
    ];
    for error in refusals.into_iter().flatten() {
        assert!(!error.to_string().is_empty());
    }
}

/// A PE file.
pub fn pe(input: &[u8]) {
    let image = match PeImage::parse(input) {
        Ok(image) => image,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    for section in image.sections() {
        let raw = section.raw();
        assert_eq!(image.contents(&section).len() as u64, raw.end - raw.start);
        let _ = section.name().to_string();
    }
    if let Ok(ranges) = image.digest_ranges() {
        let mut at = 0;
        for range in ranges {
            assert!(at <= range.start && range.start <= range.end);
            at = range.end;
        }
        let rest = &input[at..];
        assert_eq!(rest.is_empty(), image.signature().is_none());
    }
}

/// The contents that a signature signs.
pub fn authenticode(input: &[u8]) {
    if let Ok(contents) = signed_contents(input) {
        assert!(contents.len() < input.len());
    }
    match IndirectData::parse(input) {
        Ok(data) => {
            assert_eq!(data.digest().len(), data.algorithm().digest_len());
            assert!(data.check(data.digest()).is_ok());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_compressed(compressed: &Compressed<'_>) {
    let len = compressed.decompressed_len();
    assert!(len.is_none_or(|len| (1..=DECOMPRESSED_LEN_MAX).contains(&len)));
    // A decompressor that fills what it is given, and one that claims more.
    let mut out = [0; 1 << 12];
    let filled = compressed.decompress_blocks(&mut out, |block, out| {
        assert!(!block.is_empty());
        out.fill(block[0]);
        Some(out.len())
    });
    assert!(filled.is_none_or(|len| len <= out.len()));
    let _ = compressed.decompress_blocks(&mut out, |_, out| out.len().checked_add(1));
}

/// The framings of all compressions.
pub fn compressed(input: &[u8]) {
    for found in [
        Compressed::gzip(input),
        Compressed::zstd(input),
        Compressed::xz(input),
        Compressed::lz4(input),
        Compressed::lzo(input),
    ] {
        match found {
            Ok(compressed) => check_compressed(&compressed),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// An EFI zboot image.
pub fn zboot(input: &[u8]) {
    match Zboot::parse(input) {
        Ok(image) => check_compressed(image.payload()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// A unified kernel image.
pub fn uki(input: &[u8]) {
    match Uki::parse(input) {
        Ok(image) => assert!(!image.linux().is_empty()),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
