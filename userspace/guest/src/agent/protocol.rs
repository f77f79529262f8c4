// SPDX-License-Identifier: GPL-2.0

//! The lines of the conversation.

use std::{
    io,
    path::{
        Path,
        PathBuf, //
    },
    time::Duration, //
};

use serde::{
    Deserialize,
    Serialize, //
};
use serde_json::Value;

use super::{
    background::Started,
    foreground::Ran,
    LINE_MAX, //
};

/// What the host asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Request {
    /// Run a program to its end.
    Run {
        /// The program and its arguments; not empty.
        argv: Vec<String>,
        /// What it reads.
        stdin: Option<String>,
        /// How long it may take.
        timeout: Option<Duration>,
    },
    /// Start a program and let it run.
    Spawn {
        /// The program and its arguments; not empty.
        argv: Vec<String>,
        /// How long to wait for its first line.
        timeout: Option<Duration>,
    },
    /// Write to a file.
    Write {
        /// The file.
        path: PathBuf,
        /// What to write.
        data: String,
    },
    /// Read a file.
    Read(PathBuf),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, rename = "id")]
    _id: Value,
    run: Option<Vec<String>>,
    spawn: Option<Vec<String>>,
    write: Option<WriteLine>,
    read: Option<PathBuf>,
    stdin: Option<String>,
    timeout_s: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WriteLine {
    path: PathBuf,
    data: String,
}

/// The request in a line, with the id under which it is answered. An error comes with the id too,
/// as far as there is one to find.
///
/// ```
/// use guest::agent::protocol::{parse, Request};
///
/// let (id, request) = parse(br#"{"id":4,"read":"/proc/cmdline"}"#).unwrap();
/// assert_eq!(id, 4);
/// assert_eq!(request, Request::Read("/proc/cmdline".into()));
///
/// let (id, sentence) = parse(br#"{"id":5}"#).unwrap_err();
/// assert_eq!(id, 5);
/// assert!(sentence.starts_with("a request has one of"));
/// ```
pub fn parse(line: &[u8]) -> Result<(Value, Request), (Value, String)> {
    if line.len() as u64 > LINE_MAX {
        let error = format!("the line is longer than {LINE_MAX} bytes");
        return Err((Value::Null, error));
    }
    let value: Value = serde_json::from_slice(line)
        .map_err(|error| (Value::Null, format!("the line is not JSON: {error}")))?;
    let id = value.get("id").cloned().unwrap_or_default();
    match request(value) {
        Ok(request) => Ok((id, request)),
        Err(error) => Err((id, error)),
    }
}

fn request(value: Value) -> Result<Request, String> {
    let line: Line =
        serde_json::from_value(value).map_err(|error| format!("not a request: {error}"))?;
    let timeout = line
        .timeout_s
        .map(Duration::try_from_secs_f64)
        .transpose()
        .map_err(|error| format!("timeout_s: {error}"))?;
    let argv = |argv: Vec<String>| match argv.as_slice() {
        [] => Err("an argv needs a program".to_owned()),
        _ => Ok(argv),
    };
    match line {
        Line {
            run: Some(run),
            spawn: None,
            write: None,
            read: None,
            stdin,
            ..
        } => Ok(Request::Run {
            argv: argv(run)?,
            stdin,
            timeout,
        }),
        Line {
            run: None,
            spawn: Some(spawn),
            write: None,
            read: None,
            stdin: None,
            ..
        } => Ok(Request::Spawn {
            argv: argv(spawn)?,
            timeout,
        }),
        Line {
            run: None,
            spawn: None,
            write: Some(WriteLine { path, data }),
            read: None,
            stdin: None,
            timeout_s: None,
            ..
        } => Ok(Request::Write { path, data }),
        Line {
            run: None,
            spawn: None,
            write: None,
            read: Some(path),
            stdin: None,
            timeout_s: None,
            ..
        } => Ok(Request::Read(path)),
        _ => Err(
            "a request has one of run, spawn, write, read; stdin goes with run, \
             timeout_s with run and spawn"
                .to_owned(),
        ),
    }
}

/// One line to the host about the request with this id.
#[derive(Debug, Serialize)]
pub struct Reply {
    id: Value,
    #[serde(flatten)]
    outcome: Outcome,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Outcome {
    Done(Answer),
    Failed { error: String },
}

impl Reply {
    /// It was done.
    pub fn answer(id: Value, answer: Answer) -> Self {
        Self {
            id,
            outcome: Outcome::Done(answer),
        }
    }

    /// It could not be done.
    pub fn error(id: Value, error: String) -> Self {
        Self {
            id,
            outcome: Outcome::Failed { error },
        }
    }
}

/// What a request came to.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A program ran.
    Ran(Ran),
    /// A program was started.
    Started(Started),
    /// A write is about to happen.
    Writing {
        /// `writing`.
        status: &'static str,
    },
    /// A file's text.
    Text {
        /// The text.
        text: String,
        /// The file is longer.
        #[serde(skip_serializing_if = "is_false")]
        truncated: bool,
    },
}

impl Answer {
    /// The answer that is sent before a write.
    pub const fn writing() -> Self {
        Self::Writing { status: "writing" }
    }
}

/// The event that tells of a failed write.
#[derive(Debug, Serialize)]
pub struct WriteFailed {
    event: &'static str,
    id: Value,
    error: String,
}

impl WriteFailed {
    /// The write of the request with this id failed.
    pub fn new(id: Value, path: &Path, error: &io::Error) -> Self {
        Self {
            event: "write failed",
            id,
            error: format!("cannot write {}: {error}", path.display()),
        }
    }
}

pub(super) fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn ok(line: &str) -> Request {
        let (_, request) = parse(line.as_bytes()).expect(line);
        request
    }

    #[test]
    fn the_four_requests_are_understood() {
        assert_eq!(
            ok(r#"{"id":1,"run":["a","b"],"stdin":"x","timeout_s":1.5}"#),
            Request::Run {
                argv: vec!["a".into(), "b".into()],
                stdin: Some("x".into()),
                timeout: Some(Duration::from_millis(1500)),
            }
        );
        assert_eq!(
            ok(r#"{"id":2,"spawn":["a"]}"#),
            Request::Spawn {
                argv: vec!["a".into()],
                timeout: None,
            }
        );
        assert_eq!(
            ok(r#"{"id":3,"write":{"path":"/p","data":"c"}}"#),
            Request::Write {
                path: "/p".into(),
                data: "c".into(),
            }
        );
        assert_eq!(ok(r#"{"id":4,"read":"/p"}"#), Request::Read("/p".into()));
    }

    #[test]
    fn an_id_is_given_back_as_it_came() {
        for (line, id) in [
            (r#"{"id":7,"read":"/p"}"#, json!(7)),
            (r#"{"id":"x","read":"/p"}"#, json!("x")),
            (r#"{"read":"/p"}"#, Value::Null),
        ] {
            assert_eq!(parse(line.as_bytes()).expect(line).0, id);
        }
    }

    #[test]
    fn odd_lines_are_errors_with_the_id_that_could_be_found() {
        for (line, id) in [
            ("", Value::Null),
            ("nonsense", Value::Null),
            ("[1,2]", Value::Null),
            ("\u{0}", Value::Null),
            (r#"{"id":1}"#, json!(1)),
            (r#"{"id":2,"run":[]}"#, json!(2)),
            (r#"{"id":3,"run":"a"}"#, json!(3)),
            (r#"{"id":4,"run":["a"],"read":"/p"}"#, json!(4)),
            (r#"{"id":5,"runn":["a"]}"#, json!(5)),
            (r#"{"id":6,"run":["a"],"timeout_s":-1}"#, json!(6)),
            (r#"{"id":7,"run":["a"],"timeout_s":1e300}"#, json!(7)),
            (r#"{"id":8,"spawn":["a"],"stdin":"x"}"#, json!(8)),
            (r#"{"id":9,"write":{"path":"/p"}}"#, json!(9)),
        ] {
            let (found, error) = parse(line.as_bytes()).expect_err(line);
            assert_eq!(found, id, "{line}: {error}");
        }
        assert!(parse(b"\xff\xfe{}\n").is_err());
    }
}
