// SPDX-License-Identifier: GPL-2.0

//! The writer of ELF core files.

use std::io;

use dumpfile::{
    elf::Load,
    elf_core::ElfCore,
    elf_dump::{
        writer::{
            Writer,
            Written, //
        },
        Description, //
    },
    frames::Frames,
    memory::{
        MemoryError,
        PhysicalMemory, //
    },
    target::{
        MemoryTarget,
        Target, //
    }, //
};
use kexec_core::types::elf::Architecture;
use proptest::prelude::*;

use crate::{
    cut::Cut,
    elf_file::notes,
    machine::{
        machines,
        work,
        Machine,
        PAGE, //
    }, //
};

/// How far virtual addresses are from physical ones.
const SHIFT: u64 = 0xffff_8880_0000_0000;

fn description(machine: &Machine, page_len: u64) -> Description {
    let memory = machine.core.loads().iter();
    let mut loads: Vec<_> = memory
        .map(|load| Load {
            addresses: load.addresses.clone(),
            virtual_address: load.addresses.start + SHIFT,
        })
        .collect();
    // The kernel's image has other addresses as well.
    let image = loads[0].addresses.clone();
    loads.push(Load {
        addresses: image.start + (image.end - image.start) / 2..image.end,
        virtual_address: 0xffff_ffff_8000_0000,
    });
    Description {
        architecture: Architecture::X86_64,
        page_len,
        notes: notes(),
        loads,
    }
}

fn write(target: impl Target, machine: &Machine, threads: usize) -> io::Result<Written> {
    let (memory, kept) = (&machine.memory, &machine.kept);
    let writer = Writer::start(target, description(machine, PAGE as u64), memory, kept)?;
    let workers = (0..threads).map(|_| writer.worker(&machine.core)).collect();
    work(
        kept,
        memory,
        workers,
        |worker, piece| worker.write(piece),
        |worker| worker.flush(),
    )?;
    writer.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read_again(machine in machines(), threads in 1_usize..4) {
        let target = MemoryTarget::default();
        let written = write(&target, &machine, threads).unwrap();
        let bytes = target.into_bytes();
        prop_assert!(written.len == bytes.len() as u64 || machine.kept.count() == 0);
        prop_assert_eq!((written.pages, written.lost), (machine.kept.count(), 0));
        let core = ElfCore::open(bytes).unwrap();
        prop_assert!(!core.is_incomplete());
        prop_assert_eq!((core.lost(), core.notes()), (0, &notes()[..]));
        let frames = core.frames(PAGE as u64);
        prop_assert_eq!(&machine.kept.without(&frames), &Frames::new());
        prop_assert_eq!(&frames.without(&machine.memory), &Frames::new());
        let (mut found, mut expected) = ([1; PAGE], [2; PAGE]);
        for frame in frames.runs().flatten() {
            let address = frame * PAGE as u64;
            core.read(address, &mut found).unwrap();
            if machine.kept.contains(frame) {
                machine.core.read(address, &mut expected).unwrap();
            } else {
                expected.fill(0);
            }
            prop_assert!(found == expected, "frame {frame}");
        }
        for load in core.loads() {
            let image = load.virtual_address >= 0xffff_ffff_8000_0000;
            prop_assert!(image || load.virtual_address == load.addresses.start + SHIFT);
        }
    }

    #[test]
    fn a_file_that_was_cut_off_has_what_got_there(
        machine in machines(),
        room in any::<prop::sample::Index>(),
    ) {
        let whole = MemoryTarget::default();
        write(&whole, &machine, 1).unwrap();
        let target = Cut::new(room.index(whole.into_bytes().len()));
        match write(&target, &machine, 2) {
            // Zeros are not written, so that there may have been room.
            Ok(_) => return Ok(()),
            Err(error) => prop_assert_eq!(error.kind(), io::ErrorKind::StorageFull),
        }
        if let Ok(core) = ElfCore::open(target.file.into_bytes()) {
            prop_assert!(core.is_incomplete());
            for range in core.ranges() {
                core.read(range.start, &mut vec![0; (range.end - range.start) as usize]).unwrap();
            }
        }
    }
}

/// More segments than the header has room to count.
#[test]
fn a_file_has_as_many_segments_as_there_are_holes() {
    const SEGMENTS: u64 = 70_000;
    let page_len = 16;
    let machine = Machine::new(&[(0, vec![4; 9])], Frames::new());
    let memory = Frames::from(0..SEGMENTS * 300);
    let kept: Frames = (0..SEGMENTS).map(|at| at * 300..at * 300 + 1).collect();
    let target = MemoryTarget::default();
    let mut description = description(&machine, page_len);
    description.loads = vec![Load {
        addresses: 0..SEGMENTS * 300 * page_len,
        virtual_address: SHIFT,
    }];
    let writer = Writer::start(&target, description, &memory, &kept).unwrap();
    let runs: Vec<_> = dumpfile::order::runs(&kept, &memory).take(3).collect();
    // So that the file is as long as it says.
    target.write_at(14_000_000, &[0]).unwrap();
    let mut worker = writer.worker(&machine.core);
    worker.write(&runs).unwrap();
    worker.flush().unwrap();
    writer.finish().unwrap();
    let core = ElfCore::open(target.into_bytes()).unwrap();
    assert_eq!(core.frames(page_len), kept);
    let mut page = [0; 16];
    core.read(300 * page_len, &mut page).unwrap();
    assert_eq!(
        page[..],
        machine.core.window(300 * page_len, 16).unwrap()[..]
    );
    let between = core.window(page_len, 1);
    assert!(matches!(between, Err(MemoryError::Missing(_))));
}
