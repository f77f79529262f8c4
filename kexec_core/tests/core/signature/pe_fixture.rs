// SPDX-License-Identifier: GPL-2.0

//! PE files, assembled from Microsoft's "PE Format": an MS-DOS header, the headers, and sections
//! one after the other. The numbers here are that text's, not the crate's.

use crate::fixture::put;

/// Where the MS-DOS header says that the PE header is.
pub const PE: usize = 0x80;
/// The optional header.
pub const OPTIONAL: usize = PE + 24;
/// The alignment of sections and headers.
pub const FILE_ALIGNMENT: usize = 0x200;

/// The parts of a file.
#[derive(Clone, Debug)]
pub struct PeFile {
    pub machine: u16,
    /// PE32+ rather than PE32.
    pub wide: bool,
    pub directories: u32,
    pub sections: Vec<(&'static [u8], Vec<u8>)>,
}

impl Default for PeFile {
    fn default() -> Self {
        Self {
            machine: 0x8664,
            wide: true,
            directories: 6,
            sections: vec![
                (b".text", (0..0x3a0).map(|at| (at / 3) as u8).collect()),
                (b".data", vec![0xd5; 0x200]),
                (b".bss", Vec::new()),
            ],
        }
    }
}

impl PeFile {
    /// Where the data directories start.
    pub fn directories_start(&self) -> usize {
        OPTIONAL + if self.wide { 112 } else { 96 }
    }

    /// Where the certificate table's data directory is.
    pub fn certificate_directory(&self) -> usize {
        self.directories_start() + 4 * 8
    }

    /// Where the section table starts.
    pub fn section_table(&self) -> usize {
        self.directories_start() + 8 * self.directories as usize
    }

    /// Length of the headers with their padding.
    pub fn headers_len(&self) -> usize {
        (self.section_table() + 40 * self.sections.len()).next_multiple_of(FILE_ALIGNMENT)
    }

    /// The file, without a signature.
    pub fn assemble(&self) -> Vec<u8> {
        let mut file = vec![0; self.headers_len()];
        put(&mut file, 0, b"MZ");
        put(&mut file, 0x3c, &(PE as u32).to_le_bytes());
        put(&mut file, PE, b"PE\0\0");
        put(&mut file, PE + 4, &self.machine.to_le_bytes());
        put(
            &mut file,
            PE + 6,
            &(self.sections.len() as u16).to_le_bytes(),
        );
        let optional_len = (self.section_table() - OPTIONAL) as u16;
        put(&mut file, PE + 20, &optional_len.to_le_bytes());
        put(&mut file, PE + 22, &0x206_u16.to_le_bytes());
        let (magic, count_at) = if self.wide {
            (0x20b_u16, 108)
        } else {
            (0x10b, 92)
        };
        put(&mut file, OPTIONAL, &magic.to_le_bytes());
        put(&mut file, OPTIONAL + 32, &0x1000_u32.to_le_bytes());
        put(
            &mut file,
            OPTIONAL + 36,
            &(FILE_ALIGNMENT as u32).to_le_bytes(),
        );
        put(
            &mut file,
            OPTIONAL + 60,
            &(self.headers_len() as u32).to_le_bytes(),
        );
        put(&mut file, OPTIONAL + 64, &0x1234_5678_u32.to_le_bytes());
        put(&mut file, OPTIONAL + 68, &10_u16.to_le_bytes());
        put(
            &mut file,
            OPTIONAL + count_at,
            &self.directories.to_le_bytes(),
        );

        for (index, (name, contents)) in self.sections.iter().enumerate() {
            let raw_len = contents.len().next_multiple_of(FILE_ALIGNMENT);
            let header = self.section_table() + 40 * index;
            let start = file.len();
            let address = 0x1000 * (index as u32 + 1);
            put(&mut file, header, name);
            put(
                &mut file,
                header + 8,
                &(contents.len() as u32).to_le_bytes(),
            );
            put(&mut file, header + 12, &address.to_le_bytes());
            if raw_len != 0 {
                put(&mut file, header + 16, &(raw_len as u32).to_le_bytes());
                put(&mut file, header + 20, &(start as u32).to_le_bytes());
            }
            file.extend_from_slice(contents);
            file.resize(start + raw_len, 0);
        }
        file
    }

    /// The file with this certificate table at its end.
    pub fn with_table(&self, table: &[u8]) -> Vec<u8> {
        let mut file = self.assemble();
        let at = file.len();
        put(
            &mut file,
            self.certificate_directory(),
            &[
                (at as u32).to_le_bytes(),
                (table.len() as u32).to_le_bytes(),
            ]
            .concat(),
        );
        file.extend_from_slice(table);
        file
    }
}

/// A `WIN_CERTIFICATE` entry, padded.
pub fn certificate(contents: &[u8]) -> Vec<u8> {
    let mut entry = ((contents.len() + 8) as u32).to_le_bytes().to_vec();
    entry.extend_from_slice(&0x0200_u16.to_le_bytes());
    entry.extend_from_slice(&2_u16.to_le_bytes());
    entry.extend_from_slice(contents);
    entry.resize(entry.len().next_multiple_of(8), 0);
    entry
}

/// A DER element.
pub fn der(tag: u8, contents: &[u8]) -> Vec<u8> {
    let len = contents.len();
    let length = match len {
        0..=0x7f => vec![len as u8],
        0x80..=0xff => vec![0x81, len as u8],
        0x100..=0xffff => vec![0x82, (len >> 8) as u8, len as u8],
        _ => vec![0x83, (len >> 16) as u8, (len >> 8) as u8, len as u8],
    };
    [&[tag][..], &length, contents].concat()
}
