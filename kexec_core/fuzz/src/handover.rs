// SPDX-License-Identifier: GPL-2.0

//! Targets for the data that the running machine and the user give, and for the plan that is made
//! of them.

use kexec_core::{
    crashkernel::{
        request,
        reserve,
        Rules, //
    },
    handover::{
        arm64::{
            console,
            device_tree::{
                next_tree,
                tree_len_bound,
                Changes,
                DeviceTreeError, //
            },
            fdt::Fdt, //
        },
        command_line::{
            capture_command_line,
            find_console, //
        },
        CaptureMemory,
        UsableMemory, //
    },
    plan::{
        iomem,
        Placement,
        Placer, //
    },
    types::{
        elf::Architecture,
        ranges::Range, //
    },
    uapi::SegmentKind, //
};

use crate::take_u64;

/// The number of a tree's nodes that are read one by one.
const NODES: usize = 8;

/// A running machine's device tree, and the capture kernel's that is made from it.
pub fn fdt(input: &[u8]) {
    let Ok(tree) = Fdt::parse(input) else {
        return;
    };
    // Each node is read to its end. More nodes would take most of the time.
    for node in tree.nodes().take(NODES) {
        let _ = (node.name(), node.cells(), node.is_available());
        let _ = (node.properties().count(), node.children().count());
    }
    let _ = (tree.node(b"/chosen"), console::find_stdout(&tree));
    let range = |start, end| Range::new(start, end).unwrap_or_default();
    let regions = [range(0x4000_0000, 0x5000_0000)];
    let changes = Changes {
        capture: Some(CaptureMemory {
            elfcorehdr: range(0x4ff0_0000, 0x5000_0000),
            usable: UsableMemory::set_aside(&regions),
        }),
        bootargs: b"console=ttyAMA0",
        initrd: Some(range(0x4800_0000, 0x4812_3456)),
        kaslr_seed: Some(0x1234_5678_9abc_def0),
        rng_seed: &[0x5a; 64],
        stale_reservations: &[range(0x4400_0000, 0x4410_0000)],
    };
    let mut out = vec![0; tree_len_bound(tree.contents_len(), &changes)];
    let captured = next_tree(&mut out, input, &changes);
    let bound_holds = !matches!(captured, Err(DeviceTreeError::Buffer { .. }));
    assert!(bound_holds, "the tree is longer than its bound");
    if let Ok(len) = captured {
        let made = Fdt::parse(&out[..len]).expect("the tree that was made can be read");
        let chosen = made.node(b"/chosen").expect("it has a chosen node");
        assert!(chosen.property("linux,elfcorehdr").is_some());
    }
}

/// The text of /proc/iomem.
pub fn iomem(input: &[u8]) {
    if let Some(found) = iomem::find(input, "Kernel code") {
        assert!(!found.is_empty());
    }
}

/// `crashkernel=` on a machine of any size, under the rules of older and newer kernels.
pub fn crashkernel(input: &[u8]) {
    let mut line = input;
    let ram = take_u64(&mut line);
    let free = [0x10_0000..0xc000_0000, 0x1_0000_0000..ram]
        .map(|range| Range::new(range.start, range.end).unwrap_or_default());
    for rules in [
        Rules::of(Architecture::X86_64, 6, 12),
        Rules::of(Architecture::Arm64, 7, 3),
    ] {
        if let Ok(Some(asked)) = request(line, ram, &rules) {
            assert!(asked.len > 0 && asked.len < ram);
            if let Ok(reserved) = reserve(&asked, &free, &rules) {
                assert_eq!(reserved.region.len(), asked.len);
                assert!(free.iter().any(|piece| piece.encloses(&reserved.region)));
            }
        }
    }
}

/// The user's command line.
pub fn command_line(input: &[u8]) {
    let mut rest = input;
    let limit = take_u64(&mut rest) as u32 % 4096;
    let mut out = vec![0xaa; limit as usize + 1];
    if let Ok(len) = capture_command_line(&mut out, rest, 0x1234_5000, limit % 2 == 0, limit) {
        assert!(len <= limit as usize);
        assert_eq!(out[len], 0);
        assert!(!out[..len].contains(&0));
        assert!(out[..len].starts_with(b"elfcorehdr=0x12345000"));
        assert!(out[..len].ends_with(rest));
    }
    let _ = find_console(input);
}

/// A sequence of segments, with needs that the input tells.
pub fn plan(input: &[u8]) {
    const KINDS: [SegmentKind; 6] = [
        SegmentKind::Initrd,
        SegmentKind::BootParams,
        SegmentKind::Elfcorehdr,
        SegmentKind::Purgatory,
        SegmentKind::PurgatoryTable,
        SegmentKind::Kernel,
    ];
    let mut rest = input;
    let (start, end) = (take_u64(&mut rest), take_u64(&mut rest));
    let Some(region) = Range::new(start, end) else {
        return;
    };
    let Ok(mut placer) = Placer::new(region) else {
        return;
    };
    let mut placed: Vec<Range> = Vec::new();
    while !rest.is_empty() {
        let choice = take_u64(&mut rest);
        let kind = KINDS[(choice % 6) as usize];
        let placement = match choice & 0x100 {
            0 => Placement::Lowest,
            _ => Placement::Highest,
        };
        let alignment = 1_u64.wrapping_shl((choice >> 16) as u32);
        let (file_len, memory_len) = (take_u64(&mut rest), take_u64(&mut rest));
        let limit = Range::new(0, take_u64(&mut rest)).unwrap_or(Range::ALL);
        match placer.place(kind, file_len, memory_len, alignment, placement, limit) {
            Ok(segment) => {
                assert!(region.encloses(&segment.memory) && limit.encloses(&segment.memory));
                assert_eq!(segment.memory.start() % alignment, 0);
                assert!(placed.iter().all(|other| !other.overlaps(&segment.memory)));
                placed.push(segment.memory);
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    // Without a kernel there is no plan.
    assert!(placer.finish(start, u64::MAX).is_err());
}
