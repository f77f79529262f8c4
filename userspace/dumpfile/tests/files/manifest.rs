// SPDX-License-Identifier: GPL-2.0

//! The manifest of a dump.

use std::sync::Mutex;

use dumpfile::{
    manifest::{
        verify::{
            verify,
            ManifestError, //
        },
        writer::Noted, //
    },
    target::{
        MemoryTarget,
        Target, //
    }, //
};
use proptest::prelude::*;

/// A dump of some chunks with gaps, whose header is written twice, and its manifest.
fn write(chunks: &[(u64, Vec<u8>)]) -> (Vec<u8>, Vec<u8>) {
    let target = MemoryTarget::default();
    let noted = Noted::new(&target, Vec::new()).unwrap();
    noted.write_at(0, &[8; 64]).unwrap();
    let mut at = 64;
    let mut places = Vec::new();
    for (gap, bytes) in chunks {
        at += gap;
        places.push((at, bytes));
        at += bytes.len() as u64;
    }
    let places = Mutex::new(places.into_iter());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| loop {
                let Some((at, bytes)) = places.lock().unwrap().next() else {
                    break;
                };
                noted.write_at(at, bytes).unwrap();
            });
        }
    });
    noted.write_at(0, &[9; 64]).unwrap();
    let manifest = noted.finish().unwrap();
    (target.into_bytes(), manifest)
}

proptest! {
    #[test]
    fn a_byte_that_changed_is_found(
        chunks in prop::collection::vec(
            (prop_oneof![Just(0), 1_u64..90], prop::collection::vec(any::<u8>(), 1..900)),
            1..20,
        ),
        damage in prop::option::of((any::<prop::sample::Index>(), 1_u8..)),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let (mut dump, manifest) = write(&chunks);
        let verified = verify(&dump, &manifest[..]).unwrap();
        prop_assert!(verified.is_complete && verified.damaged.is_empty());
        prop_assert_eq!(verified.chunks, chunks.len() as u64 + 1);
        if let Some((at, difference)) = damage {
            let at = at.index(dump.len());
            dump[at] ^= difference;
            let verified = verify(&dump, &manifest[..]).unwrap();
            prop_assert_eq!(verified.damaged.len(), 1);
            prop_assert!(verified.damaged[0].contains(&(at as u64)));
            dump[at] ^= difference;
        }
        if let Some(cut) = cut {
            let len = cut.index(dump.len());
            dump.truncate(len);
            let verified = verify(&dump, &manifest[..]).unwrap();
            prop_assert!(!verified.damaged.is_empty());
        }
    }

    #[test]
    fn a_damaged_manifest_is_read_or_refused(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let (dump, mut manifest) = write(&[(0, vec![1; 99]), (7, vec![2; 999])]);
        for (at, byte) in damage {
            let at = at.index(manifest.len());
            manifest[at] = byte;
        }
        let _ = verify(&dump, &manifest[..]);
    }
}

/// What a writer left that was killed.
#[test]
fn a_manifest_without_an_end_holds_for_what_it_has() {
    let (dump, manifest) = write(&[(0, vec![1; 99]), (7, vec![2; 999])]);
    let lines: Vec<_> = manifest.split_inclusive(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), 6);
    let cut = manifest.len() - lines[5].len() - 3;
    let verified = verify(&dump, &manifest[..cut]).unwrap();
    assert!(!verified.is_complete);
    // The header was written again, and that line is not whole.
    assert_eq!(verified.damaged.len(), 1);
    assert_eq!(verified.damaged[0], 0..64);
}

#[test]
fn what_is_no_manifest_is_refused_with_the_reason() {
    let refused = |text: &str| verify(&vec![0; 9], text.as_bytes()).unwrap_err();
    let head = "{\"manifest\":1,\"digest\":\"blake3\"}\n";
    assert!(matches!(refused(""), ManifestError::Head));
    assert!(matches!(refused("KDUMP"), ManifestError::Head));
    assert!(matches!(
        refused("{\"manifest\":2,\"digest\":\"blake3\"}\n"),
        ManifestError::Head
    ));
    assert!(matches!(
        refused(&format!("{head}{{}}\n")),
        ManifestError::Line(2)
    ));
    assert!(matches!(
        refused(&format!("{head}{head}")),
        ManifestError::Line(2)
    ));
    let chunk = |offset: u64, len: u64| {
        format!(
            "{{\"offset\":{offset},\"len\":{len},\"blake3\":\"{}\"}}\n",
            "0".repeat(64)
        )
    };
    let overlap = format!("{head}{}{}", chunk(0, 9), chunk(8, 1));
    assert!(matches!(refused(&overlap), ManifestError::Overlap(8)));
    let far = format!("{head}{}", chunk(9, u64::MAX));
    assert!(matches!(refused(&far), ManifestError::Overlap(9)));
    let after = format!("{head}{{\"end\":9}}\n{}", chunk(0, 1));
    assert!(matches!(refused(&after), ManifestError::Line(3)));
    let long = format!("{head}{}\n", " ".repeat(5000));
    assert!(matches!(refused(&long), ManifestError::Line(2)));
}
