// SPDX-License-Identifier: GPL-2.0

//! What is said of each state, as JSON and as text.

use super::*;
use crate::golden;
use serde_json::json;

fn empty() -> Status {
    Status {
        role: ROLE_PRODUCTION,
        region: armed().region,
        holder: RegionHolder::Nobody as u32,
        ..Status::default()
    }
}

fn armed() -> Status {
    let mut status = Status {
        role: ROLE_PRODUCTION,
        armed: 1,
        segment_count: 2,
        region: RegionRecord {
            start: 0x6f00_0000,
            len: 256 << 20,
        },
        source: RegionSource::Crashkernel as u32,
        holder: RegionHolder::Module as u32,
        protection: Protection::ReadOnly as u32,
        entry: 0x7000_0200,
        signature: SignatureState::UnknownSigner as u32,
        decompression: Decompression::AtLoad as u32,
        replacement: Replacement::Beside as u32,
        hooks: HookedBy::Ftrace as u32,
        elfcorehdr: ElfcorehdrRecord {
            pieces: 7,
            replacements: 3,
            ..ElfcorehdrRecord::default()
        },
        ..Status::default()
    };
    status.segments[0] = SegmentRecord {
        kind: SegmentKind::Kernel as u32,
        start: 0x7000_0000,
        file_len: 0x0012_3457,
        memory_len: 0x20_0000,
        algorithm: Algorithm::Sha256 as u32,
        digest: [0xab; 32],
    };
    status.segments[1] = SegmentRecord {
        kind: 99,
        start: 0x6f00_1000,
        file_len: 4096,
        memory_len: 4096,
        ..SegmentRecord::default()
    };
    status
}

#[test]
fn json_names_everything_that_is_loaded() {
    let report = Report::from(&armed());
    assert_eq!(
        serde_json::to_value(&report).expect("a report is always JSON"),
        json!({
            "role": "production",
            "armed": true,
            "region": {"start": "0x6f000000", "len": 268_435_456},
            "low_region": null,
            "more_regions": [],
            "shared_regions": [],
            "shared_wait_ms": null,
            "source": "crashkernel=",
            "holder": "rust_kexec",
            "used": 0x11f_f000,
            "free": (256 << 20) - 0x11f_f000,
            "write_protected": true,
            "entry": "0x70000200",
            "decompression": {"when": "at load", "reason": null},
            "signature": "unknown signer",
            "segments": [
                {
                    "kind": "kernel",
                    "start": "0x70000000",
                    "file_len": 0x0012_3457,
                    "memory_len": 0x20_0000,
                    "digest": {"algorithm": "SHA-256", "value": "ab".repeat(32)},
                },
                {
                    "kind": "unknown (99)",
                    "start": "0x6f001000",
                    "file_len": 4096,
                    "memory_len": 4096,
                    "digest": null,
                },
            ],
            "replacement": "beside",
            "memory": {
                "pieces": 7,
                "without_room": 0,
                "replacements": 3,
                "outdated": false,
            },
            "hooks": {"by": "ftrace", "lost": null},
            "for_reboot": null,
        })
    );
}

#[test]
fn nothing_loaded_has_neither_entry_nor_segments() {
    let report = Report::from(&Status::default());
    let value = serde_json::to_value(&report).expect("a report is always JSON");
    assert_eq!(value["armed"], false);
    assert_eq!(value["entry"], json!(null));
    assert_eq!(value["decompression"], json!(null));
    assert_eq!(value["signature"], json!(null));
    assert_eq!(value["segments"], json!([]));
    assert_eq!(value["replacement"], json!(null));
    assert_eq!(value["memory"], json!(null));
    assert_eq!(value["hooks"], json!(null));
    assert_eq!(value["role"], "unknown (0)");
}

#[test]
fn more_segments_than_there_is_room_for_do_no_harm() {
    let status = Status {
        segment_count: u32::MAX,
        ..armed()
    };
    assert_eq!(Report::from(&status).segments.len(), status.segments.len());
}

#[test]
fn people_read_names_ranges_and_sizes() {
    golden::assert_output("status.txt", &Report::from(&armed()).to_string());
    golden::assert_output("status-empty.txt", &Report::from(&empty()).to_string());
}

#[test]
fn a_kernel_that_decompresses_itself_says_why() {
    let text = |decompression| {
        Report::from(&Status {
            decompression,
            ..armed()
        })
        .to_string()
    };
    for (number, line) in [
        (Decompression::None as u32, "none"),
        (
            Decompression::NoRoom as u32,
            "at the crash, because the decompressed kernel has no place in the crash region",
        ),
        (99, "unknown (99)"),
    ] {
        let line = format!("\ndecompress  {line}\n");
        let text = text(number);
        assert!(text.contains(&line), "{text}");
    }
    assert!(!text(0).contains("decompress"));
}

#[test]
fn where_the_next_image_goes_is_said() {
    let report = |replacement| {
        Report::from(&Status {
            replacement,
            ..armed()
        })
    };
    let instead = report(Replacement::Instead as u32);
    assert_eq!(instead.replacement.as_deref(), Some("instead"));
    golden::assert_output("status-instead.txt", &instead.to_string());
    // An older module's, and a newer one's.
    assert!(!report(0).to_string().contains("replacement"));
    assert!(report(9).to_string().contains("replacement unknown (9)\n"));
}

#[test]
fn what_is_lost_without_ftrace_is_said() {
    let report = |hooks| Report::from(&Status { hooks, ..armed() });
    let text = |by: HookedBy| report(by as u32).to_string();
    golden::assert_output("status-kprobes.txt", &text(HookedBy::Kprobes));
    golden::assert_output("status-exported.txt", &text(HookedBy::Exported));
    // An older module's, and a newer one's.
    assert!(!report(0).to_string().contains("hooks"));
    assert!(report(9).to_string().contains("hooks       unknown (9)\n"));
}

#[test]
fn who_is_in_the_region_is_said() {
    let text = |status: &Status| Report::from(status).to_string();
    let mut status = empty();
    status.holder = RegionHolder::Kernel as u32;
    assert!(text(&status).contains("used        by the kernel's own kexec\n"));
    // An older module's.
    status.holder = 0;
    assert!(!text(&status).contains("used"));
    status = armed();
    status.protection = Protection::Writable as u32;
    assert!(text(&status).contains("not write-protected"));
    status.protection = 0;
    assert!(!text(&status).contains("protected"));
}

#[test]
fn memory_that_was_taken_at_run_time_is_said_to_be() {
    let mut status = empty();
    status.source = RegionSource::RunTime as u32;
    status.more_region_count = 1;
    status.more_regions[0] = RegionRecord {
        start: 0x5000_0000,
        len: 64 << 20,
    };
    let report = Report::from(&status);
    golden::assert_output("status-run-time.txt", &report.to_string());
    assert_eq!(report.source.as_deref(), Some("run time"));
    // A newer module's.
    status.source = 9;
    let report = Report::from(&status);
    assert_eq!(report.source.as_deref(), Some("unknown (9)"));
}

#[test]
fn memory_that_is_shared_is_said_to_be() {
    let mut status = empty();
    status.shared_region_count = 1;
    status.shared_wait = 10_000;
    status.shared_regions[0] = RegionRecord {
        start: 0x7000_0000,
        len: 128 << 20,
    };
    let report = Report::from(&status);
    golden::assert_output("status-shared.txt", &report.to_string());
    assert_eq!(report.shared_wait_ms, Some(10_000));
}

#[test]
fn what_the_dump_would_lack_is_said() {
    let mut status = armed();
    status.elfcorehdr.without_room = 2;
    status.elfcorehdr.outdated = 1;
    let text = Report::from(&status).to_string();
    assert!(
        text.contains("; 2 more pieces have no room: load again"),
        "{text}"
    );
    assert!(text.contains("; the latest change could not"), "{text}");
}

#[test]
fn a_kernel_for_a_reboot_is_said_beside_the_other() {
    let status = Status {
        reboot_image: RegionRecord {
            start: 0x3000_0000,
            len: 64 << 20,
        },
        reboot_entry: 0x3000_0200,
        reboot_decompression: Decompression::RandomAddresses as u32,
        reboot_signature: SignatureState::Good as u32,
        reboot_place: RebootPlace::InPlace as u32,
        ..armed()
    };
    let report = Report::from(&status);
    assert!(report.has(Purpose::Crash) && report.has(Purpose::Reboot));
    let text = report.to_string();
    let (_, said) = text.split_once("for a reboot: ").expect("it is there");
    assert_eq!(
        said,
        "0x30000000-0x34000000 (64 MiB), entry 0x30000200\n\
         image       in its place: the reboot copies nothing\n\
         decompress  at the reboot, because it chooses its addresses at random; with nokaslr on its \
         command line it would be at load\n\
         signature   good\n"
    );
    let value = serde_json::to_value(&report).expect("a report is always JSON");
    assert_eq!(value["for_reboot"]["entry"], "0x30000200");
    assert_eq!(value["for_reboot"]["place"], "in its place");
    let copied = Report::from(&Status {
        reboot_place: RebootPlace::Copied as u32,
        ..status
    });
    let text = copied.to_string();
    assert!(text
        .contains("image       scattered, for want of memory in one piece: the reboot copies it"));
    let older = Report::from(&Status {
        reboot_place: 0,
        ..status
    });
    assert!(!older.to_string().contains("image       "));
    assert!(!Report::from(&empty()).has(Purpose::Reboot));
}
