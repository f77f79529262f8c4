// SPDX-License-Identifier: GPL-2.0

//! Device trees that cannot be made.

use kexec_core::{
    handover::{
        arm64::{
            device_tree::{
                next_tree,
                Changes,
                DeviceTreeError,
                TREE_LEN_MAX, //
            },
            fdt::FdtError, //
        },
        CaptureMemory,
        UsableMemory, //
    },
    types::errno::Errno, //
};

use super::{
    super::tree::{
        running,
        Layout,
        Node,
        Tree, //
    },
    capture,
    changes,
    memory,
    refused,
    REGION, //
};
use crate::fixture::range;

#[test]
fn what_the_capture_kernel_could_not_read_is_refused() {
    let refused = |changes: Changes<'_>| {
        let error = refused(&running(), &changes);
        assert_eq!(error.errno(), Errno::Inval);
        error
    };
    assert_eq!(
        refused(Changes {
            capture: Some(CaptureMemory {
                usable: UsableMemory::default(),
                ..memory()
            }),
            ..changes()
        }),
        DeviceTreeError::UsableCount { count: 0 }
    );
    assert_eq!(
        refused(Changes {
            capture: Some(CaptureMemory {
                usable: UsableMemory::set_aside(&[REGION; 3]),
                ..memory()
            }),
            ..changes()
        })
        .to_string(),
        "linux,usable-memory-range is to tell of 3 ranges, but from 1 to 2 can be told"
    );
    assert_eq!(
        refused(Changes {
            capture: Some(CaptureMemory {
                elfcorehdr: range(0x5fff_0000, 0x6000_1000),
                ..memory()
            }),
            ..changes()
        })
        .to_string(),
        "linux,elfcorehdr is to tell of 0x5fff0000-0x60001000, which is not in the crash region"
    );
    assert_eq!(
        refused(Changes {
            initrd: Some(range(0x4000_0000, 0x4000_1000)),
            ..changes()
        }),
        DeviceTreeError::Unusable {
            property: "linux,initrd-start",
            range: range(0x4000_0000, 0x4000_1000)
        }
    );
    assert_eq!(
        refused(Changes {
            bootargs: b"quiet\0",
            ..changes()
        }),
        DeviceTreeError::BootArgs { offset: 5 }
    );
    assert_eq!(
        capture(b"", &changes()),
        Err(DeviceTreeError::Fdt(FdtError::TooShort { len: 0 }))
    );
}

#[test]
fn a_tree_longer_than_a_kernel_reads_is_refused() {
    let root = |len| Tree::new(Node::new("").with("big", &vec![1; len])).encode(Layout::default());
    let rest = root(0).len();
    let added = {
        let mut out = vec![0; 8192];
        next_tree(&mut out, &root(0), &changes()).unwrap() - rest
    };
    let longest = TREE_LEN_MAX - rest - added;
    let mut out = vec![0; TREE_LEN_MAX + 100];
    assert_eq!(
        next_tree(&mut out, &root(longest & !3), &changes()),
        Ok(TREE_LEN_MAX - (longest & 3))
    );
    let error = next_tree(&mut out, &root(longest + 4), &changes()).unwrap_err();
    assert!(matches!(error, DeviceTreeError::TooLong { .. }), "{error}");
    assert_eq!(error.errno(), Errno::Inval);
}
