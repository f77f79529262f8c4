// SPDX-License-Identifier: GPL-2.0

//! Reading the dump, in a process of its own, with the memory that programs which save it allocate.

use std::{
    ffi::OsString,
    fs::{
        self,
        File, //
    },
    hint::black_box,
    io::Read,
    os::unix::process::CommandExt,
    process::{
        Command,
        Stdio, //
    }, //
};

use crate::{
    processes::VMCORE,
    NAME,
    READ, //
};

/// How much is read at once.
const BUFFER_LEN: usize = 1 << 20;

/// Reads the dump in another process, and returns how many bytes there were.
pub fn in_other_process(tool_len: u64) -> Result<u64, String> {
    let output = Command::new("self/exe")
        .arg0(NAME)
        .arg(READ)
        .arg(tool_len.to_string())
        // Our own, which has ended; our view of files may have no /dev/null.
        .stdin(Stdio::inherit())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output();
    let output = output.map_err(|error| format!("no program can be started: {error}"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "what read /proc/vmcore did not come to its end ({}) {}",
            output.status,
            words.trim()
        ));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim()
        .parse()
        .map_err(|_| "what read /proc/vmcore did not say how much that was".into())
}

/// Reads the dump and prints how many bytes there were.
pub fn read(tool_len: Option<OsString>) -> Result<(), String> {
    let tool_len = tool_len.and_then(|len| len.to_str()?.parse().ok());
    // The kernel may kill this process as it may kill any other.
    fs::write("self/oom_score_adj", "0").map_err(|error| error.to_string())?;
    // Not zeros, which take no memory before they are written.
    let memory = vec![1_u8; tool_len.unwrap_or_default()];
    let cannot = |error| format!("cannot read /proc/vmcore: {error}");
    let mut dump = File::open(VMCORE).map_err(cannot)?;
    let mut buffer = vec![0; BUFFER_LEN];
    let mut total: u64 = 0;
    loop {
        match dump.read(&mut buffer).map_err(cannot)? {
            0 => break,
            len => total += len as u64,
        }
    }
    black_box(&memory);
    println!("{total}");
    Ok(())
}
