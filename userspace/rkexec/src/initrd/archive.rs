// SPDX-License-Identifier: GPL-2.0

//! The cpio archives of an initrd, as the kernel unpacks them
//! (Documentation/driver-api/early-userspace/buffer-format.rst, and init/initramfs.c).

use std::{
    collections::HashMap,
    io::{
        self,
        BufRead,
        Read, //
    }, //
};

/// Length of a header: the magic number and 13 fields of 8 digits.
const HEADER_LEN: usize = 6 + 13 * 8;
const ALIGNMENT: u64 = 4;
/// The magic numbers of the two formats that the kernel takes.
const MAGICS: [&[u8]; 2] = [b"070701", b"070702"];
/// The magic number of an older format, which it refuses.
const OLD_MAGIC: &[u8] = b"070707";

// The fields, counted from the magic number.
const MODE: usize = 1;
const FILE_LEN: usize = 6;
const NAME_LEN: usize = 11;

/// The longest name, with its NUL (PATH_MAX). The kernel skips files with longer ones.
const NAME_LEN_MAX: u64 = 4096;
/// The last entry of an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

const TYPE: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;
const LINK: u64 = 0o120_000;
/// The shortest target of a symbolic link that has a page of its own (SHORT_SYMLINK_LEN of mm/shmem.c).
const LINK_LEN_MIN: u64 = 128;

/// The most bytes that are kept of a program: where it says what interprets it.
const PROGRAM_LEN: u64 = 4096;
/// The start of the names of files that are kept whole.
const KEPT: &[u8] = b"rust_kexec.ko";
/// The bits of a mode that let a file be executed.
const EXECUTABLE: u64 = 0o111;
/// The most links that are followed (MAXSYMLINKS).
const LINKS_MAX: usize = 40;

/// A file, folder or link.
#[derive(Debug, Default)]
pub struct File {
    mode: u64,
    /// What it takes in memory.
    len: u64,
    /// Of a link where it leads to, of a program its start, of our module all, of others nothing.
    pub contents: Vec<u8>,
}

impl File {
    /// Whether it is a file that may be executed.
    pub fn is_program(&self) -> bool {
        self.mode & TYPE == REGULAR && self.mode & EXECUTABLE != 0
    }
}

/// What the archives leave in memory: each file by its name, without a slash before it. A file that comes
/// twice is there once, as the last one.
#[derive(Debug, Default)]
pub struct Files(HashMap<Vec<u8>, File>);

impl Files {
    /// Reads archives up to the end, or to a byte that begins none. Zeros may be between them.
    pub fn read(&mut self, input: &mut impl BufRead) -> Result<(), String> {
        while next(input)? == Some(b'0') {
            self.entry(input)?;
        }
        Ok(())
    }

    /// The number of files, directories and links.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// Their contents in whole pages.
    pub fn pages_len(&self, page_len: u64) -> u64 {
        let lens = self.0.values();
        let lens = lens.map(|file| file.len.next_multiple_of(page_len));
        lens.fold(0, u64::saturating_add)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.keys().map(Vec::as_slice)
    }

    /// The file that a path leads to. Links on the way are followed.
    pub fn find(&self, path: &[u8]) -> Option<&File> {
        let mut rest: Vec<Vec<u8>> = parts(path);
        let mut at: Vec<Vec<u8>> = Vec::new();
        let mut links = 0;
        while let Some(part) = rest.pop() {
            if part == b".." {
                at.pop();
                continue;
            }
            at.push(part);
            let Some(file) = self.0.get(&at.join(&b'/')) else {
                // An archive need not name its folders.
                continue;
            };
            if file.mode & TYPE == LINK {
                links += 1;
                if links > LINKS_MAX {
                    return None;
                }
                at.pop();
                if file.contents.starts_with(b"/") {
                    at.clear();
                }
                rest.extend(parts(&file.contents));
            }
        }
        self.0.get(&at.join(&b'/'))
    }

    fn entry(&mut self, input: &mut impl BufRead) -> Result<(), String> {
        let mut header = [0; HEADER_LEN];
        input.read_exact(&mut header).map_err(ended)?;
        if header.starts_with(OLD_MAGIC) {
            return Err(
                "is a cpio archive of the old format: pack it with cpio --format=newc".into(),
            );
        }
        if !MAGICS.iter().any(|magic| header.starts_with(magic)) {
            return Err("has a damaged cpio archive in it: build it again".into());
        }
        let field = |index: usize| {
            let digits = &header[6 + 8 * index..][..8];
            let digits = std::str::from_utf8(digits).ok();
            digits
                .and_then(|digits| u64::from_str_radix(digits, 16).ok())
                .ok_or("has a damaged cpio archive in it: build it again")
        };
        let (mode, file_len, name_len) = (field(MODE)?, field(FILE_LEN)?, field(NAME_LEN)?);

        let padded_name = (HEADER_LEN as u64 + name_len).next_multiple_of(ALIGNMENT);
        let mut name = Vec::new();
        let mut rest = input.take(padded_name - HEADER_LEN as u64);
        (&mut rest)
            .take(name_len.min(NAME_LEN_MAX))
            .read_to_end(&mut name)
            .map_err(ended)?;
        skip(&mut rest)?;
        name.truncate(
            name.iter()
                .position(|byte| *byte == 0)
                .unwrap_or(name.len()),
        );
        let mut contents = Vec::new();
        let mut rest = input.take(file_len.next_multiple_of(ALIGNMENT));
        (&mut rest)
            .take(kept(&name, mode).min(file_len))
            .read_to_end(&mut contents)
            .map_err(ended)?;
        skip(&mut rest)?;

        if name == TRAILER || name_len > NAME_LEN_MAX || name_len == 0 {
            return Ok(());
        }
        let len = match mode & TYPE {
            REGULAR => file_len,
            LINK if file_len >= LINK_LEN_MIN => file_len,
            _ => 0,
        };
        let path = name.strip_prefix(b"./").unwrap_or(&name);
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let file = File {
            mode,
            len,
            contents,
        };
        // Of the names of one file, one has the contents.
        self.0.insert(path.to_vec(), file);
        Ok(())
    }
}

/// The parts of a path, the last one first.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    let parts = path.split(|byte| *byte == b'/').rev();
    let parts = parts.filter(|part| !matches!(*part, b"" | b"."));
    parts.map(<[u8]>::to_vec).collect()
}

/// How many bytes are kept of a file.
fn kept(name: &[u8], mode: u64) -> u64 {
    let last = name.rsplit(|byte| *byte == b'/').next();
    match mode & TYPE {
        LINK => NAME_LEN_MAX,
        REGULAR if last.is_some_and(|last| last.starts_with(KEPT)) => u64::MAX,
        REGULAR if mode & EXECUTABLE != 0 => PROGRAM_LEN,
        _ => 0,
    }
}

/// The next byte that is not zero.
fn next(input: &mut impl BufRead) -> Result<Option<u8>, String> {
    loop {
        let bytes = input.fill_buf().map_err(ended)?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        let found = bytes.get(zeros).copied();
        let is_end = bytes.is_empty();
        input.consume(zeros);
        if found.is_some() || is_end {
            return Ok(found);
        }
    }
}

/// Reads to the end of what has a length.
fn skip<R: BufRead>(input: &mut io::Take<R>) -> Result<(), String> {
    io::copy(input, &mut io::sink()).map_err(ended)?;
    match input.limit() {
        0 => Ok(()),
        _ => Err(ended(io::ErrorKind::UnexpectedEof.into())),
    }
}

fn ended(error: io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "ends within a file of its archive: build it again".into(),
        _ => format!("cannot be decompressed ({error}): build it again"),
    }
}
