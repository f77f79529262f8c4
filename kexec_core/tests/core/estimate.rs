// SPDX-License-Identifier: GPL-2.0

//! Estimates of a capture kernel's memory: what changes them, and by how much.
//!
//! `qemu/tests/test_estimate.py` compares them with what capture kernels need.

use kexec_core::{
    estimate::{
        estimate,
        BootOptions,
        Capture,
        Estimate,
        Initrd,
        Part,
        PartKind,
        RootLimit, //
    },
    types::elf::Architecture, //
};
use proptest::prelude::*;

use crate::fixture::MIB;

fn capture() -> Capture {
    Capture {
        architecture: Architecture::X86_64,
        page_len: 4096,
        kernel_len: 20 * MIB,
        initrd: Initrd {
            packed_len: 20 * MIB,
            files_len: 50 * MIB,
            file_count: 1024,
            window_len: 8 * MIB,
        },
        options: BootOptions::read(b"nr_cpus=1", 8),
        tool_len: 16 * MIB,
    }
}

fn with_options(line: &str) -> Capture {
    Capture {
        options: BootOptions::read(line.as_bytes(), 8),
        ..capture()
    }
}

fn part(estimate: &Estimate, kind: PartKind) -> Part {
    let found = estimate.parts().find(|part| part.kind == kind);
    found.copied().unwrap_or(Part {
        kind,
        unpacking: 0,
        saving: 0,
    })
}

/// The part of an estimate for this command line.
fn part_with(line: &str, kind: PartKind) -> Part {
    part(&estimate(&with_options(line)).expect("it fits"), kind)
}

#[test]
fn the_cpus_are_those_that_the_command_line_leaves() {
    for (line, possible, started) in [
        ("", 8, 8),
        ("nr_cpus=1", 1, 1),
        ("nr_cpus=16", 8, 8),
        ("nr_cpus=2 maxcpus=4", 2, 2),
        ("maxcpus=2", 8, 2),
        ("maxcpus=0", 8, 1),
        ("nosmp", 8, 1),
        ("nr_cpus=0", 8, 8),
        ("nr_cpus=x", 8, 8),
        ("-- nr_cpus=1", 8, 8),
    ] {
        let options = BootOptions::read(line.as_bytes(), 8);
        assert_eq!(
            (options.possible_cpus, options.started_cpus),
            (possible, started),
            "{line}"
        );
    }
}

#[test]
fn the_root_file_system_is_a_tmpfs_unless_there_is_another_root() {
    for (line, limit) in [
        ("", RootLimit::Percent(50)),
        ("root=/dev/vda1", RootLimit::None),
        ("root=", RootLimit::Percent(50)),
        (
            "root=/dev/vda1 rootfstype=ext4,tmpfs",
            RootLimit::Percent(50),
        ),
        ("rootfstype=ramfs", RootLimit::None),
        ("initramfs_options=size=90%", RootLimit::Percent(90)),
        (
            "initramfs_options=mode=755,size=64M,size=128M",
            RootLimit::Bytes(128 * MIB),
        ),
        ("initramfs_options=mode=755", RootLimit::Percent(50)),
        ("root=/dev/vda1 initramfs_options=size=1M", RootLimit::None),
    ] {
        let options = BootOptions::read(line.as_bytes(), 8);
        assert_eq!(options.root_limit, limit, "{line}");
        let ignored = match limit {
            RootLimit::None => limit,
            _ => RootLimit::Percent(50),
        };
        let options = options.without_initramfs_options();
        assert_eq!(options.root_limit, ignored, "{line}");
    }
}

#[test]
fn archive_and_files_are_there_both_while_they_are_unpacked() {
    let whole = estimate(&capture()).expect("it fits");
    assert_eq!(
        part(&whole, PartKind::PackedInitrd),
        Part {
            kind: PartKind::PackedInitrd,
            unpacking: 20 * MIB,
            saving: 0,
        }
    );
    // One KiB for each of 1024 files.
    let files = part(&whole, PartKind::Files);
    assert_eq!((files.unpacking, files.saving), (51 * MIB, 51 * MIB));
    let kept = part_with("nr_cpus=1 retain_initrd", PartKind::PackedInitrd);
    assert_eq!(kept.saving, 20 * MIB);
}

#[test]
fn files_that_fill_half_of_memory_need_as_much_again() {
    // Less the window, the nodes, and the reserve of 4 MiB.
    let half = part_with("nr_cpus=1", PartKind::RootLimit);
    assert_eq!((half.unpacking, half.saving), (37 * MIB, 0));
    for line in [
        "initramfs_options=size=100%",
        "initramfs_options=size=50M",
        "root=/dev/vda1",
    ] {
        assert_eq!(part_with(line, PartKind::RootLimit).unpacking, 0, "{line}");
    }
    let set_aside = part_with("nr_cpus=1 cma=64M@1G", PartKind::RootLimit);
    assert_eq!(set_aside.unpacking, (37 + 64) * MIB);
    let quarter = part_with("initramfs_options=size=25%", PartKind::RootLimit);
    assert_eq!(quarter.unpacking, (150 - 13) * MIB);
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    for (line, limit) in [
        ("initramfs_options=size=49M", "0x3100000 bytes (49 MiB)"),
        ("initramfs_options=size=0%", "0x0 bytes"),
    ] {
        let error = estimate(&with_options(line)).expect_err(line);
        assert_eq!(
            error.to_string(),
            format!(
                "the initrd's files need 0x3200000 bytes (50 MiB), but initramfs_options= on the \
                 command line leaves them {limit}: give a larger size=, or none"
            )
        );
    }
}

#[test]
fn the_moment_that_needs_more_decides() {
    let unpacked = estimate(&capture()).expect("it fits");
    assert_eq!(unpacked.needed(), unpacked.unpacking());
    let saved = estimate(&Capture {
        tool_len: 128 * MIB,
        ..capture()
    });
    let saved = saved.expect("it fits");
    assert_eq!(saved.needed(), saved.saving());
    assert!(saved.saving() > saved.unpacking());
    for estimate in [unpacked, saved] {
        assert_eq!(estimate.crashkernel() % (4 * MIB), 0);
        assert!(estimate.crashkernel() - estimate.needed() < 4 * MIB);
        let sum: u64 = estimate.parts().map(|part| part.saving).sum();
        assert_eq!(estimate.saving(), sum);
    }
}

#[test]
fn a_log_that_is_asked_for_is_counted() {
    assert_eq!(part_with("quiet", PartKind::Log).saving, 0);
    // With the descriptors of the records in it.
    assert_eq!(part_with("log_buf_len=4M", PartKind::Log).saving, 24 * MIB);
}

#[test]
fn page_structures_come_in_sections() {
    // 2 MiB for each section of 128 MiB; the region may begin anywhere, and x86 has the first MiB.
    let small = part_with("nr_cpus=1", PartKind::PageStructures);
    assert_eq!(small.saving, 4 * 2 * MIB);
    let tiny = Capture {
        initrd: Initrd::default(),
        ..capture()
    };
    let tiny = estimate(&tiny).expect("it fits");
    assert_eq!(part(&tiny, PartKind::PageStructures).saving, 3 * 2 * MIB);
    let large_pages = Capture {
        architecture: Architecture::Arm64,
        page_len: 65536,
        ..capture()
    };
    let large_pages = estimate(&large_pages).expect("it fits");
    assert_eq!(
        part(&large_pages, PartKind::PageStructures).saving,
        2 * MIB / 2
    );
}

proptest! {
    #[test]
    fn more_is_never_less(
        kernel_len in any::<u64>(),
        packed_len in any::<u64>(),
        files_len in any::<u64>(),
        file_count in any::<u64>(),
        cpus in any::<u64>(),
        more in any::<u64>(),
        which in 0..5,
    ) {
        let mut given = [kernel_len, packed_len, files_len, file_count, cpus];
        let capture = |given: [u64; 5]| Capture {
            kernel_len: given[0],
            initrd: Initrd {
                packed_len: given[1],
                files_len: given[2],
                file_count: given[3],
                window_len: 0,
            },
            options: BootOptions::read(b"", given[4]),
            ..capture()
        };
        let less = estimate(&capture(given)).expect("half of memory is never too little");
        let changed = &mut given[which as usize];
        *changed = changed.saturating_add(more);
        let more = estimate(&capture(given)).expect("half of memory is never too little");
        prop_assert!(more.needed() >= less.needed());
        prop_assert!(more.crashkernel() >= more.needed());
    }
}
