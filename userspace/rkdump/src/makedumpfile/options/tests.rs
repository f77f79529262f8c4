// SPDX-License-Identifier: GPL-2.0

//! Command lines of those who call makedumpfile, and what they mean.

use super::*;

fn parse(words: &str) -> Result<Options, Refusal> {
    Options::parse(words.split_whitespace().map(OsString::from))
}

fn refusal(words: &str) -> String {
    parse(words).expect_err(words).sentence
}

/// What is meant without any option.
fn plain(task: Task) -> Options {
    Options {
        task,
        codec: Codec::None,
        elf: false,
        flattened: false,
        levels: vec![0],
        force: false,
        size_limit: None,
        exclude_unused_vmemmap: false,
        threads: None,
        without_mapping: false,
        dry_run: false,
        message_level: 7,
        check_only: false,
    }
}

fn create(targets: &[&str]) -> Task {
    Task::Create {
        vmcore: "/proc/vmcore".into(),
        targets: targets.iter().map(PathBuf::from).collect(),
    }
}

#[test]
fn the_command_lines_of_distributions_are_understood() {
    let debian = Options {
        codec: Codec::Zlib,
        flattened: true,
        levels: vec![31],
        ..plain(create(&[]))
    };
    let fedora = Options {
        codec: Codec::Lzo,
        levels: vec![31],
        threads: Some(4),
        ..plain(create(&["/d"]))
    };
    let suse = Options {
        codec: Codec::Zstd,
        flattened: true,
        levels: vec![31],
        threads: Some(8),
        message_level: 8,
        ..plain(create(&[]))
    };
    for (words, expected) in [
        ("-F -c -d 31 /proc/vmcore", debian),
        (
            "-l --message-level 7 -d 31 --num-threads=4 /proc/vmcore /d",
            fedora.clone(),
        ),
        (
            "--check-params -l --message-level 7 -d 31 --num-threads 4 /proc/vmcore /d",
            Options {
                check_only: true,
                ..fedora
            },
        ),
        (
            "-F -z --num-threads 8 --message-level 8 -d 31 /proc/vmcore",
            suse.clone(),
        ),
        (
            "-F --message-level 8 --dump-dmesg /proc/vmcore",
            Options {
                codec: Codec::None,
                threads: None,
                levels: vec![0],
                task: Task::Dmesg {
                    vmcore: "/proc/vmcore".into(),
                    target: None,
                    records: Records::All,
                },
                ..suse
            },
        ),
        (
            "--dump-dmesg /proc/vmcore /d",
            plain(Task::Dmesg {
                vmcore: "/proc/vmcore".into(),
                target: Some("/d".into()),
                records: Records::All,
            }),
        ),
        (
            "--partial-dmesg --dump-dmesg /proc/vmcore /d",
            plain(Task::Dmesg {
                vmcore: "/proc/vmcore".into(),
                target: Some("/d".into()),
                records: Records::SinceCleared,
            }),
        ),
        (
            "--reassemble -f /a /b /d",
            Options {
                force: true,
                ..plain(Task::Reassemble {
                    parts: vec!["/a".into(), "/b".into()],
                    target: "/d".into(),
                })
            },
        ),
        (
            "-R /d",
            plain(Task::Rearrange {
                target: "/d".into(),
            }),
        ),
        (
            "-z -d 31 /proc/vmcore /d",
            Options {
                codec: Codec::Zstd,
                levels: vec![31],
                ..plain(create(&["/d"]))
            },
        ),
    ] {
        assert_eq!(parse(words), Ok(expected), "{words}");
    }
}

#[test]
fn options_are_read_as_getopt_long_reads_them() {
    let expected = Options {
        codec: Codec::Zlib,
        levels: vec![31],
        force: true,
        ..plain(create(&["/d"]))
    };
    for words in [
        "-cfd31 /proc/vmcore /d",
        "/proc/vmcore -c /d -f -d 31",
        "-l -d 1 -c -d 31 -f /proc/vmcore /d",
        "-c -f -d 31 -- /proc/vmcore /d",
        "-c -f -d 31 --cyclic-buffer=1024 --work-d /tmp -b 4 --splitb 1 /proc/vmcore /d",
    ] {
        assert_eq!(parse(words).as_ref(), Ok(&expected), "{words}");
    }
    let threads = |words: &str| parse(words).map(|options| options.threads);
    for words in ["--num-threads=2", "--num-threads 2", "--num 2", "--nu=2"] {
        let words = format!("{words} /proc/vmcore /d");
        assert_eq!(threads(&words), Ok(Some(2)), "{words}");
    }
    assert_eq!(threads("--num-threads 0 /proc/vmcore /d"), Ok(None));
    assert_eq!(
        refusal("--x /proc/vmcore /d"),
        "--x may mean --xen-syms or --xen-vmcoreinfo: say which"
    );
    assert_eq!(
        refusal("--frobnicate /proc/vmcore /d"),
        "--frobnicate is no option of makedumpfile's"
    );
    assert_eq!(
        parse("--split /proc/vmcore /a /b").map(|options| options.task),
        Ok(create(&["/a", "/b"])),
        "a whole name counts, though another begins with it"
    );
}

#[test]
fn what_is_not_done_is_said_in_a_sentence() {
    for (words, part) in [
        ("-x vmlinux -d 31 /proc/vmcore /d", "-x vmlinux: "),
        ("-i info -d 31 /proc/vmcore /d", "-i info: "),
        ("-g info -x vmlinux", "-g info: "),
        ("-X /proc/vmcore /d", "Xen"),
        ("--xen-syms=s /proc/vmcore /d", "Xen"),
        ("--config=c /proc/vmcore /d", "erased"),
        ("--eppic=c /proc/vmcore /d", "erased"),
        ("--diskset=a /d", "sadump"),
        ("--vtop=1 /proc/vmcore", "crash and drgn"),
        ("--reassemble /a /d", "at least two parts"),
        ("--reassemble -F /a /b /d", "are not for it"),
        ("--partial-dmesg /proc/vmcore /d", "--dump-dmesg"),
        ("-E -c /proc/vmcore /d", "not compressed"),
        ("-F --split /proc/vmcore", "one stream"),
        ("--num-threads 2 --split /proc/vmcore /a /b", "--split"),
        ("--num-threads 2 -E /proc/vmcore /d", "-E"),
        ("--split /proc/vmcore /a", "at least two"),
        ("--dry-run --dump-dmesg /proc/vmcore /d", "--dry-run"),
        ("-R -c /d", "-R"),
        ("-R /a /b", "-R"),
        ("-F /proc/vmcore /d", "standard output"),
        ("/proc/vmcore", "are needed"),
        ("", "are needed"),
        ("-d 32 /proc/vmcore /d", "from 0 to 31"),
        ("-d x /proc/vmcore /d", "from 0 to 31"),
        ("-L 0 /proc/vmcore /d", "-L 0"),
        ("--message-level 32 /proc/vmcore /d", "up to 31"),
        ("-q /proc/vmcore /d", "-q is no option"),
        ("/proc/vmcore /d -d", "missing"),
        ("-e /proc/vmcore /d", "--work-dir"),
    ] {
        let sentence = refusal(words);
        assert!(sentence.contains(part), "{words}: {sentence}");
    }
}

#[test]
fn levels_are_tried_in_turn() {
    let options = parse("-d 1,17,31 /proc/vmcore /d").unwrap();
    assert_eq!(options.levels, [1, 17, 31]);
}

#[test]
fn a_size_has_a_suffix() {
    let options = parse("-L 512M /proc/vmcore /d").unwrap();
    assert_eq!(options.size_limit, Some(512 << 20));
}

#[test]
fn check_params_is_known_even_where_the_rest_is_refused() {
    assert!(
        parse("--check-params -c -E /proc/vmcore /d")
            .unwrap_err()
            .check_only
    );
    assert!(!parse("-c -E /proc/vmcore /d").unwrap_err().check_only);
}
