// SPDX-License-Identifier: GPL-2.0

//! What the program says and how it exits where there is no module to ask.

mod golden;

use std::{
    path::Path,
    process::{
        Command,
        Output, //
    }, //
};

fn rkexec(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rkexec"))
        .args(arguments)
        .output()
        .expect("rkexec runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn without_the_module_it_says_how_to_get_it() {
    if Path::new("/dev/rust_kexec").exists() {
        return;
    }
    for (arguments, code) in [
        (&["-p", "/boot/vmlinuz"][..], 1),
        (&["load", "/boot/vmlinuz"], 1),
        (&["-p", "-u"], 1),
        (&["-S"], 255),
        (&["status", "--json"], 255),
        (&["-l", "/boot/vmlinuz"], 1),
        (&["-l", "-u"], 1),
        (&["-l", "-S"], 255),
        (&["-e"], 1),
    ] {
        let output = rkexec(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        assert_eq!(
            stderr(&output),
            "rkexec: /dev/rust_kexec is not there: load the module first, \
             insmod rust_kexec.ko (in a capture kernel the module has no such device) (ENOENT)\n",
            "{arguments:?}"
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &[][..],
        &["-p"],
        &["--no-such-option"],
        &["-u", "/boot/vmlinuz"],
    ] {
        assert_eq!(rkexec(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_is_word_for_word() {
    for (name, arguments) in [
        ("help.txt", &["--help"][..]),
        ("help-summary.txt", &["-h"]),
        ("help-load.txt", &["load", "--help"]),
        ("help-unload.txt", &["unload", "--help"]),
        ("help-status.txt", &["status", "--help"]),
        ("help-report.txt", &["report", "--help"]),
        ("help-crashkernel.txt", &["crashkernel", "--help"]),
        ("help-inspect.txt", &["inspect", "--help"]),
        ("help-estimate.txt", &["estimate", "--help"]),
        ("help-doctor.txt", &["doctor", "--help"]),
    ] {
        let output = rkexec(arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        golden::assert_output(name, &String::from_utf8_lossy(&output.stdout));
    }
}
