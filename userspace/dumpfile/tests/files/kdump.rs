// SPDX-License-Identifier: GPL-2.0

//! The writer and the reader of kdump-compressed files.

use std::{
    io,
    ops::Range, //
};

use dumpfile::{
    codec::{
        Codec,
        Decompressor, //
    },
    frames::Frames,
    kdump::{
        error::KdumpError,
        parts::parts,
        reader::KdumpFile,
        reassemble::Parts,
        utsname,
        writer::{
            Writer,
            Written, //
        },
        Description, //
    },
    memory::{
        MemoryError,
        PhysicalMemory, //
    },
    target::{
        MemoryTarget,
        Target, //
    }, //
};
use proptest::prelude::*;

use crate::{
    cut::{
        Cut,
        Killed, //
    },
    elf_file::{
        notes,
        VMCOREINFO, //
    },
    machine::{
        machines,
        work,
        Machine,
        PAGE, //
    }, //
};

fn description(codec: Codec, part: Option<Range<u64>>) -> Description {
    Description {
        utsname: utsname([b"Linux", b"host", b"7.3.4", b"#1", b"x86_64", b"(none)"]),
        page_len: PAGE as u32,
        phys_base: 0x1234_0000,
        dump_level: 31,
        timestamp: [1_700_000_000, 5],
        cpus: 3,
        codec,
        level: None,
        notes: notes(),
        part,
        excluded_vmemmap: false,
    }
}

/// Writes a dump with this many threads.
fn write(
    target: impl Target,
    machine: &Machine,
    description: &Description,
    threads: usize,
) -> io::Result<Written> {
    let writer = Writer::start(target, description, &machine.memory, &machine.kept)?;
    let part = description.part.clone().unwrap_or(0..u64::MAX);
    let workers = (0..threads).map(|_| writer.worker(&machine.core)).collect();
    work(
        &machine.kept,
        &Frames::from(part),
        workers,
        |worker, piece| worker.write(piece),
        |worker| worker.flush(),
    )?;
    writer.finish()
}

fn codec() -> impl Strategy<Value = Codec> {
    prop::sample::select(Codec::ALL.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_written_is_read_again(
        machine in machines(),
        codec in codec(),
        threads in 1_usize..4,
        split in prop::option::of(0_u64..600),
    ) {
        let end = machine.memory.end();
        let parts = match split {
            Some(split) => vec![Some(0..split.min(end)), Some(split.min(end)..end)],
            None => vec![None],
        };
        for part in parts {
            let target = MemoryTarget::default();
            let description = description(codec, part.clone());
            let written = write(&target, &machine, &description, threads).unwrap();
            let bytes = target.into_bytes();
            prop_assert_eq!(written.len, bytes.len() as u64);
            let file = KdumpFile::open(bytes).unwrap();
            prop_assert!(!file.is_incomplete());
            prop_assert_eq!(file.memory().unwrap(), machine.memory.clone());
            prop_assert_eq!(file.kept().unwrap(), machine.kept.clone());
            prop_assert_eq!(file.vmcoreinfo(), Some(VMCOREINFO));
            prop_assert_eq!(file.header().utsname, description.utsname);
            prop_assert_eq!(file.sub_header().phys_base, description.phys_base);
            let part = part.unwrap_or(0..end);
            prop_assert_eq!(file.part(), part.clone());
            let mut pages = 0;
            let mut decompressor = Decompressor::default();
            for frame in 0..end + 70_000 {
                let (mut found, mut expected) = ([1; PAGE], [2; PAGE]);
                let address = frame * PAGE as u64;
                let read = file.page(frame, &mut found, &mut decompressor);
                if machine.kept.contains(frame) && part.contains(&frame) {
                    read.unwrap();
                    machine.core.read(address, &mut expected).unwrap();
                    prop_assert!(found == expected, "frame {frame}");
                    pages += 1;
                } else {
                    prop_assert!(matches!(read, Err(MemoryError::Missing(_))));
                }
            }
            prop_assert_eq!(written.pages, pages);
            prop_assert_eq!(written.lost, 0);
        }
    }

    #[test]
    fn parts_are_put_together(
        machine in machines(),
        codec in codec(),
        count in 1_usize..5,
        first in any::<prop::sample::Index>(),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut parts: Vec<Vec<u8>> = parts(&machine.memory, &machine.kept, count)
            .into_iter()
            .map(|part| {
                let target = MemoryTarget::default();
                write(&target, &machine, &description(codec, Some(part)), 1).unwrap();
                target.into_bytes()
            })
            .collect();
        parts.rotate_left(first.index(count));
        if let Some(cut) = cut {
            // What a part has lost is missing in the whole, which says so where descriptors are lost.
            let len = parts[0].len();
            parts[0].truncate(cut.index(len));
        }
        let Ok(files) = parts.into_iter().map(KdumpFile::open).collect::<Result<Vec<_>, _>>() else {
            return Ok(());
        };
        let target = MemoryTarget::default();
        Parts::new(&files).unwrap().write(&target).unwrap();
        let file = KdumpFile::open(target.into_bytes()).unwrap();
        prop_assert!(cut.is_some() || !file.is_incomplete());
        prop_assert_eq!(file.sub_header().split, 0);
        prop_assert_eq!(file.memory().unwrap(), machine.memory.clone());
        prop_assert_eq!(file.kept().unwrap(), machine.kept.clone());
        prop_assert_eq!(file.vmcoreinfo(), Some(VMCOREINFO));
        for run in machine.kept.runs() {
            for frame in run.clone() {
                let (mut found, mut expected) = ([1; PAGE], [2; PAGE]);
                let address = frame * PAGE as u64;
                machine.core.read(address, &mut expected).unwrap();
                match file.read(address, &mut found) {
                    Ok(()) => prop_assert!(found == expected, "frame {frame}"),
                    Err(error) => prop_assert!(cut.is_some(), "frame {frame}: {error}"),
                }
            }
        }
    }

    #[test]
    fn a_file_that_was_cut_off_has_what_got_there(
        machine in machines(),
        codec in codec(),
        room in any::<prop::sample::Index>(),
    ) {
        let whole = MemoryTarget::default();
        write(&whole, &machine, &description(codec, None), 1).unwrap();
        let target = Cut::new(room.index(whole.into_bytes().len()));
        match write(&target, &machine, &description(codec, None), 2) {
            // Zeros of a bitmap are not written, so that there may have been room.
            Ok(_) => return Ok(()),
            Err(error) => prop_assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        }
        let Ok(file) = KdumpFile::open(target.file.into_bytes()) else {
            return Ok(());
        };
        prop_assert!(file.is_incomplete());
        for run in file.kept().unwrap().runs() {
            for frame in run.clone() {
                let address = frame * PAGE as u64;
                let (mut found, mut expected) = ([1; PAGE], [2; PAGE]);
                match file.read(address, &mut found) {
                    Ok(()) => {
                        machine.core.read(address, &mut expected).unwrap();
                        prop_assert!(found == expected, "frame {frame}");
                    }
                    Err(MemoryError::Missing(missing)) => prop_assert_eq!(missing, address),
                    Err(error) => panic!("frame {frame}: {error}"),
                }
            }
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused(
        machine in machines(),
        codec in codec(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
        head in prop::collection::vec((408_usize..4200, any::<u8>()), 0..4),
    ) {
        let target = MemoryTarget::default();
        write(&target, &machine, &description(codec, None), 1).unwrap();
        let mut bytes = target.into_bytes();
        let places = damage.into_iter().map(|(at, byte)| (at.index(bytes.len()), byte));
        for (at, byte) in places.chain(head).collect::<Vec<_>>() {
            bytes[at] = byte;
        }
        if let Ok(file) = KdumpFile::open(bytes) {
            let mut page = vec![0; file.page_len() as usize];
            let mut decompressor = Decompressor::default();
            for frame in file.kept().unwrap().runs().flatten().take(2000) {
                let _ = file.page(frame, &mut page, &mut decompressor);
            }
        }
    }
}

/// A page that shrinks is compressed, one that does not is not, and equal ones are there once.
#[test]
fn each_page_is_written_in_the_way_that_pays() {
    for codec in Codec::ALL {
        let machine = Machine::new(&[(10, vec![0, 3, 5, 1, 1, 0, 5])], Frames::from(0..100));
        let target = MemoryTarget::default();
        let written = write(&target, &machine, &description(codec, None), 1).unwrap();
        assert_eq!((written.pages, written.shared), (7, 4));
        let file = KdumpFile::open(target.into_bytes()).unwrap();
        let descriptor = |frame| file.descriptor(frame).unwrap().unwrap();
        assert_eq!(descriptor(10), descriptor(15));
        assert_eq!(descriptor(13), descriptor(14));
        assert_eq!(descriptor(12), descriptor(16));
        assert_eq!((descriptor(10).len, descriptor(10).flags), (PAGE as u32, 0));
        assert_eq!((descriptor(11).len, descriptor(11).flags), (PAGE as u32, 0));
        assert_eq!(descriptor(12).flags, codec.flag());
        assert_eq!(descriptor(12).len < PAGE as u32 / 2, codec != Codec::Raw);
    }
}

/// Until the end the file says that it is not complete, and it does so for good if a page is missing.
#[test]
fn a_file_is_incomplete_until_its_end() {
    let machine = Machine::new(&[(0, vec![4; 9])], Frames::from(0..9));
    let target = MemoryTarget::default();
    let description = description(Codec::Zstd, None);
    // One frame more than the file has.
    let kept = Frames::from(0..10);
    let writer = Writer::start(&target, &description, &kept, &kept).unwrap();
    let runs: Vec<_> = dumpfile::order::runs(&kept, &kept).collect();
    let mut worker = writer.worker(&machine.core);
    worker.write(&runs).unwrap();
    worker.flush().unwrap();
    let written = writer.finish().unwrap();
    assert_eq!((written.pages, written.lost), (9, 1));
    let file = KdumpFile::open(target.into_bytes()).unwrap();
    assert!(file.is_incomplete());
    assert!(matches!(
        file.window(9 * PAGE as u64, 1),
        Err(MemoryError::Missing(_))
    ));
    assert_eq!(file.window(8 * PAGE as u64 + 4000, PAGE).unwrap().len(), 96);
}

/// Whenever its writer is killed, a file that has a header can be opened, and is marked until it is whole.
#[test]
fn a_file_whose_writer_is_killed_can_be_opened() {
    let machine = Machine::new(&[(0, vec![4; 9]), (70_000, vec![5])], Frames::from(0..9));
    for calls in 0.. {
        let target = Killed::after(calls);
        let outcome = write(&target, &machine, &description(Codec::Zstd, None), 1);
        let bytes = target.file.into_bytes();
        if bytes.starts_with(b"KDUMP   ") {
            let file = KdumpFile::open(bytes).expect("it can be opened");
            // What is left after the mark is gone is to have it last.
            assert!(file.is_incomplete() || file.kept().unwrap() == machine.kept);
        }
        if outcome.is_ok() {
            assert!(calls > 5);
            return;
        }
    }
}

/// A worker writes nothing outside the part that its file has.
#[test]
fn a_run_of_another_part_is_refused() {
    let machine = Machine::new(&[(0, vec![4; 9])], Frames::from(0..9));
    let target = MemoryTarget::default();
    let description = description(Codec::Zstd, Some(3..6));
    let writer = Writer::start(&target, &description, &machine.memory, &machine.kept).unwrap();
    let mut worker = writer.worker(&machine.core);
    for run in [2..4, 5..7] {
        let run: Vec<_> = dumpfile::order::runs(&machine.kept, &Frames::from(run)).collect();
        let error = worker.write(&run).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn what_is_no_such_file_is_refused_with_the_reason() {
    let machine = Machine::new(&[(0, vec![4; 9])], Frames::from(0..9));
    let target = MemoryTarget::default();
    write(&target, &machine, &description(Codec::Lzo, None), 1).unwrap();
    let bytes = target.into_bytes();
    let refused = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        KdumpFile::open(bytes).unwrap_err()
    };
    assert!(matches!(
        refused(&|bytes| bytes[0] = b'k'),
        KdumpError::Signature
    ));
    assert!(matches!(
        refused(&|bytes| bytes[8] = 5),
        KdumpError::Version(5)
    ));
    assert!(matches!(
        refused(&|bytes| bytes[429] = 17),
        KdumpError::Header(_)
    ));
    assert!(matches!(
        refused(&|bytes| bytes.truncate(440)),
        KdumpError::Short { .. }
    ));
    assert!(matches!(
        refused(&|bytes| bytes[4096 + 56 + 4] = 1),
        KdumpError::NotesLen(_)
    ));
    assert!(matches!(
        refused(&|bytes| bytes[4096 + 96 + 4] = 1),
        KdumpError::Frames { .. }
    ));
    assert!(matches!(
        refused(&|bytes| bytes.truncate(8192)),
        KdumpError::Short { .. }
    ));
}
