// SPDX-License-Identifier: GPL-2.0

//! Archives, assembled from the kernel's buffer-format.rst.

const REGULAR: u32 = 0o100_644;
const FOLDER: u32 = 0o040_755;
/// A symbolic link.
pub const LINK: u32 = 0o120_777;

/// An archive without its last entry.
#[derive(Default)]
pub struct Archive(Vec<u8>);

impl Archive {
    /// Adds a file.
    pub fn file(self, name: &str, contents: &[u8]) -> Self {
        self.entry(name, REGULAR, contents)
    }

    /// Adds a folder.
    pub fn folder(self, name: &str) -> Self {
        self.entry(name, FOLDER, b"")
    }

    /// Adds whatever has this mode.
    pub fn entry(mut self, name: &str, mode: u32, contents: &[u8]) -> Self {
        let (len, name_len) = (contents.len(), name.len() + 1);
        let header = format!(
            "070701{:08x}{mode:08x}{0:08x}{0:08x}{1:08x}{0:08x}{len:08x}{0:08x}{0:08x}{0:08x}{0:08x}\
             {name_len:08x}{0:08x}{name}\0",
            0, 1
        );
        self.0.extend(header.bytes());
        self.pad();
        self.0.extend(contents);
        self.pad();
        self
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    /// Adds the last entry.
    pub fn end(self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, b"").0
    }
}
