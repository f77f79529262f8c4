// SPDX-License-Identifier: GPL-2.0

//! What is in an initrd.

use kexec_core::types::elf;

use crate::{
    doctor::facts::{
        Contents,
        Init, //
    },
    initrd::{
        archive::{
            File,
            Files, //
        },
        Measured, //
    }, //
};

/// What a program's segment has that names its interpreter.
const PT_INTERP: u32 = 3;
/// Shells, by their usual places.
const SHELLS: [&str; 4] = ["/bin/sh", "/bin/bash", "/usr/bin/sh", "/usr/bin/bash"];
/// What is before the release in a module.
const VERMAGIC: &[u8] = b"vermagic=";

/// The facts about an initrd. The command line may name another first process.
pub fn contents(measured: &Measured, command_line: Option<&[u8]>) -> Contents {
    let files = &measured.files;
    let words = command_line
        .unwrap_or_default()
        .split(u8::is_ascii_whitespace);
    let init = words.rev().find_map(|word| word.strip_prefix(b"rdinit="));
    let names = || files.names().map(|name| (name, last(name)));
    Contents {
        compressions: measured.compressions.clone(),
        init: first_process(files, init.unwrap_or(b"/init")),
        has_shell: SHELLS
            .iter()
            .any(|path| files.find(path.as_bytes()).is_some()),
        modules: names()
            .filter(|(_, last)| last.starts_with(b"rust_kexec.ko"))
            .filter_map(|(name, _)| files.find(name).map(|file| (name, file)))
            .map(|(name, file)| release(file).or_else(|| folder_release(name)))
            .collect(),
        drivers: names().flat_map(|(_, last)| drivers(last)).collect(),
    }
}

fn last(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
}

/// The module's name, of a file such as virtio-blk.ko.xz. Some initrds number them, in the order of loading.
fn drivers(name: &[u8]) -> Vec<String> {
    let name = String::from_utf8_lossy(name);
    let Some((module, _)) = name.split_once(".ko") else {
        return Vec::new();
    };
    let module = module.replace('-', "_");
    let unnumbered = module.trim_start_matches(|character: char| character.is_ascii_digit());
    let unnumbered = unnumbered.strip_prefix('_').map(Into::into);
    [Some(module.clone()), unnumbered]
        .into_iter()
        .flatten()
        .collect()
}

/// The release that a module was built for. One that is compressed does not tell.
fn release(module: &File) -> Option<String> {
    let bytes = &module.contents;
    let at = bytes
        .windows(VERMAGIC.len())
        .position(|part| part == VERMAGIC)?;
    let rest = bytes.get(at + VERMAGIC.len()..)?;
    let end = rest.iter().position(|byte| matches!(byte, b' ' | 0))?;
    Some(String::from_utf8_lossy(&rest[..end]).into_owned())
}

/// The release in a path such as usr/lib/modules/6.12.0/updates/rust_kexec.ko.xz.
fn folder_release(path: &[u8]) -> Option<String> {
    let path = String::from_utf8_lossy(path);
    let (_, rest) = path.split_once("lib/modules/")?;
    Some(rest.split_once('/')?.0.into())
}

fn first_process(files: &Files, path: &[u8]) -> Init {
    let Some(init) = files.find(path) else {
        return Init::Absent;
    };
    if !init.is_program() {
        return Init::NotExecutable;
    }
    match interpreter(&init.contents) {
        Some(program) if files.find(&program).is_none() => {
            Init::Uninterpreted(String::from_utf8_lossy(&program).into_owned())
        }
        _ => Init::Good,
    }
}

/// The program that interprets this one, of which the start is known.
fn interpreter(program: &[u8]) -> Option<Vec<u8>> {
    if let Some(line) = program.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?;
        let mut words = line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        return words.next().map(<[u8]>::to_vec);
    }
    let header = elf::Header::decode(program)?;
    for index in 0..usize::from(header.program_headers) {
        let at = usize::try_from(header.program_headers_offset).ok()?;
        let at = at.checked_add(index * elf::PROGRAM_HEADER_LEN)?;
        let segment = elf::ProgramHeader::decode(program.get(at..)?)?;
        if segment.segment_type == PT_INTERP {
            let start = usize::try_from(segment.offset).ok()?;
            let name = program.get(start..)?;
            return name.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
        }
    }
    None
}
