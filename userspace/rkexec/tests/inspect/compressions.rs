// SPDX-License-Identifier: GPL-2.0

//! Compressions that only the kernel in a bzImage has. Their framings are assembled from "LZ4 Frame
//! Format Description", lzop's `src/conf.h` and "The .xz File Format".

use flate2::Crc;

/// The longest block of lzop.
const LZO_BLOCK: usize = 256 << 10;

/// What `lz4 -l` makes of less than 8 MiB.
pub fn lz4(contents: &[u8]) -> Vec<u8> {
    let block = lz4_flex::block::compress(contents);
    let len = (block.len() as u32).to_le_bytes();
    [&b"\x02\x21\x4c\x18"[..], &len, &block].concat()
}

/// What `lzop` makes of its standard input.
pub fn lzop(contents: &[u8]) -> Vec<u8> {
    let mut file = b"\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0\x09\x40\x03\x09\x03\0\0\x0d".to_vec();
    file.extend([0; 13 + 4]);
    for part in contents.chunks(LZO_BLOCK) {
        let block = lzo1x::compress(part, lzo1x::CompressLevel::default());
        // As it is, where it would become longer.
        let block = if block.len() < part.len() {
            &block
        } else {
            part
        };
        for number in [part.len() as u32, block.len() as u32, adler32(part)] {
            file.extend(number.to_be_bytes());
        }
        file.extend(block);
    }
    file.extend([0; 4]);
    file
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut a, mut b) = (1, 0);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    b << 16 | a
}

fn crc32(bytes: &[u8]) -> [u8; 4] {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum().to_le_bytes()
}

/// Pads to whole words.
fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// A number as the format has it: 7 bits in a byte, the lowest first.
fn variable(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// An xz file of one block, with the filters that the kernel's build uses: x86 branches, and LZMA2.
/// Its chunks are stored as they are. The filter leaves contents alone in which no 0xe8 or 0xe9 is
/// followed by an address.
pub fn xz(contents: &[u8]) -> Vec<u8> {
    const FLAGS: [u8; 2] = [0, 1];
    let mut file = b"\xfd7zXZ\0".to_vec();
    file.extend(FLAGS);
    file.extend(crc32(&FLAGS));

    let mut header = vec![0, 1, 0x04, 0, 0x21, 1, 0x16];
    pad(&mut header);
    header[0] = (header.len() / 4) as u8;
    header.extend(crc32(&header));
    let start = file.len();
    file.extend(header);
    for (index, chunk) in contents.chunks(1 << 16).enumerate() {
        file.push(if index == 0 { 1 } else { 2 });
        file.extend(((chunk.len() - 1) as u16).to_be_bytes());
        file.extend(chunk);
    }
    file.push(0);
    let unpadded_len = file.len() - start + 4;
    pad(&mut file);
    file.extend(crc32(contents));

    let mut index = vec![0, 1];
    index.extend(variable(unpadded_len));
    index.extend(variable(contents.len()));
    pad(&mut index);
    index.extend(crc32(&index));
    let mut footer = ((index.len() / 4 - 1) as u32).to_le_bytes().to_vec();
    footer.extend(FLAGS);
    file.extend(index);
    file.extend(crc32(&footer));
    file.extend(footer);
    file.extend(b"YZ");
    file
}
