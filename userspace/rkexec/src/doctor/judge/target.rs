// SPDX-License-Identifier: GPL-2.0

//! Where the dump goes.

use crate::{
    doctor::{
        facts::{
            Facts,
            TargetKind, //
        },
        finding::Finding, //
    },
    output::Size, //
};

const ID: &str = "target";
/// File systems whose files are gone after a reboot.
const IN_MEMORY: [&str; 3] = ["tmpfs", "ramfs", "rootfs"];
const MIB: u64 = 1 << 20;

/// Judges the place of the dump.
pub fn judge(facts: &Facts, found: &mut Vec<Finding>) {
    let Some(target) = &facts.target else {
        found.push(Finding::note(
            ID,
            "where the initrd saves the dump to is not known",
            "name the directory or the disk: --target=PATH",
        ));
        return;
    };
    let path = &target.path;
    let (room, is_root) = match &target.kind {
        TargetKind::Directory { filesystem, .. } if IN_MEMORY.contains(&filesystem.as_str()) => {
            found.push(Finding::wrong(
                ID,
                format!("{path} is in memory ({filesystem}), and gone after a reboot"),
                "save dumps to a disk or a network",
            ));
            return;
        }
        TargetKind::Directory { free, is_root, .. } => (*free, *is_root),
        TargetKind::Device { len } => (*len, false),
        TargetKind::Unknown(sentence) => {
            found.push(Finding::wrong(
                ID,
                sentence.clone(),
                "name another one: --target=PATH",
            ));
            return;
        }
    };
    let (whole, least) = (facts.machine.memory_len, facts.machine.kernel_memory_len);
    let [room_shown, whole_shown, least_shown] =
        [room, whole, least].map(|len| Size(len / MIB * MIB));
    found.push(if room < least {
        Finding::wrong(
            ID,
            format!(
                "{path} has {room_shown} free, and the kernel's own memory alone, which every dump has, is \
                 {least_shown} now"
            ),
            "delete old dumps, or use a larger one; compression may save the day, but do not rely on it",
        )
    } else if room < whole {
        Finding::warning(
            ID,
            format!(
                "{path} has {room_shown} free: enough for a dump that makedumpfile filters, but not for all \
                 of memory ({whole_shown})"
            ),
            "have the initrd filter it (makedumpfile -l -d 31), or use a larger one",
        )
    } else if is_root {
        Finding::note(
            ID,
            format!("{path} has room for all of memory ({room_shown} free), on the root file system"),
            "a partition of its own cannot fill up the system, and needs no repair after the crash",
        )
    } else {
        Finding::good(ID, format!("{path} has room for all of memory ({room_shown})"))
    });
}
