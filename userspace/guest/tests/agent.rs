// SPDX-License-Identifier: GPL-2.0

//! Whole conversations with the agent, over memory instead of a port.

use std::io::Cursor;

use guest::agent::{
    converse,
    LINE_MAX,
    TEXT_MAX, //
};
use serde_json::{
    json,
    Value, //
};

/// What the agent replies to these lines, without its hello.
fn converse_lines(lines: &[u8]) -> Vec<Value> {
    let mut replies = Vec::new();
    converse(Cursor::new(lines), &mut replies, &json!({"event": "hello"})).expect("memory");
    let mut values = replies
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("every line is JSON"));
    assert_eq!(values.next(), Some(json!({"event": "hello"})));
    values.collect()
}

fn ask(request: &Value) -> Value {
    let replies = converse_lines(format!("{request}\n").as_bytes());
    let [reply] = replies.as_slice() else {
        panic!("one reply to {request}, not {replies:?}");
    };
    reply.clone()
}

fn error_of(reply: &Value) -> &str {
    reply["error"]
        .as_str()
        .unwrap_or_else(|| panic!("no error: {reply}"))
}

#[test]
fn a_program_runs_with_its_input_and_tells_both_outputs_and_its_status() {
    let script = "cat; echo problem >&2; exit 3";
    let request = json!({"id": 1, "run": ["sh", "-c", script], "stdin": "text"});
    assert_eq!(
        ask(&request),
        json!({"id": 1, "status": 3, "stdout": "text", "stderr": "problem\n"})
    );
}

#[test]
fn a_signal_is_a_negative_status() {
    let request = json!({"id": 1, "run": ["sh", "-c", "kill -TERM $$"]});
    assert_eq!(ask(&request)["status"], -15);
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let script = "echo begun; sleep 1000 & sleep 1000";
    let reply = ask(&json!({"id": 1, "run": ["sh", "-c", script], "timeout_s": 0.2}));
    assert_eq!(
        reply,
        json!({"id": 1, "status": -9, "stdout": "begun\n", "stderr": "", "timed_out": true})
    );
}

#[test]
fn input_that_nobody_reads_and_much_output_hold_nothing_up() {
    let stdin = "x".repeat(1 << 20);
    let reply = ask(&json!({"id": 1, "run": ["true"], "stdin": stdin}));
    assert_eq!(reply["status"], 0);

    let script = "head -c 6000000 /dev/zero | tr '\\0' x";
    let reply = ask(&json!({"id": 2, "run": ["sh", "-c", script]}));
    assert_eq!(reply["truncated"], true);
    let kept = reply["stdout"].as_str().map(str::len);
    assert_eq!(kept, Some(TEXT_MAX as usize));
}

#[test]
fn output_that_is_not_utf8_arrives_all_the_same() {
    let reply = ask(&json!({"id": 1, "run": ["printf", "a\\377b"]}));
    assert_eq!(reply["stdout"], "a\u{fffd}b");
}

#[test]
fn a_background_program_is_heard_once_and_goes_on() {
    let reply = ask(&json!({"id": 2, "spawn": ["sh", "-c", "echo ready; exec sleep 100"]}));
    assert_eq!(reply["line"], "ready");
    let pid = reply["pid"].as_u64().expect("a process id").to_string();
    // The shell's own kill: the program is of a package that a small system lacks.
    let running = ask(&json!({"id": 3, "run": ["sh", "-c", format!("kill {pid}")]}));
    assert_eq!(running["status"], 0, "{running}");
}

#[test]
fn a_background_program_may_go_on_printing() {
    let path = std::env::temp_dir().join(format!("guest-printed-{}", std::process::id()));
    let path = path.to_str().expect("a temporary path is UTF-8");
    let script = format!("echo ready; head -c 1000000 /dev/zero; echo >{path}");
    assert_eq!(
        ask(&json!({"id": 2, "spawn": ["sh", "-c", script]}))["line"],
        "ready"
    );
    let script = format!("until [ -e {path} ]; do sleep 0.01; done; rm {path}");
    let reply = ask(&json!({"id": 3, "run": ["sh", "-c", script], "timeout_s": 20}));
    assert_eq!(reply["status"], 0, "{reply}");
}

#[test]
fn a_background_program_that_fails_is_an_error() {
    let reply = ask(&json!({"id": 2, "spawn": ["false"]}));
    assert_eq!(
        error_of(&reply),
        "false ended with status 1 before it printed a line"
    );
}

#[test]
fn a_silent_background_program_has_no_line() {
    let reply = ask(&json!({"id": 2, "spawn": ["sleep", "1"], "timeout_s": 0.1}));
    assert_eq!(reply["line"], Value::Null);
    assert!(reply["pid"].is_u64());
}

#[test]
fn a_write_is_announced_and_done_and_its_failure_told() {
    let path = std::env::temp_dir().join(format!("guest-agent-{}", std::process::id()));
    let write = json!({"id": 3, "write": {"path": &path, "data": "c"}});
    let read = json!({"id": 4, "read": &path});
    let replies = converse_lines(format!("{write}\n{read}\n").as_bytes());
    std::fs::remove_file(&path).expect("the file was written");
    assert_eq!(
        replies,
        [
            json!({"id": 3, "status": "writing"}),
            json!({"id": 4, "text": "c"})
        ]
    );

    let write = json!({"id": 5, "write": {"path": "/nowhere/at/all", "data": "c"}});
    let replies = converse_lines(format!("{write}\n").as_bytes());
    assert_eq!(replies[0], json!({"id": 5, "status": "writing"}));
    assert_eq!(replies[1]["event"], "write failed");
    assert_eq!(replies[1]["id"], 5);
}

#[test]
fn what_cannot_be_done_is_an_error_and_the_conversation_goes_on() {
    let lines = b"\xff\xfe\n{\"id\":1,\"run\":[\"/no/such/program\"]}\n\n\
        {\"id\":2,\"read\":\"/no/such/file\"}\n{\"id\":3,\"run\":[\"a\\u0000b\"]}\n\
        {\"id\":4,\"run\":[\"true\"]}\n";
    let replies = converse_lines(lines);
    assert_eq!(replies.len(), 6, "{replies:?}");
    assert_eq!(replies[0]["id"], Value::Null);
    for reply in &replies[..5] {
        error_of(reply);
    }
    assert_eq!(replies[5]["status"], 0);
}

#[test]
fn a_line_without_end_is_refused_and_skipped() {
    let mut lines = vec![b'x'; LINE_MAX as usize * 2];
    lines.extend_from_slice(b"\n{\"id\":1,\"run\":[\"true\"]}\n");
    let replies = converse_lines(&lines);
    assert_eq!(replies.len(), 2, "{replies:?}");
    assert!(error_of(&replies[0]).contains("longer than"));
    assert_eq!(replies[1]["status"], 0);
}

#[test]
fn a_line_that_the_host_did_not_finish_is_not_carried_out() {
    assert_eq!(
        converse_lines(b"{\"id\":1,\"run\":[\"true\"]}"),
        [] as [Value; 0]
    );
}
