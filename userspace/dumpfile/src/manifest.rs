// SPDX-License-Identifier: GPL-2.0

//! The manifest of a dump: a file beside it with a BLAKE3 digest of each chunk, as lines of JSON.
//!
//! The first line is `{"manifest":1,"digest":"blake3"}`. Each chunk has a line
//! `{"offset":0,"len":4096,"blake3":"…"}`, in the order in which chunks were written. A line for the same
//! chunk as an earlier one replaces it, and what no line has is zeros. The last line is
//! `{"end":…}`, with the length of the dump up to its last chunk. It is missing if the writer did not
//! come to its end; the lines before hold nevertheless.

use serde::{
    Deserialize,
    Serialize, //
};

pub mod verify;
pub mod writer;

/// The version that is written.
const VERSION: u32 = 1;

/// The name of the digest.
const DIGEST: &str = "blake3";

/// A line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    Head {
        manifest: u32,
        digest: String,
    },
    Chunk {
        offset: u64,
        len: u64,
        blake3: String,
    },
    End {
        end: u64,
    },
}
