// SPDX-License-Identifier: GPL-2.0

//! Makes a target of what is written from front to back.

use std::{
    collections::BTreeMap,
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
    header,
    record_header,
    END,
    HEADER_LEN,
    RECORD_HEADER_LEN, //
};
use crate::target::Target;

/// Writes that are shorter wait for others that belong beside them.
const SHORT: usize = 256 << 10;

/// How many bytes wait.
const WAITING_LEN: usize = 1 << 20;

/// A file that is written in the flattened form.
///
/// crash inserts each record into a sorted list, from its end on, and so takes long for many that are far
/// from their place. The pages ascend as they are. Their descriptors, which belong far below, come
/// between them in long pieces.
#[derive(Debug)]
pub struct Flattened<W> {
    state: Mutex<State<W>>,
}

#[derive(Debug)]
struct State<W> {
    out: W,
    /// The bytes that were written.
    len: u64,
    /// The records that were written.
    records: u64,
    /// Short writes, by offset. Those that touch are one.
    waiting: BTreeMap<u64, Vec<u8>>,
    waiting_len: usize,
    /// Whether there is a record for the first byte.
    has_first: bool,
    /// What replaces that record.
    first: Option<Vec<u8>>,
}

impl<W: Write + Send> Flattened<W> {
    /// Writes the header.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&header())?;
        let state = Mutex::new(State {
            out,
            len: HEADER_LEN as u64,
            records: 0,
            waiting: BTreeMap::new(),
            waiting_len: 0,
            has_first: false,
            first: None,
        });
        Ok(Self { state })
    }

    fn lock(&self) -> io::Result<MutexGuard<'_, State<W>>> {
        // A thread that panicked may have left half a record.
        self.state.lock().map_err(|_| io::ErrorKind::Other.into())
    }

    /// How many bytes were written.
    pub fn written(&self) -> io::Result<u64> {
        self.lock().map(|state| state.len)
    }

    /// Writes what waits and the mark of the end, and returns what it was written to.
    pub fn finish(self) -> io::Result<W> {
        let state = self.state.into_inner();
        let mut state = state.map_err(|_| io::ErrorKind::Other)?;
        state.flush()?;
        if let Some(first) = state.first.take() {
            for _ in 0..copies(state.records) {
                state.record(0, &first)?;
            }
        }
        state.out.write_all(&record_header(END, END))?;
        state.out.flush()?;
        Ok(state.out)
    }
}

/// How often a record for the first byte has to be there again to be the one that crash finds, after so
/// many records of which the first was for that byte as well.
///
/// crash puts a record before all that have its offset in a list, so that the old one comes after the
/// copies of the new one. Then it looks at the middle of the list, at the middle of what is before
/// that, and so on, until a record has the byte (`store_flat_data_array`, `read_flattened_format`).
/// That must not be the old one. Other readers take the last one.
fn copies(records: u64) -> u64 {
    let finds_new = |copies: &u64| {
        let mut middle = (records + copies) / 2;
        while middle > *copies {
            middle /= 2;
        }
        middle != *copies
    };
    (1..).find(finds_new).unwrap_or(1)
}

impl<W: Write> State<W> {
    fn record(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let signed = i64::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.out
            .write_all(&record_header(signed, bytes.len() as i64))?;
        self.out.write_all(bytes)?;
        self.len += (RECORD_HEADER_LEN + bytes.len()) as u64;
        self.records += 1;
        Ok(())
    }

    /// Writes what waits, in ascending order.
    fn flush(&mut self) -> io::Result<()> {
        self.waiting_len = 0;
        for (offset, bytes) in std::mem::take(&mut self.waiting) {
            self.record(offset, &bytes)?;
        }
        Ok(())
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        if offset == 0 && self.has_first {
            self.first = Some(bytes.to_vec());
            return Ok(());
        }
        if offset == 0 {
            // It goes first, so that what is cut off has a header.
            self.has_first = true;
            return self.record(offset, bytes);
        }
        if bytes.len() >= SHORT {
            return self.record(offset, bytes);
        }
        let end = offset + bytes.len() as u64;
        self.waiting_len += bytes.len();
        let mut before = self.waiting.range_mut(..offset);
        match before.next_back() {
            Some((start, held)) if start + held.len() as u64 == offset => {
                held.extend(bytes);
                let start = *start;
                // It may have closed a gap.
                if let Some(next) = self.waiting.remove(&end) {
                    self.waiting.entry(start).or_default().extend(next);
                }
            }
            _ => {
                let mut held = bytes.to_vec();
                held.extend(self.waiting.remove(&end).unwrap_or_default());
                self.waiting.insert(offset, held);
            }
        }
        match self.waiting_len >= WAITING_LEN {
            true => self.flush(),
            false => Ok(()),
        }
    }
}

impl<W: Write + Send> Target for Flattened<W> {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.lock()?.write_at(offset, bytes)
    }

    /// What no record has is zeros.
    fn clear(&self, _offset: u64, _len: u64) -> io::Result<()> {
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.lock()?;
        state.flush()?;
        state.out.flush()
    }
}
