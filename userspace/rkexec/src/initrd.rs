// SPDX-License-Identifier: GPL-2.0

//! An initrd, unpacked as the kernel unpacks it, for the length of its files and for what can be said of
//! them. Few of them are kept.

pub mod archive;

use std::{
    fmt::Display,
    io::{
        self,
        BufRead,
        BufReader,
        Read, //
    }, //
};

use flate2::bufread::GzDecoder;
use kexec_core::{
    estimate::Initrd,
    image::compressed::{
        BZIP2_MAGIC,
        DECOMPRESSED_LEN_MAX,
        GZIP_MAGIC,
        LZ4_MAGIC,
        LZMA_MAGIC,
        LZOP_MAGIC,
        XZ_MAGIC,
        ZSTD_MAGIC, //
    }, //
};
use ruzstd::decoding::StreamingDecoder;
use xz4rust::{
    XzDecoder,
    DICT_SIZE_MIN, //
};

use crate::failure::Failure;
use archive::Files;

/// What a block of LZ4's legacy frame becomes at most.
const LZ4_BLOCK_MAX: usize = 8 << 20;

/// What was found.
#[derive(Debug, Default)]
pub struct Measured {
    packed_len: u64,
    window_len: u64,
    /// How its archives are compressed, in their order.
    pub compressions: Vec<&'static str>,
    /// Its files.
    pub files: Files,
}

impl Measured {
    /// The lengths, for pages of a length.
    pub fn lens(&self, page_len: u64) -> Initrd {
        Initrd {
            packed_len: self.packed_len,
            files_len: self.files.pages_len(page_len),
            file_count: self.files.count(),
            window_len: self.window_len,
        }
    }
}

/// Unpacks an initrd. `name` is for sentences.
pub fn measure(name: &str, bytes: &[u8]) -> Result<Measured, Failure> {
    let mut found = Unpacked::default();
    found
        .all(bytes)
        .map_err(|sentence| Failure::new(format!("the initrd {name} {sentence}")))?;
    Ok(Measured {
        packed_len: bytes.len() as u64,
        window_len: found.window_len,
        compressions: found.compressions,
        files: found.files,
    })
}

#[derive(Default)]
struct Unpacked {
    files: Files,
    window_len: u64,
    compressions: Vec<&'static str>,
}

impl Unpacked {
    /// Unpacks one archive after the other, each compressed in its own way or not at all.
    fn all(&mut self, bytes: &[u8]) -> Result<(), String> {
        let mut rest = bytes;
        if rest.is_empty() {
            return Err("is empty: build it again".into());
        }
        loop {
            let zeros = rest.iter().take_while(|byte| **byte == 0).count();
            rest = &rest[zeros..];
            if rest.is_empty() {
                return Ok(());
            }
            let before = rest.len();
            let offset = bytes.len() - before;
            if rest.starts_with(b"0") && offset % 4 != 0 {
                return Err(format!(
                    "has an archive at offset {offset:#x}, where the kernel does not look for one: put \
                     zeros before it, up to a multiple of 4"
                ));
            }
            self.next(&mut rest)?;
            if rest.len() == before {
                return Err("has bytes in it that begin no archive: build it again".into());
            }
        }
    }

    /// Unpacks the archives at the start of `rest`, up to where another compression begins.
    fn next(&mut self, rest: &mut &[u8]) -> Result<(), String> {
        if rest.starts_with(b"0") {
            self.compressions.push("none");
            return self.files.read(rest);
        }
        if rest.starts_with(GZIP_MAGIC) {
            self.compressions.push("gzip");
            let mut reader = BufReader::new(GzDecoder::new(*rest));
            self.whole(&mut reader)?;
            *rest = reader.into_inner().into_inner();
            return Ok(());
        }
        if rest.starts_with(&ZSTD_MAGIC.to_le_bytes()) {
            self.compressions.push("zstd");
            let window = zstd_window(rest);
            let decoder = StreamingDecoder::new(&mut *rest).map_err(damaged)?;
            self.window(window.unwrap_or_else(|| decoder.decoder.content_size()));
            return self.whole(&mut BufReader::new(decoder));
        }
        if rest.starts_with(XZ_MAGIC) {
            self.compressions.push("xz");
            self.window(xz_dictionary(rest).unwrap_or_default());
            let mut reader = BufReader::new(Xz::new(rest));
            self.whole(&mut reader)?;
            *rest = reader.into_inner().input;
            return Ok(());
        }
        if rest.starts_with(&LZ4_MAGIC.to_le_bytes()) {
            self.compressions.push("lz4");
            self.window(LZ4_BLOCK_MAX as u64);
            let mut reader = BufReader::new(Lz4::new(rest));
            self.whole(&mut reader)?;
            *rest = reader.into_inner().input;
            return Ok(());
        }
        let name = [
            (BZIP2_MAGIC, "bzip2"),
            (LZMA_MAGIC, "lzma"),
            (LZOP_MAGIC, "lzop"),
        ]
        .into_iter()
        .find_map(|(magic, name)| rest.starts_with(magic).then_some(name));
        Err(match name {
            Some(name) => format!(
                "is compressed by {name}, which is not unpacked here: compress it by zstd, xz, gzip or lz4"
            ),
            None => "has bytes in it that begin no archive: build it again".into(),
        })
    }
}

impl Unpacked {
    /// Unpacks what was decompressed, which has nothing but archives.
    fn whole(&mut self, reader: &mut impl BufRead) -> Result<(), String> {
        self.files.read(reader)?;
        match reader.fill_buf().map_err(damaged)?.is_empty() {
            true => Ok(()),
            false => {
                Err("has something else than archives compressed in it: build it again".into())
            }
        }
    }

    /// One decompressor runs after the other.
    fn window(&mut self, len: u64) {
        self.window_len = self.window_len.max(len);
    }
}

fn damaged(error: impl Display) -> String {
    format!("cannot be decompressed ({error}): build it again")
}

/// The window in a zstd frame's header (RFC 8878, section 3.1.1.1.2); none where it is the whole content.
fn zstd_window(frame: &[u8]) -> Option<u64> {
    const SINGLE_SEGMENT: u8 = 1 << 5;
    let [descriptor, window] = *frame.get(4..)?.first_chunk()?;
    let base = 1_u64 << (10 + (window >> 3));
    (descriptor & SINGLE_SEGMENT == 0).then_some(base + base / 8 * u64::from(window & 7))
}

/// The dictionary of an xz stream's first block ("The .xz File Format", sections 3.1 and 5.3.1).
fn xz_dictionary(stream: &[u8]) -> Option<u64> {
    const STREAM_HEADER_LEN: usize = 12;
    const LZMA2: u64 = 0x21;
    let [_, flags] = *stream.get(STREAM_HEADER_LEN..)?.first_chunk()?;
    let mut rest = stream.get(STREAM_HEADER_LEN + 2..)?;
    let number = |rest: &mut &[u8]| {
        let mut value = 0;
        for shift in (0..63).step_by(7) {
            let (byte, after) = rest.split_first()?;
            *rest = after;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    };
    // Lengths that the header may have.
    for _ in 0..(flags >> 6).count_ones() {
        number(&mut rest)?;
    }
    for _ in 0..=flags & 3 {
        let id = number(&mut rest)?;
        let len = number(&mut rest)?.min(rest.len() as u64) as usize;
        let (properties, after) = rest.split_at(len);
        rest = after;
        if let (LZMA2, [bits]) = (id, properties) {
            return (*bits <= 40).then(|| (2 | u64::from(bits & 1)) << (bits / 2 + 11));
        }
    }
    None
}

/// Decompresses an xz stream.
struct Xz<'a> {
    decoder: Box<XzDecoder<'static>>,
    input: &'a [u8],
    ended: bool,
}

impl<'a> Xz<'a> {
    fn new(input: &'a [u8]) -> Self {
        let max = DECOMPRESSED_LEN_MAX as usize;
        Self {
            decoder: XzDecoder::in_heap_with_alloc_dict_size(DICT_SIZE_MIN, max),
            input,
            ended: false,
        }
    }
}

impl Read for Xz<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while !self.ended {
            let result = self.decoder.decode(self.input, out);
            let result = result.map_err(io::Error::other)?;
            self.input = &self.input[result.input_consumed()..];
            self.ended = result.is_end_of_stream();
            match result.output_produced() {
                0 if !self.ended && !result.made_progress() => {
                    return Err(io::Error::other("it ends too early"))
                }
                0 => {}
                len => return Ok(len),
            }
        }
        Ok(0)
    }
}

/// Decompresses blocks of LZ4's legacy frame, up to a length of 0 or the end.
struct Lz4<'a> {
    input: &'a [u8],
    block: Vec<u8>,
    read: usize,
}

impl<'a> Lz4<'a> {
    fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            block: Vec::new(),
            read: 0,
        }
    }

    /// Decompresses the next block, if there is one.
    fn next(&mut self) -> io::Result<bool> {
        while let Some((len, rest)) = self.input.split_first_chunk::<4>() {
            let len = u32::from_le_bytes(*len);
            if len == LZ4_MAGIC {
                self.input = rest;
                continue;
            }
            if len == 0 {
                return Ok(false);
            }
            let block = rest.get(..len as usize);
            let block = block.ok_or_else(|| io::Error::other("it ends too early"))?;
            self.input = &rest[len as usize..];
            self.block.resize(LZ4_BLOCK_MAX, 0);
            let len = lz4_flex::block::decompress_into(block, &mut self.block);
            self.block.truncate(len.map_err(io::Error::other)?);
            self.read = 0;
            return Ok(true);
        }
        Ok(false)
    }
}

impl Read for Lz4<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.block.len() {
            if !self.next()? {
                return Ok(0);
            }
        }
        let len = (&self.block[self.read..]).read(out)?;
        self.read += len;
        Ok(len)
    }
}
