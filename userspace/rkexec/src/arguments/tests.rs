// SPDX-License-Identifier: GPL-2.0

//! The spellings of each request.

use super::*;

fn action(words: &str) -> Result<Action, &'static str> {
    let words = ["rkexec"].into_iter().chain(words.split_whitespace());
    Arguments::try_parse_from(words)
        .expect("clap accepts it")
        .into_action()
}

fn boot(initrd: Option<&str>, command_line: Option<&str>) -> BootOptions {
    BootOptions {
        initrd: initrd.map(PathBuf::from),
        command_line: command_line.map(OsString::from),
    }
}

fn load(kernel: &str, initrd: Option<&str>, command_line: Option<&str>) -> Action {
    Action::Load {
        purpose: Purpose::Crash,
        kernel: kernel.into(),
        options: ImageOptions {
            boot: boot(initrd, command_line),
            ..ImageOptions::default()
        },
    }
}

#[test]
fn the_definition_is_sound() {
    Arguments::command().debug_assert();
}

#[test]
fn every_spelling_of_load_means_the_same() {
    let expected = load("/k", Some("/i"), Some("a=1"));
    for words in [
        "-p /k --initrd=/i --command-line=a=1",
        "-p /k --ramdisk /i --append a=1",
        "--load-panic --append=a=1 --initrd=/i /k",
        "load /k --initrd /i --append=a=1",
    ] {
        assert_eq!(action(words).as_ref(), Ok(&expected), "{words}");
    }
}

#[test]
fn signatures_are_files_beside_the_kernel_and_the_initrd() {
    let Ok(Action::Load { options, .. }) =
        action("-p /k --initrd /i --signature /k.p7s --initrd-signature /i.p7s")
    else {
        panic!("it loads");
    };
    assert_eq!(options.signature, Some("/k.p7s".into()));
    assert_eq!(options.initrd_signature, Some("/i.p7s".into()));
    let words = ["rkexec", "-p", "/k", "--initrd-signature", "/i.p7s"];
    assert!(Arguments::try_parse_from(words).is_err());
}

#[test]
fn digests_have_names() {
    for (name, digest) in [("sha256", Digest::Sha256), ("xxh64", Digest::Xxh64)] {
        let Ok(Action::Load { options, .. }) = action(&format!("-p /k --digest {name}")) else {
            panic!("it loads");
        };
        assert_eq!(options.digest, Some(digest));
    }
    assert!(Arguments::try_parse_from(["rkexec", "-p", "/k", "--digest=md5"]).is_err());
}

#[test]
fn a_command_line_may_begin_with_a_hyphen() {
    assert_eq!(
        action("-p /k --append --quiet"),
        Ok(load("/k", None, Some("--quiet")))
    );
}

#[test]
fn unload_and_status_have_their_spellings() {
    for words in ["-u", "-p -u", "-pu", "--unload", "unload"] {
        assert_eq!(
            action(words),
            Ok(Action::Unload {
                purpose: Purpose::Crash
            }),
            "{words}"
        );
    }
    for words in ["-S", "-p -S", "--status", "status"] {
        assert_eq!(
            action(words),
            Ok(Action::Status {
                purpose: Purpose::Crash,
                json: false
            }),
            "{words}"
        );
    }
    for words in ["-S --json", "-p -S --json", "status --json"] {
        assert_eq!(
            action(words),
            Ok(Action::Status {
                purpose: Purpose::Crash,
                json: true
            }),
            "{words}"
        );
    }
}

#[test]
fn inspect_takes_several_files() {
    let request = InspectRequest {
        files: vec!["/a".into(), "/b".into()],
        boot: boot(Some("/i"), Some("-x")),
        json: true,
    };
    assert_eq!(
        action("inspect /a /b --json --initrd /i --append=-x"),
        Ok(Action::Inspect(request))
    );
    assert!(Arguments::try_parse_from(["rkexec", "inspect"]).is_err());
}

#[test]
fn status_supersedes_the_rest() {
    assert_eq!(
        action("-S -p -u /k --append=a"),
        Ok(Action::Status {
            purpose: Purpose::Crash,
            json: false
        })
    );
}

#[test]
fn a_kernel_for_a_reboot_has_options_of_its_own() {
    let purpose = Purpose::Reboot;
    let kernel = PathBuf::from("/k");
    let options = ImageOptions::default();
    let json = false;
    let load = Action::Load {
        purpose,
        kernel,
        options,
    };
    for (words, expected) in [
        ("-l /k", load),
        ("-l -u", Action::Unload { purpose }),
        ("-l -S", Action::Status { purpose, json }),
        ("-e", Action::Enter),
    ] {
        assert_eq!(action(words), Ok(expected), "{words}");
    }
}

#[test]
fn half_a_request_says_what_is_missing() {
    for (words, part) in [
        ("-p", "-p and -l need"),
        ("-l", "-p and -l need"),
        ("-l -p /k", "-l loads"),
        ("-l /k -e", "-e enters"),
        ("/k", "say what the kernel is for"),
        ("", "say what to do"),
        ("-u /k", "-u drops"),
        ("-p -u --append=a", "-u drops"),
    ] {
        let sentence = action(words).expect_err(words);
        assert!(sentence.starts_with(part), "{words}: {sentence}");
    }
}

#[test]
fn options_and_subcommands_do_not_mix() {
    for words in [
        vec!["rkexec", "-p", "load", "/k"],
        vec!["rkexec", "--json"],
        vec!["rkexec", "load"],
        vec!["rkexec", "-p", "/a", "/b"],
    ] {
        let parsed = Arguments::try_parse_from(&words).map(Arguments::into_action);
        assert!(!matches!(parsed, Ok(Ok(_))), "{words:?}: {parsed:?}");
    }
}

#[test]
fn an_estimate_has_its_defaults() {
    let request = EstimateRequest {
        kernel: "/k".into(),
        boot: boot(Some("/i"), Some("nr_cpus=1")),
        cpus: None,
        dump_tool: 16 << 20,
        measure: MeasureOptions {
            measure: false,
            service: None,
            qemu: None,
            watcher: None,
            bound: 600,
            verbose: false,
        },
        json: false,
    };
    assert_eq!(
        action("estimate /k --initrd /i --append=nr_cpus=1"),
        Ok(Action::Estimate(request.clone()))
    );
    let request = EstimateRequest {
        cpus: Some(4),
        dump_tool: 1 << 30,
        json: true,
        ..request
    };
    assert_eq!(
        action("estimate /k --initrd /i --append=nr_cpus=1 --cpus=4 --dump-tool 1G --json"),
        Ok(Action::Estimate(request))
    );
    for words in [
        "estimate",
        "estimate /k --cpus=0",
        "estimate /k --dump-tool=much",
    ] {
        let words = ["rkexec"].into_iter().chain(words.split_whitespace());
        assert!(Arguments::try_parse_from(words).is_err());
    }
}

#[test]
fn a_measurement_is_asked_for() {
    let words = "estimate /k --measure --service=sshd --bound=60 --qemu /q --watcher=/w --verbose";
    let Ok(Action::Estimate(request)) = action(words) else {
        panic!("it is refused");
    };
    let measure = MeasureOptions {
        measure: true,
        service: Some("sshd".into()),
        qemu: Some("/q".into()),
        watcher: Some("/w".into()),
        bound: 60,
        verbose: true,
    };
    assert_eq!(request.measure, measure);
    for words in [
        "estimate /k --service=sshd",
        "estimate /k --verbose",
        "estimate /k --measure --bound=0",
        "estimate /k --measure --service=",
        "estimate /k --measure --service=/usr/sbin/sshd",
    ] {
        let words = ["rkexec"].into_iter().chain(words.split_whitespace());
        assert!(Arguments::try_parse_from(words).is_err());
    }
}
