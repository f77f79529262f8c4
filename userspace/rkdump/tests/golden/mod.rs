// SPDX-License-Identifier: GPL-2.0

//! What the program prints, compared word for word with a file of `tests/output`.

use std::path::Path;

/// Compares `actual` with the file `name`. With `RKDUMP_WRITE_OUTPUT` in the environment it writes
/// the file instead, for a change that is meant.
pub fn assert_output(name: &str, actual: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/output")
        .join(name);
    if std::env::var_os("RKDUMP_WRITE_OUTPUT").is_some() {
        std::fs::write(&path, actual).expect("the file can be written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        actual,
        expected,
        "{} has other words; RKDUMP_WRITE_OUTPUT=1 writes it anew",
        path.display()
    );
}
