// SPDX-License-Identifier: GPL-2.0

//! Starting a program that stays, and hearing from it that it is ready.

use std::{
    io::{
        self,
        BufRead,
        BufReader,
        Read, //
    },
    process::{
        Command,
        ExitStatus,
        Stdio, //
    },
    sync::mpsc::channel,
    thread,
    time::Duration, //
};

use serde::Serialize;

use super::{
    foreground::number,
    TEXT_MAX, //
};

/// How long the first line is awaited unless the request says.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A program in the background.
#[derive(Debug, Serialize)]
pub struct Started {
    /// Its process id.
    pub pid: u32,
    /// The first line that it printed; `None` when none came in time.
    pub line: Option<String>,
}

enum First {
    Line(String),
    Ended(io::Result<ExitStatus>),
}

/// Starts `argv` and waits for its first line, but not beyond `timeout`. Its standard error is
/// the agent's own.
pub fn spawn(argv: &[String], timeout: Option<Duration>) -> Result<Started, String> {
    let [program, arguments @ ..] = argv else {
        return Err("an argv needs a program".into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot execute {program}: {error}"))?;
    let pid = child.id();
    let stdout = child.stdout.take();

    let (sender, first) = channel();
    thread::spawn(move || {
        let mut line = Vec::new();
        let mut stdout = stdout.map(BufReader::new);
        if let Some(stdout) = &mut stdout {
            // An unreadable pipe is one that has ended.
            let _ = stdout.take(TEXT_MAX).read_until(b'\n', &mut line);
        }
        if !line.is_empty() {
            let text = String::from_utf8_lossy(&line).trim_end().to_owned();
            let _ = sender.send(First::Line(text));
        }
        if let Some(stdout) = &mut stdout {
            // A program that goes on printing must not find the pipe full or closed.
            let _ = io::copy(stdout, &mut io::sink());
        }
        let _ = sender.send(First::Ended(child.wait()));
    });

    match first.recv_timeout(timeout.unwrap_or(PATIENCE)) {
        Ok(First::Line(line)) => Ok(Started {
            pid,
            line: Some(line),
        }),
        Ok(First::Ended(Ok(status))) => Err(format!(
            "{program} ended with status {} before it printed a line",
            number(status)
        )),
        Ok(First::Ended(Err(error))) => Err(format!("cannot wait for {program}: {error}")),
        Err(_) => Ok(Started { pid, line: None }),
    }
}
