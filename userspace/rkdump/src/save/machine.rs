// SPDX-License-Identifier: GPL-2.0

//! What a dump says of the machine, by the kernel's own words.

use dumpfile::kdump::{
    self,
    Description, //
};
use kernel_memory::translation::Translation;
use kexec_core::types::elf::Architecture;

use super::job::Job;
use crate::dump::Dump;

/// Length of a string of `struct new_utsname`.
const UTSNAME_LEN: usize = 65;

/// What the file says of the dump.
pub fn description(dump: &Dump, job: &Job, page_len: u32) -> Description {
    let info = &dump.vmcoreinfo;
    let phys_base = match dump.core.architecture() {
        Architecture::X86_64 => "phys_base",
        Architecture::Arm64 => "PHYS_OFFSET",
    };
    Description {
        utsname: utsname(dump),
        page_len,
        phys_base: info.unsigned_number(phys_base).unwrap_or(0),
        dump_level: job.left_out.dump_level.into(),
        timestamp: [info.crash_time().unwrap_or(0), 0],
        cpus: dump.core.prstatus().count().try_into().unwrap_or(u32::MAX),
        codec: job.codec,
        level: job.level,
        notes: dump.core.notes().to_vec(),
        part: None,
        excluded_vmemmap: job.left_out.unused_vmemmap,
    }
}

/// `struct new_utsname` of the kernel, out of its memory; where that cannot be read, what VMCOREINFO and the
/// file's header say.
fn utsname(dump: &Dump) -> [[u8; UTSNAME_LEN]; 6] {
    let release = dump.vmcoreinfo.release().unwrap_or_default();
    let machine: &[u8] = match dump.core.architecture() {
        Architecture::X86_64 => b"x86_64",
        Architecture::Arm64 => b"aarch64",
    };
    let told = kdump::utsname([b"Linux", b"", release.as_bytes(), b"", machine, b""]);
    let Ok(translation) = Translation::new(&dump.vmcoreinfo, dump.core.architecture()) else {
        return told;
    };
    let info = &dump.vmcoreinfo;
    let symbol = info.symbol("init_uts_ns");
    let (Ok(symbol), Ok(offset)) = (symbol, info.offset("uts_namespace.name")) else {
        return told;
    };
    let mut bytes = [0; 6 * UTSNAME_LEN];
    let address = symbol.wrapping_add(offset as u64);
    match translation.read(&dump.core, address, &mut bytes) {
        Ok(()) if bytes.starts_with(b"Linux\0") => {
            let mut found = [[0; UTSNAME_LEN]; 6];
            for (field, bytes) in found.iter_mut().zip(bytes.chunks_exact(UTSNAME_LEN)) {
                field.copy_from_slice(bytes);
            }
            found
        }
        _ => told,
    }
}
