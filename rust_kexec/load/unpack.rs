// SPDX-License-Identifier: GPL-2.0

//! Kernels within kernels: memory and a decompressor for `kexec_core::image::unpack`.

use super::signature::Trusted;
use crate::{
    arch::image,
    compat::prelude::*,
    refusal::{
        FileError,
        Refusal, //
    },
    sys::decompress, //
};
use kexec_core::{
    image::{
        compressed::{
            Compressed,
            CompressedError,
            DECOMPRESSED_LEN_MAX, //
        },
        format::Format,
        unpack::{
            Decompressed,
            Inner,
            Step,
            Unpack, //
        }, //
    },
    uapi::Decompression, //
};

/// How much longer than the compressed kernel the first buffer is, where nothing tells a length.
const GUESS: usize = 4;

/// How much longer than its place an ELF kernel can be: it has gaps between its segments, and
/// relocations after them, which are not loaded.
const ELF_EXCESS: u64 = 2;

/// The decompressed contents of a file. They live as long as the file does.
pub(super) type Buffers = Decompressed<Buffer>;

/// Decompressed data at the start of memory that may be longer.
pub(super) struct Buffer {
    memory: KVVec<u8>,
    len: usize,
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }
}

/// The parts of a file that the policy let through.
pub(super) struct Unpacked<'a> {
    /// The kernel, in a format that is loaded as it is.
    pub(super) kernel: Trusted<'a>,
    /// The kernel that is in that one.
    pub(super) inner: Inner<'a>,
    /// The initrd that came within the file.
    pub(super) initrd: Option<&'a [u8]>,
    /// The command line that came within the file.
    pub(super) command_line: Option<&'a [u8]>,
}

impl<'a> Unpacked<'a> {
    /// Has the policy judge a file by a `detached` signature or by the one in it, and unpacks it. `limit`
    /// is how long a kernel can be that fits its place.
    #[inline(never)]
    pub(super) fn new(
        file: &'a [u8],
        detached: Option<&[u8]>,
        buffers: &'a Buffers,
        limit: u64,
    ) -> Result<Self, Refusal> {
        let mut unpack = Unpack::new(file);
        let decompress = |compressed: &Compressed<'_>| decompress(compressed, limit);
        // A file that was signed and then compressed has its signature within. Nothing but the decompressor
        // sees it before it is judged.
        let is_compressed = Format::of(file).is_some_and(Format::is_compressed_file);
        if is_compressed && detached.is_none() {
            unpack.step(buffers, decompress)?;
        }
        let file = Trusted::new(unpack.whole(), detached)?;
        while unpack.step(buffers, decompress)? == Step::Decompressed {}
        let inner = match image::HAVE_INNER_KERNELS {
            true => unpack.inner(buffers, |compressed| decompress_inner(compressed, limit))?,
            false => Inner::None,
        };
        Ok(Self {
            kernel: file.part(unpack.bytes()),
            inner,
            initrd: unpack.initrd(),
            command_line: unpack.command_line(),
        })
    }
}

/// Decompresses the kernel in a bzImage, or says why it stays compressed. Damaged data are refused:
/// the bzImage's own code could do no more with them.
fn decompress_inner(
    compressed: &Compressed<'_>,
    limit: u64,
) -> Result<Result<Buffer, Decompression>, Refusal> {
    let reason = match decompress(compressed, limit.saturating_mul(ELF_EXCESS)) {
        Ok(buffer) => return Ok(Ok(buffer)),
        Err(Refusal::File(FileError::NoDecompressor { .. })) => Decompression::NoDecompressor,
        Err(Refusal::File(FileError::DecompressedLength { .. })) => Decompression::NoRoom,
        Err(Refusal::OutOfMemory) => Decompression::OutOfMemory,
        Err(refusal) => return Err(refusal),
    };
    Ok(Err(reason))
}

fn decompress(compressed: &Compressed<'_>, limit: u64) -> Result<Buffer, Refusal> {
    let compression = compressed.compression();
    let limit = limit.min(DECOMPRESSED_LEN_MAX) as usize;
    let told = compressed.decompressed_len().map(|len| len as usize);
    let guess = compressed.data().len().saturating_mul(GUESS).min(limit);
    let mut capacity = told.unwrap_or(guess);
    loop {
        if capacity > limit {
            return Err(FileError::DecompressedLength { limit }.into());
        }
        let mut memory = KVVec::new();
        memory.extend_with(capacity, 0, GFP_KERNEL)?;
        match decompress::decompress(compressed, &mut memory) {
            Ok(len) => return Ok(Buffer { memory, len }),
            Err(error) if error == ENOSPC && told.is_none() && capacity < limit => {
                capacity = capacity.saturating_mul(2).min(limit);
            }
            Err(error) if error == ENOSPC && told.is_none() => {
                return Err(FileError::DecompressedLength { limit }.into())
            }
            Err(error) if error.to_errno() == -kexec_core::types::errno::Errno::NoPkg.number() => {
                let by = compression.name();
                return Err(FileError::NoDecompressor { by }.into());
            }
            Err(error) if error == ENOMEM => return Err(Refusal::OutOfMemory),
            _ => return Err(CompressedError::Damaged { compression }.into()),
        }
    }
}
