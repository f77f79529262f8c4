// SPDX-License-Identifier: GPL-2.0

//! Data that are compressed in blocks. The decompressor of these tests repeats each byte, so that the
//! framing is all that is tested.

use kexec_core::image::compressed::{
    Compressed,
    CompressedError,
    Compression, //
};

/// How often the decompressor repeats a byte.
const REPEATS: usize = 3;
/// What a block of LZ4 becomes at most.
const LZ4_BLOCK: usize = 8 << 20;
/// The flags of a file that the kernel's build has lzop make of its standard input.
const LZOP_FLAGS: u32 = 0x0300_000d;

fn repeat(block: &[u8], out: &mut [u8]) -> Option<usize> {
    let len = block.len() * REPEATS;
    let out = out.get_mut(..len)?;
    for (to, from) in out.chunks_mut(REPEATS).zip(block) {
        to.fill(*from);
    }
    Some(len)
}

fn repeated(block: &[u8]) -> Vec<u8> {
    block.iter().flat_map(|byte| [*byte; REPEATS]).collect()
}

const LZ4_MAGIC: [u8; 4] = [0x02, 0x21, 0x4c, 0x18];

fn lz4(blocks: &[&[u8]]) -> Vec<u8> {
    let mut frame = LZ4_MAGIC.to_vec();
    for block in blocks {
        frame.extend((block.len() as u32).to_le_bytes());
        frame.extend(*block);
    }
    frame
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1, 0);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn lzop_header(version: u16, flags: u32, name: &[u8]) -> Vec<u8> {
    let mut file = b"\x89LZO\0\r\n\x1a\n".to_vec();
    file.extend(version.to_be_bytes());
    file.extend([0x20, 0xa0, 0x09, 0x40, 3, 9]);
    file.extend(flags.to_be_bytes());
    file.extend([0; 12]);
    file.push(name.len() as u8);
    file.extend(name);
    file.extend([0x12, 0x34, 0x56, 0x78]);
    file
}

/// A block of lzop, and what is said to become of it.
fn lzop_block(block: &[u8], becomes: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    for number in [becomes.len() as u32, block.len() as u32, adler32(becomes)] {
        file.extend(number.to_be_bytes());
    }
    file.extend(block);
    file
}

fn lzop(blocks: &[&[u8]]) -> Vec<u8> {
    let mut file = lzop_header(0x1040, LZOP_FLAGS, b"");
    for block in blocks {
        file.extend(lzop_block(block, &repeated(block)));
    }
    file.extend([0; 4]);
    file
}

/// What `compressed` becomes, in memory of so many bytes.
fn decompress(compressed: &Compressed<'_>, room: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; room];
    let len = compressed.decompress_blocks(&mut out, repeat)?;
    out.truncate(len);
    Some(out)
}

#[test]
fn blocks_follow_each_other() {
    let blocks: [&[u8]; 3] = [b"the first", b"2", b"and the last"];
    let becomes = repeated(&blocks.concat());
    let (lz4, lzop) = (lz4(&blocks), lzop(&blocks));
    for compressed in [
        Compressed::lz4(&lz4).unwrap(),
        Compressed::lzo(&lzop).unwrap(),
    ] {
        let name = compressed.compression().name();
        for room in [becomes.len(), becomes.len() + 9] {
            let found = decompress(&compressed, room);
            assert_eq!(found.as_ref(), Some(&becomes), "{name}");
        }
        assert_eq!(decompress(&compressed, becomes.len() - 1), None, "{name}");
    }
    // Other data have no blocks.
    let xz = [b"\xfd7zXZ\0", &[0; 30][..]].concat();
    assert_eq!(decompress(&Compressed::xz(&xz).unwrap(), 99), None);
}

#[test]
fn frames_of_lz4_may_follow_each_other_and_end_early() {
    let frames = [lz4(&[b"ab"]), lz4(&[b"c"])].concat();
    for (after, becomes) in [
        (&b""[..], Some(repeated(b"abc"))),
        (&[1, 2, 3], Some(repeated(b"abc"))),
        (&[0; 9], Some(repeated(b"abc"))),
        (&[5, 0, 0, 0, 1], None),
        (&[0xff, 0xff, 0xff, 0xff, 1], None),
    ] {
        let frames = [&frames[..], after].concat();
        let compressed = Compressed::lz4(&frames).unwrap();
        assert_eq!(decompress(&compressed, 99), becomes, "{after:?}");
    }
    // A block becomes no more than 8 MiB, however long the memory is.
    for (len, fits) in [
        (LZ4_BLOCK / REPEATS, true),
        (LZ4_BLOCK / REPEATS + 1, false),
    ] {
        let frame = lz4(&[&vec![7; len]]);
        let compressed = Compressed::lz4(&frame).unwrap();
        assert_eq!(decompress(&compressed, 2 * LZ4_BLOCK).is_some(), fits);
    }
    // A decompressor that wrote more than there is room for is not believed.
    let frame = lz4(&[b"abc"]);
    let compressed = Compressed::lz4(&frame).unwrap();
    assert_eq!(
        compressed.decompress_blocks(&mut [0; 9], |_, _| Some(10)),
        None
    );
}

#[test]
fn a_block_of_lzop_has_two_lengths_and_a_checksum() {
    let file = |block: &[u8]| {
        let header = lzop_header(0x1040, LZOP_FLAGS, b"name");
        [&header[..], block, &[0; 4]].concat()
    };
    let stored = lzop_block(b"as it is", b"as it is");
    let good = lzop_block(b"abc", &repeated(b"abc"));
    let changed = |at: usize, byte: u8| {
        let mut block = good.clone();
        block[at] = byte;
        block
    };
    let long = vec![9; 256 << 10];
    let too_long = vec![9; (256 << 10) + 3];
    for (what, block, becomes) in [
        ("stored", stored, Some(b"as it is".to_vec())),
        ("good", good.clone(), Some(repeated(b"abc"))),
        ("another length than said", changed(3, 8), None),
        (
            "shorter than said",
            lzop_block(b"abc", &[&repeated(b"abc")[..], &[0]].concat()),
            None,
        ),
        ("another checksum", changed(8, 0x55), None),
        ("other contents", changed(12, b'z'), None),
        ("longer than the file", changed(7, 200), None),
        ("longer than what it becomes", changed(3, 2), None),
        ("no contents", lzop_block(b"", b"abc"), None),
        (
            "as long as can be",
            lzop_block(&long, &long),
            Some(long.clone()),
        ),
        ("too long", lzop_block(&too_long, &too_long), None),
    ] {
        let file = file(&block);
        let compressed = Compressed::lzo(&file).unwrap();
        assert_eq!(decompress(&compressed, 1 << 20), becomes, "{what}");
    }
    // Without an end the file was cut.
    let mut cut = file(&good);
    cut.truncate(cut.len() - 1);
    assert_eq!(decompress(&Compressed::lzo(&cut).unwrap(), 99), None);
}

#[test]
fn lzop_s_header_is_the_one_of_the_kernels_build() {
    let long = [b'x'; 255];
    for (version, flags, name, good) in [
        (0x1040, LZOP_FLAGS, &b""[..], true),
        (0x0940, 1, &long, true),
        (0x0930, 1, b"", false),
        (0x1040, 0, b"", false),
        (0x1040, 0x101, b"", false),
        (0x1040, 0x3, b"", false),
        (0x1040, 0x801, b"", false),
        (0x1040, 0x41, b"", false),
    ] {
        let header = lzop_header(version, flags, name);
        match Compressed::lzo(&header) {
            Ok(compressed) => {
                assert!(good, "{version:#x} {flags:#x}");
                assert_eq!(compressed.compression(), Compression::Lzo);
                assert_eq!(compressed.decompressed_len(), None);
                for len in 0..header.len() {
                    assert!(Compressed::lzo(&header[..len]).is_err());
                }
            }
            Err(error) => {
                assert!(!good, "{version:#x} {flags:#x}: {error}");
                assert_eq!(error, CompressedError::Lzop { version, flags });
                assert!(error.to_string().contains("compress it again"));
            }
        }
    }
}

#[test]
fn data_without_their_magic_number_are_refused() {
    for (found, name) in [
        (Compressed::xz(b"\xfd7zXY\0"), "xz"),
        (Compressed::lz4(b"\x02\x21\x4c\x19"), "lz4"),
        (Compressed::lzo(b"\x89LZP"), "lzo"),
    ] {
        let error = found.unwrap_err();
        assert!(matches!(error, CompressedError::Magic { .. }));
        assert!(error.to_string().contains(name), "{error}");
    }
    let short = Compressed::xz(b"\xfd7zXZ\0\0\x01").unwrap_err();
    assert!(matches!(short, CompressedError::TooShort { len: 8, .. }));
}
