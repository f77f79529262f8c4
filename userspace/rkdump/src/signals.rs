// SPDX-License-Identifier: GPL-2.0

//! Signals that end the program: a dump is not left in the middle of a write, but marked and said to be
//! incomplete.

use std::{
    sync::atomic::{
        AtomicI32,
        Ordering, //
    },
    thread, //
};

use nix::sys::signal::{
    SigSet,
    Signal, //
};

/// What ends a program from outside.
const SIGNALS: [Signal; 3] = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];

/// The signal that has come, or 0.
static CAME: AtomicI32 = AtomicI32::new(0);

/// What a write beyond `ulimit -f` is answered with besides its error, which says what there is to be said.
const FILE_LIMIT: Signal = Signal::SIGXFSZ;

/// From now on signals only ask to stop; a second one ends the program at once. To be called before there are
/// threads.
pub fn wait_for_them() {
    let limit: SigSet = [FILE_LIMIT].into_iter().collect();
    let set: SigSet = SIGNALS.into_iter().collect();
    let _ = limit.thread_block();
    if set.thread_block().is_err() {
        return;
    }
    let waiting = thread::Builder::new().stack_size(64 << 10).spawn(move || {
        while let Ok(signal) = set.wait() {
            if CAME.swap(signal as i32, Ordering::Relaxed) != 0 {
                std::process::exit(128 + signal as i32);
            }
        }
    });
    if waiting.is_err() {
        // Without the thread they have to end the program by themselves.
        let _ = set.thread_unblock();
    }
}

/// The signal that has asked to stop.
pub fn came() -> Option<&'static str> {
    let number = CAME.load(Ordering::Relaxed);
    SIGNALS
        .into_iter()
        .find(|signal| *signal as i32 == number)
        .map(Signal::as_str)
}
