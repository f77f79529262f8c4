// SPDX-License-Identifier: GPL-2.0

//! The guest's end of the conversation with the host: one request, one reply, each a line of
//! JSON, over a virtio-serial port.
//!
//! | request | reply |
//! |---|---|
//! | `{"id":1,"run":["argv",…],"stdin":"…","timeout_s":9}` | `{"id":1,"status":0,"stdout":"…","stderr":"…"}` |
//! | `{"id":2,"spawn":["argv",…],"timeout_s":9}` | `{"id":2,"pid":7,"line":"…"}` |
//! | `{"id":3,"write":{"path":"…","data":"…"}}` | `{"id":3,"status":"writing"}`, then it writes |
//! | `{"id":4,"read":"path"}` | `{"id":4,"text":"…"}` |
//!
//! - The agent speaks first, each time the host connects:
//!   `{"event":"hello","role":"production","release":"6.12…","cpus_online":4}`. The role is
//!   `capture` in a kernel that was given the address of an elfcorehdr.
//! - Requests run one after another. `stdin` and `timeout_s` may be missing.
//! - The `status` of a run is the exit code, or the negative number of the signal that ended it.
//!   `"timed_out":true` stands with a program that was killed after `timeout_s`, and
//!   `"truncated":true` with output longer than [`TEXT_MAX`] or without an end. Text that is not UTF-8 comes with
//!   replacement characters.
//! - `line` is the first line that the background program printed, null when it printed none
//!   within `timeout_s` ([`background::PATIENCE`] unless given).
//! - The reply to a write leaves before the write, which may well be the guest's last. A write
//!   that fails is told by `{"event":"write failed","id":3,"error":"…"}`.
//! - What cannot be done is answered by `{"id":…,"error":"a sentence"}`.

pub mod background;
pub mod foreground;
pub mod kernel;
pub mod port;
pub mod protocol;

use std::{
    fs::{
        self,
        File, //
    },
    io::{
        self,
        BufRead,
        Read,
        Write, //
    },
    path::Path, //
};

use protocol::{
    Answer,
    Reply,
    Request,
    WriteFailed, //
};
use serde::Serialize;

/// Longest line that the host may send, in bytes.
pub const LINE_MAX: u64 = 4 << 20;

/// Most that is kept of an output or a file, in bytes.
pub const TEXT_MAX: u64 = 2 << 20;

/// Says hello and answers requests until the host hangs up.
///
/// On a virtio port, the hello waits until the host has connected.
pub fn converse(
    mut requests: impl BufRead,
    mut replies: impl Write,
    hello: &impl Serialize,
) -> io::Result<()> {
    send(&mut replies, hello)?;
    let mut line = Vec::new();
    while next_line(&mut requests, &mut line)? {
        match protocol::parse(&line) {
            Ok((id, request)) => answer(&mut replies, id, request)?,
            Err((id, error)) => send(&mut replies, &Reply::error(id, error))?,
        }
    }
    Ok(())
}

fn answer(replies: &mut impl Write, id: serde_json::Value, request: Request) -> io::Result<()> {
    let result = match request {
        Request::Run {
            argv,
            stdin,
            timeout,
        } => foreground::run(&argv, stdin, timeout).map(Answer::Ran),
        Request::Spawn { argv, timeout } => background::spawn(&argv, timeout).map(Answer::Started),
        Request::Read(path) => read(&path),
        Request::Write { path, data } => {
            // When write(2) returns, the line is in the device's queue and the host was notified.
            // The host takes it from the guest's memory even if no instruction follows.
            send(replies, &Reply::answer(id.clone(), Answer::writing()))?;
            return match fs::write(&path, data) {
                Ok(()) => Ok(()),
                Err(error) => send(replies, &WriteFailed::new(id, &path, &error)),
            };
        }
    };
    let reply = match result {
        Ok(answer) => Reply::answer(id, answer),
        Err(error) => Reply::error(id, error),
    };
    send(replies, &reply)
}

/// Reads the next line into `line`, which is longer than [`LINE_MAX`] when the line was; its rest
/// is skipped. `false` when the host hung up; a line that it did not finish is dropped.
fn next_line(requests: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    requests.take(LINE_MAX + 1).read_until(b'\n', line)?;
    if line.ends_with(b"\n") {
        return Ok(true);
    }
    if line.len() as u64 <= LINE_MAX {
        return Ok(false);
    }
    requests.skip_until(b'\n')?;
    Ok(true)
}

/// Sends one line in one piece.
fn send(replies: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    replies.write_all(&line)?;
    replies.flush()
}

fn read(path: &Path) -> Result<Answer, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(TEXT_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let truncated = bytes.len() as u64 > TEXT_MAX;
    bytes.truncate(TEXT_MAX as usize);
    Ok(Answer::Text {
        text: String::from_utf8_lossy(&bytes).into_owned(),
        truncated,
    })
}
