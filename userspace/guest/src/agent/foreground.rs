// SPDX-License-Identifier: GPL-2.0

//! Running a program to its end, within a time.

use std::{
    io::{
        self,
        Read,
        Write, //
    },
    os::unix::process::{
        CommandExt,
        ExitStatusExt, //
    },
    process::{
        Child,
        Command,
        ExitStatus,
        Stdio, //
    },
    sync::{
        mpsc::{
            channel,
            Receiver,
            RecvTimeoutError,
            Sender, //
        },
        Arc,
        Mutex,
        PoisonError, //
    },
    thread,
    time::{
        Duration,
        Instant, //
    }, //
};

use nix::{
    libc::pid_t,
    sys::{
        signal::{
            killpg,
            Signal, //
        },
        wait::{
            waitid,
            Id,
            WaitPidFlag, //
        }, //
    },
    unistd::Pid, //
};
use serde::Serialize;

use super::{
    protocol::is_false,
    TEXT_MAX, //
};

/// How long a killed program's end and the rest of its output are awaited.
const GRACE: Duration = Duration::from_secs(5);

/// How a program ended.
#[derive(Debug, Serialize)]
pub struct Ran {
    /// The exit code, or the negative number of a signal.
    pub status: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
    /// It was killed because its time was over.
    #[serde(skip_serializing_if = "is_false")]
    pub timed_out: bool,
    /// It wrote more than is told here, or may have.
    #[serde(skip_serializing_if = "is_false")]
    pub truncated: bool,
}

/// The exit code, or the negative number of a signal.
pub fn number(status: ExitStatus) -> i32 {
    // A program that waited for ended in one way or the other.
    status
        .code()
        .unwrap_or_else(|| -status.signal().unwrap_or_default())
}

/// Runs `argv` with `stdin` to read, and kills it and its children after `timeout`.
pub fn run(
    argv: &[String],
    stdin: Option<String>,
    timeout: Option<Duration>,
) -> Result<Ran, String> {
    let [program, arguments @ ..] = argv else {
        return Err("an argv needs a program".into());
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(match stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A group of its own, so that its children can be killed with it.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot execute {program}: {error}"))?;
    // std has the kernel's pid_t as a u32.
    let pid = Pid::from_raw(child.id() as pid_t);

    let (done, awaited) = channel();
    let mut pending = 1;
    thread::spawn({
        let done = done.clone();
        move || {
            // WNOWAIT leaves the process to Child::wait, so that its id is not given to another
            // process while it may still be killed.
            let _ = waitid(Id::Pid(pid), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
            let _ = done.send(());
        }
    });
    let stdout = collect(child.stdout.take(), &done, &mut pending);
    let stderr = collect(child.stderr.take(), &done, &mut pending);
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), stdin) {
        // A program need not read what it is given.
        thread::spawn(move || drop(pipe.write_all(text.as_bytes())));
    }
    drop(done);

    let Waited {
        timed_out,
        complete,
    } = wait(&awaited, pending, timeout, pid);
    let status = ended(&mut child, program)?;
    let (stdout, stdout_truncated) = stdout.text();
    let (stderr, stderr_truncated) = stderr.text();
    Ok(Ran {
        status: number(status),
        stdout,
        stderr,
        timed_out,
        truncated: !complete || stdout_truncated || stderr_truncated,
    })
}

struct Waited {
    timed_out: bool,
    /// Every message came.
    complete: bool,
}

/// Waits for `pending` messages. After `timeout` it kills the process group, and after [`GRACE`]
/// more it gives up.
fn wait(awaited: &Receiver<()>, pending: usize, timeout: Option<Duration>, group: Pid) -> Waited {
    // A timeout beyond the clock's range is none.
    let mut deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut timed_out = false;
    let mut left = pending;
    while left > 0 {
        let received = match deadline {
            Some(deadline) => {
                awaited.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            }
            None => awaited.recv().map_err(RecvTimeoutError::from),
        };
        match received {
            Ok(()) => left -= 1,
            Err(RecvTimeoutError::Timeout) if !timed_out => {
                // It fails when the whole group has ended at this moment.
                let _ = killpg(group, Signal::SIGKILL);
                timed_out = true;
                deadline = Some(Instant::now() + GRACE);
            }
            Err(_) => break,
        }
    }
    Waited {
        timed_out,
        complete: left == 0,
    }
}

fn ended(child: &mut Child, program: &str) -> Result<ExitStatus, String> {
    match child.try_wait() {
        Ok(Some(status)) => Ok(status),
        Ok(None) => Err(format!(
            "{program} is still there {GRACE:?} after it was killed"
        )),
        Err(error) => Err(format!("cannot wait for {program}: {error}")),
    }
}

/// What a thread has read so far.
#[derive(Clone, Debug, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Output {
    fn append(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One byte beyond the maximum says that there was more.
        let room = (TEXT_MAX as usize + 1).saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
    }

    fn text(&self) -> (String, bool) {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let truncated = kept.len() > TEXT_MAX as usize;
        let shown = kept.get(..TEXT_MAX as usize).unwrap_or(&kept);
        (String::from_utf8_lossy(shown).into_owned(), truncated)
    }
}

/// Reads `pipe` to its end in a thread, which then sends a message.
fn collect(
    pipe: Option<impl Read + Send + 'static>,
    done: &Sender<()>,
    pending: &mut usize,
) -> Output {
    let output = Output::default();
    if let Some(mut pipe) = pipe {
        *pending += 1;
        let (output, done) = (output.clone(), done.clone());
        thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            loop {
                match pipe.read(&mut buffer) {
                    Ok(0) => break,
                    Ok(len) => output.append(buffer.get(..len).unwrap_or_default()),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            let _ = done.send(());
        });
    }
    output
}
