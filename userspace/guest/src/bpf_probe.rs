// SPDX-License-Identifier: GPL-2.0

//! A BPF program in a kprobe, which counts how often a function is entered. By bpf(2) and
//! perf_event_open(2), which no crate at hand wraps.

use std::{
    ffi::CStr,
    fs,
    io,
    os::fd::{
        AsRawFd,
        FromRawFd,
        OwnedFd,
        RawFd, //
    }, //
};

use nix::libc::{
    self,
    c_long,
    c_ulong, //
};

use crate::report::Failure;

/// `enum bpf_cmd` (`include/uapi/linux/bpf.h`).
const BPF_MAP_CREATE: c_long = 0;
const BPF_PROG_LOAD: c_long = 5;
/// `enum bpf_map_type` and `enum bpf_prog_type`, in the same file.
const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_PROG_TYPE_KPROBE: u32 = 2;
/// Attaches a program to an event (`include/uapi/linux/perf_event.h`): `_IOW('$', 8, __u32)`.
const PERF_EVENT_IOC_SET_BPF: c_ulong = 0x4004_2408;
/// The number of the kind of event that kprobes are.
const KPROBES: &str = "/sys/bus/event_source/devices/kprobe/type";

/// `union bpf_attr` of `BPF_MAP_CREATE` (`include/uapi/linux/bpf.h`), up to what is needed.
#[repr(C)]
struct MapAttributes {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
}

/// `union bpf_attr` of `BPF_PROG_LOAD`, up to what is needed.
#[repr(C)]
struct ProgramAttributes {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
}

/// `struct bpf_insn`.
#[repr(C)]
struct Instruction {
    code: u8,
    /// The destination in the low four bits, the source in the high ones.
    registers: u8,
    off: i16,
    imm: i32,
}

/// `struct perf_event_attr` (`include/uapi/linux/perf_event.h`) of `PERF_ATTR_SIZE_VER1`.
#[repr(C)]
#[derive(Default)]
struct EventAttributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    bp_type: u32,
    kprobe_func: u64,
    probe_offset: u64,
}

const _: () = assert!(size_of::<MapAttributes>() == 16);
const _: () = assert!(size_of::<ProgramAttributes>() == 24);
const _: () = assert!(size_of::<Instruction>() == 8);
const _: () = assert!(size_of::<EventAttributes>() == 72);
const _: () = assert!(std::mem::offset_of!(EventAttributes, kprobe_func) == 56);

/// What counts for as long as it lives.
#[derive(Debug)]
pub struct Probe {
    _files: [OwnedFd; 3],
}

impl Probe {
    /// Counts how often the function is entered, on any CPU.
    pub fn at(function: &CStr) -> Result<Self, Failure> {
        let failed = |what: &'static str| move |error| Failure::io(what, &error);
        let counter = counter().map_err(failed("cannot make a BPF map"))?;
        let program = program(&counter).map_err(failed("cannot load a BPF program"))?;
        let event = event(function).map_err(failed("cannot place a kprobe"))?;
        attach(&event, &program).map_err(failed("cannot attach a BPF program"))?;
        Ok(Self {
            _files: [counter, program, event],
        })
    }
}

/// A map of one number.
fn counter() -> io::Result<OwnedFd> {
    let attributes = MapAttributes {
        map_type: BPF_MAP_TYPE_ARRAY,
        key_size: 4,
        value_size: 8,
        max_entries: 1,
    };
    // SAFETY: The kernel reads the attributes, and writes nothing of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_MAP_CREATE,
            &raw const attributes,
            size_of_val(&attributes),
        )
    };
    owned(result)
}

/// A program that adds one to the number.
fn program(counter: &OwnedFd) -> io::Result<OwnedFd> {
    let instruction = |code, registers, imm| Instruction {
        code,
        registers,
        off: 0,
        imm,
    };
    let instructions = [
        // r1 = the address of the map's value, in two parts (BPF_PSEUDO_MAP_VALUE).
        instruction(0x18, 0x21, counter.as_raw_fd()),
        instruction(0, 0, 0),
        // r2 = 1; *(u64 *)r1 += r2, atomically; r0 = 0; exit
        instruction(0xb7, 0x02, 1),
        instruction(0xdb, 0x21, 0),
        instruction(0xb7, 0x00, 0),
        instruction(0x95, 0, 0),
    ];
    let attributes = ProgramAttributes {
        prog_type: BPF_PROG_TYPE_KPROBE,
        insn_cnt: instructions.len() as u32,
        insns: instructions.as_ptr().expose_provenance() as u64,
        license: c"GPL".as_ptr().expose_provenance() as u64,
    };
    // SAFETY: The kernel reads the attributes, the instructions and the licence, which are there, and
    // writes nothing of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_LOAD,
            &raw const attributes,
            size_of_val(&attributes),
        )
    };
    owned(result)
}

/// A kprobe at a function's entry.
fn event(function: &CStr) -> io::Result<OwnedFd> {
    let kind = fs::read_to_string(KPROBES)?;
    let attributes = EventAttributes {
        kind: kind.trim().parse().map_err(io::Error::other)?,
        size: size_of::<EventAttributes>() as u32,
        kprobe_func: function.as_ptr().expose_provenance() as u64,
        ..EventAttributes::default()
    };
    let (any_process, first_cpu, no_group): (c_long, c_long, c_long) = (-1, 0, -1);
    // SAFETY: The kernel reads the attributes and the function's name, which are there, and writes
    // nothing of ours.
    let result = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            any_process,
            first_cpu,
            no_group,
            0,
        )
    };
    owned(result)
}

fn attach(event: &OwnedFd, program: &OwnedFd) -> io::Result<()> {
    // SAFETY: The argument is a number, no address.
    match unsafe {
        libc::ioctl(
            event.as_raw_fd(),
            PERF_EVENT_IOC_SET_BPF as _,
            program.as_raw_fd(),
        )
    } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The file that a system call has opened.
fn owned(result: c_long) -> io::Result<OwnedFd> {
    match RawFd::try_from(result) {
        // SAFETY: Opened just now, and known to nobody else.
        Ok(file) if file >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(file) }),
        _ => Err(io::Error::last_os_error()),
    }
}
