// SPDX-License-Identifier: GPL-2.0

//! A target that notes the digest of what goes through it.

use std::{
    io::{
        self,
        Write, //
    },
    sync::{
        Mutex,
        MutexGuard, //
    }, //
};

use super::{
    Line,
    DIGEST,
    VERSION, //
};
use crate::target::Target;

/// A target, and the manifest of what is written there.
#[derive(Debug)]
pub struct Noted<T, W> {
    target: T,
    lines: Mutex<Lines<W>>,
}

#[derive(Debug)]
struct Lines<W> {
    out: W,
    /// The end of the last chunk.
    end: u64,
}

impl<W: Write> Lines<W> {
    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.out.write_all(&text)
    }
}

impl<T: Target, W: Write + Send> Noted<T, W> {
    /// Writes the first line.
    pub fn new(target: T, out: W) -> io::Result<Self> {
        let mut lines = Lines { out, end: 0 };
        lines.write(&Line::Head {
            manifest: VERSION,
            digest: DIGEST.into(),
        })?;
        let lines = Mutex::new(lines);
        Ok(Self { target, lines })
    }

    fn lock(&self) -> io::Result<MutexGuard<'_, Lines<W>>> {
        // A thread that panicked may have left half a line.
        self.lines.lock().map_err(|_| io::ErrorKind::Other.into())
    }

    /// Writes the last line, and returns what the lines were written to.
    pub fn finish(self) -> io::Result<W> {
        let lines = self.lines.into_inner();
        let mut lines = lines.map_err(|_| io::ErrorKind::Other)?;
        let end = lines.end;
        lines.write(&Line::End { end })?;
        lines.out.flush()?;
        Ok(lines.out)
    }
}

impl<T: Target, W: Write + Send> Target for Noted<T, W> {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.target.write_at(offset, bytes)?;
        let len = bytes.len() as u64;
        let line = Line::Chunk {
            offset,
            len,
            blake3: blake3::hash(bytes).to_hex().to_string(),
        };
        let mut lines = self.lock()?;
        lines.end = lines.end.max(offset.saturating_add(len));
        lines.write(&line)
    }

    fn clear(&self, offset: u64, len: u64) -> io::Result<()> {
        self.target.clear(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.target.sync()?;
        self.lock()?.out.flush()
    }
}
