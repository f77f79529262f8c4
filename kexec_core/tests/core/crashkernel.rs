// SPDX-License-Identifier: GPL-2.0

//! `crashkernel=`: what is asked for, what is refused with which sentence, and where it is reserved.
//!
//! `qemu/tests/test_crashkernel.py` compares the same code with the kernel's own parser.

use kexec_core::{
    crashkernel::{
        request,
        reserve,
        Request,
        RequestError,
        Reserved,
        Rules, //
    },
    types::{
        elf::Architecture,
        ranges::Range, //
    }, //
};
use proptest::prelude::*;

use crate::fixture::{
    range,
    GIB,
    MIB, //
};

const KIB: u64 = 1 << 10;

fn rules() -> Rules {
    Rules::of(Architecture::X86_64, 6, 12)
}

fn newest() -> Rules {
    Rules::of(Architecture::X86_64, 7, 3)
}

fn asked(line: &str, ram: u64) -> Result<Option<Request>, RequestError> {
    request(line.as_bytes(), ram, &rules())
}

fn plain(len: u64) -> Request {
    Request {
        len,
        at: None,
        high: false,
        low_len: None,
        cma_len: 0,
    }
}

fn at(len: u64, at: u64) -> Request {
    Request {
        at: Some(at),
        ..plain(len)
    }
}

fn high(len: u64, low_len: Option<u64>) -> Request {
    Request {
        high: true,
        low_len,
        ..plain(len)
    }
}

#[test]
fn every_form_is_read() {
    for (line, expected) in [
        ("crashkernel=256M", plain(256 * MIB)),
        ("quiet crashkernel=1g ro", plain(GIB)),
        ("crashkernel=0x4000000", plain(64 * MIB)),
        ("crashkernel=0400000000", plain(64 * MIB)),
        ("crashkernel=65536k", plain(64 * MIB)),
        ("crashkernel=64M@16M", at(64 * MIB, 16 * MIB)),
        ("crashkernel=64M@0x1000000", at(64 * MIB, 16 * MIB)),
        ("crashkernel=64M@0", plain(64 * MIB)),
        ("crashkernel=512M,high", high(512 * MIB, None)),
        (
            "crashkernel=512M,high crashkernel=128M,low",
            high(512 * MIB, Some(128 * MIB)),
        ),
        (
            "crashkernel=0,low crashkernel=512M,high",
            high(512 * MIB, Some(0)),
        ),
        // With a size of its own, high and low count for nothing.
        (
            "crashkernel=64M crashkernel=512M,high crashkernel=1M,low",
            plain(64 * MIB),
        ),
        ("crashkernel=64M crashkernel=128M", plain(128 * MIB)),
        (
            "crashkernel=1M,high crashkernel=2M,high",
            high(2 * MIB, None),
        ),
        // The kernel looks for the name, wherever it is.
        ("nocrashkernel=64M", plain(64 * MIB)),
        ("a=\"crashkernel=64M \"", plain(64 * MIB)),
        ("-- crashkernel=64M", plain(64 * MIB)),
    ] {
        assert_eq!(asked(line, 8 * GIB), Ok(Some(expected)), "{line}");
    }
    for line in [
        "",
        "quiet",
        "crashkernel",
        "crashkerne=64M",
        "crashkernel 64M",
    ] {
        assert_eq!(asked(line, 8 * GIB), Ok(None), "{line}");
    }
}

#[test]
fn ranges_choose_by_memory() {
    let line = "crashkernel=512M-2G:64M,2G-8G:128M@16M";
    let sizes = |ram| asked(line, ram).map(|found| found.map(|found| (found.len, found.at)));
    assert_eq!(sizes(512 * MIB), Ok(Some((64 * MIB, Some(16 * MIB)))));
    // Memory counts in steps of 128 MiB, upwards.
    assert_eq!(sizes(385 * MIB), sizes(512 * MIB));
    assert_eq!(sizes(2 * GIB - MIB), Ok(Some((128 * MIB, Some(16 * MIB)))));
    assert_eq!(sizes(8 * GIB), Err(RequestError::NoRange { ram: 8 * GIB }));
    assert_eq!(
        sizes(256 * MIB),
        Err(RequestError::NoRange { ram: 256 * MIB })
    );
    let open = asked("crashkernel=1G-4G:100M,4G-:1G", 64 * GIB);
    assert_eq!(open, Ok(Some(plain(GIB))));
    let first = asked("crashkernel=1G-8G:100M,2G-4G:200M", 3 * GIB);
    assert_eq!(first, Ok(Some(plain(100 * MIB))));
    let none = asked("crashkernel=1G-4G:0,4G-:1G", 2 * GIB);
    assert_eq!(none, Err(RequestError::Nothing));
}

#[test]
fn refusals_say_what_is_wrong_and_where() {
    for (line, sentence) in [
        (
            "crashkernel=",
            "crashkernel= has the end at column 13 of the command line, where a number of bytes has \
             to be, such as 256M",
        ),
        (
            "quiet crashkernel=\"64M\"",
            "crashkernel= has '\"' at column 19 of the command line, where a number of bytes has to \
             be, such as 256M",
        ),
        (
            "crashkernel=64MB",
            "crashkernel= goes on with 'B' at column 16 of the command line, where it has to end: it \
             is SIZE, SIZE@ADDRESS, SIZE,high, SIZE,low, SIZE,cma or RANGE:SIZE[,RANGE:SIZE...], \
             without quotes",
        ),
        (
            "\"crashkernel=64M\"",
            "crashkernel= goes on with '\"' at column 17 of the command line, where it has to end: \
             it is SIZE, SIZE@ADDRESS, SIZE,high, SIZE,low, SIZE,cma or \
             RANGE:SIZE[,RANGE:SIZE...], without quotes",
        ),
        (
            "crashkernel=64M\tquiet",
            "crashkernel= goes on with the byte 0x09 at column 16 of the command line, where it has \
             to end: it is SIZE, SIZE@ADDRESS, SIZE,high, SIZE,low, SIZE,cma or \
             RANGE:SIZE[,RANGE:SIZE...], without quotes",
        ),
        (
            "crashkernel=16E",
            "crashkernel= has a number at column 13 of the command line that is larger than any \
             address",
        ),
        (
            "crashkernel=1G:64M",
            "crashkernel= has ':' at column 15 of the command line, where '-' has to be: a size for \
             a range of memory is written 1G-4G:256M",
        ),
        (
            "crashkernel=4G-2G:64M",
            "crashkernel= has a range at column 13 of the command line that goes from 0x100000000 to \
             0x80000000: the end has to be the larger one",
        ),
        (
            "crashkernel=1G-2G:64M",
            "crashkernel= has no range for a machine with 0x100000000 bytes (4 GiB): add one, such \
             as 1G-:256M",
        ),
        ("crashkernel=0", "crashkernel= asks for 0 bytes on this machine"),
        (
            "crashkernel=4G",
            "crashkernel= asks for 0x100000000 bytes (4 GiB), but the machine has 0x100000000 bytes \
             (4 GiB): ask for less",
        ),
        (
            "crashkernel=64M,low",
            "crashkernel= has only memory besides the region, at column 13 of the command line: add \
             the region itself, such as crashkernel=256M, or crashkernel=256M,high for ,low",
        ),
        (
            "crashkernel=256M crashkernel=64M,cma",
            "crashkernel= has ,cma at column 30 of the command line, which kernels know from 6.17 \
             on; older ones take it for a size that they cannot read, and reserve nothing at all: \
             leave it out",
        ),
    ] {
        let error = asked(line, 4 * GIB).expect_err(line);
        assert_eq!(error.to_string(), sentence, "{line}");
    }
}

#[test]
fn newer_kernels_know_memory_that_stays_in_use() {
    let found = request(b"crashkernel=256M crashkernel=64M,cma", 4 * GIB, &newest());
    let expected = Request {
        cma_len: 64 * MIB,
        ..plain(256 * MIB)
    };
    assert_eq!(found, Ok(Some(expected)));
    let alone = request(b"crashkernel=64M,cma", 4 * GIB, &newest());
    assert_eq!(alone, Err(RequestError::Alone { column: 13 }));
    assert!(!Rules::of(Architecture::Arm64, 6, 16).knows_cma);
    assert!(Rules::of(Architecture::Arm64, 6, 17).knows_cma);
}

/// The free memory of a PC with 6 GiB.
fn free() -> [Range; 3] {
    [
        range(0x1000, 0x9f000),
        range(MIB, 3 * GIB - 128 * KIB),
        range(4 * GIB, 7 * GIB),
    ]
}

fn place(line: &str) -> Result<Reserved, String> {
    let request = asked(line, 6 * GIB).unwrap().unwrap();
    reserve(&request, &free(), &rules()).map_err(|error| error.to_string())
}

#[test]
fn the_highest_place_below_4_gib_is_taken() {
    let found = place("crashkernel=256M").unwrap();
    let start = 3 * GIB - 272 * MIB;
    assert_eq!(found.region, range(start, start + 256 * MIB));
    assert_eq!(found.low, None);
}

#[test]
fn what_does_not_fit_below_goes_above_with_a_second_region() {
    let found = place("crashkernel=3G").unwrap();
    assert_eq!(found.region, range(4 * GIB, 7 * GIB));
    let start = 3 * GIB - 272 * MIB;
    assert_eq!(found.low, Some(range(start, start + 256 * MIB)));
    let nowhere = place("crashkernel=3200M").unwrap_err();
    assert_eq!(
        nowhere,
        "crashkernel= asks for 0xc8000000 bytes (3.1 GiB), but the largest free piece of memory has \
         room for 0xc0000000 bytes (3 GiB): ask for less"
    );
}

#[test]
fn high_and_low_are_as_asked_for() {
    let found = place("crashkernel=1G,high crashkernel=64M,low").unwrap();
    assert_eq!(found.region, range(6 * GIB, 7 * GIB));
    let start = 3 * GIB - 80 * MIB;
    assert_eq!(found.low, Some(range(start, start + 64 * MIB)));
    assert_eq!(
        place("crashkernel=1G,high crashkernel=0,low").unwrap().low,
        None
    );
    let small = [range(MIB, 200 * MIB), range(4 * GIB, 7 * GIB)];
    let request = asked("crashkernel=1G,high", 6 * GIB).unwrap().unwrap();
    let error = reserve(&request, &small, &rules()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "with the region above 4 GiB, 0x10000000 bytes (256 MiB) are needed below 0x100000000 as \
         well, but the largest free piece there has room for 0xb800000 bytes (184 MiB): ask for a \
         region that fits below, or for less with ,low"
    );
    // Without memory above, high is low.
    let below = [range(MIB, 3 * GIB)];
    let found = reserve(&request, &below, &rules()).unwrap();
    assert_eq!(found.region, range(2 * GIB, 3 * GIB));
    assert_eq!(found.low, None);
}

#[test]
fn a_kernel_without_zones_knows_no_high_memory() {
    let mut rules = Rules::of(Architecture::Arm64, 6, 12);
    rules.low_max = rules.high_max;
    let request = asked("crashkernel=256M,high crashkernel=64M,low", 6 * GIB);
    let error = reserve(&request.unwrap().unwrap(), &free(), &rules).unwrap_err();
    assert_eq!(
        error.to_string(),
        "crashkernel= has ,high, but this kernel was built without ZONE_DMA and ZONE_DMA32, and takes \
         all memory for low: leave ,high and ,low out"
    );
    let request = asked("crashkernel=256M", 6 * GIB).unwrap().unwrap();
    let found = reserve(&request, &free(), &rules).unwrap();
    assert_eq!(found.region, range(7 * GIB - 256 * MIB, 7 * GIB));
}

#[test]
fn an_address_is_taken_or_refused() {
    let found = place("crashkernel=64M@256M").unwrap();
    assert_eq!(found.region, range(256 * MIB, 320 * MIB));
    assert_eq!(
        place("crashkernel=64M@1M").unwrap_err(),
        "crashkernel= asks for memory at 0x100000, but the address has to be a multiple of 0x1000000"
    );
    assert_eq!(
        place("crashkernel=64M@3056M").unwrap_err(),
        "crashkernel= asks for the memory at 0xbf000000-0xc3000000, of which something is in use or \
         is no RAM: leave the address out"
    );
}

proptest! {
    #[test]
    fn what_is_reserved_is_free_aligned_and_as_long_as_asked(
        len in 1..4 * GIB,
        low_len in proptest::option::of(0..GIB),
        high in any::<bool>(),
        cuts in proptest::collection::vec(0..8 * GIB, 2..16),
        cma in any::<bool>(),
    ) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let free: Vec<Range> = cuts.chunks_exact(2).map(|pair| range(pair[0], pair[1])).collect();
        let rules = if cma { newest() } else { Rules::of(Architecture::Arm64, 6, 12) };
        let request = Request { len, at: None, high, low_len, cma_len: 0 };
        match reserve(&request, &free, &rules) {
            Ok(found) => {
                for region in [Some(found.region), found.low].into_iter().flatten() {
                    prop_assert!(free.iter().any(|piece| piece.encloses(&region)));
                    prop_assert_eq!(region.start() % rules.alignment, 0);
                }
                prop_assert_eq!(found.region.len(), len);
                prop_assert_eq!(
                    found.low.is_some(),
                    found.region.start() >= 4 * GIB && !(high && low_len == Some(0))
                );
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(
        line in "(crashkernel=)?[0-9xKMGTPE:@,\\- highlowcma]{0,40}( crashkernel=[0-9MG]{0,4})?",
        ram in any::<u64>(),
    ) {
        for rules in [rules(), newest()] {
            if let Ok(Some(found)) = request(line.as_bytes(), ram, &rules) {
                prop_assert!(found.len > 0 && found.len < ram);
            }
        }
    }
}
