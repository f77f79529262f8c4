// SPDX-License-Identifier: GPL-2.0

//! Feeds every target with the inputs that a fuzzer has kept: one for each way through it, and
//! those that once crashed it.

use std::{
    fs,
    path::Path, //
};

use fuzz::TARGETS;

/// Longest input that is checked in.
const LEN_MAX: usize = 4096;

#[test]
fn the_corpus_is_read_without_a_panic() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
        let mut count = 0;
        for file in files {
            let path = file.expect("the folder can be listed").path();
            let input = fs::read(&path).expect("the file can be read");
            assert!(input.len() <= LEN_MAX, "{} is too long", path.display());
            // The name of the last one stands above a panic.
            println!("{}", path.display());
            (target.run)(&input);
            count += 1;
        }
        assert!(count > 0, "{} has no corpus", target.name);
    }
}

/// The shortest inputs are the ones that lengths are subtracted from.
#[test]
fn no_target_needs_a_long_input() {
    for target in TARGETS {
        for len in 0..=128 {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                (target.run)(&vec![byte; len]);
            }
        }
    }
}
