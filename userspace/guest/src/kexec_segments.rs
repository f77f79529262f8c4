// SPDX-License-Identifier: GPL-2.0

//! The kernel's own crash image by `kexec_load(2)`, which no crate at hand wraps: one page of it,
//! which is enough to be in the way of others. On x86_64, where 32-bit programs can ask for it too.

use std::{
    io,
    num::NonZeroUsize, //
};

use nix::{
    errno::Errno,
    libc::{
        self,
        c_ulong, //
    }, //
};

use crate::file_mapping::FileMapping;

/// The image is the one that is entered at a panic (`include/uapi/linux/kexec.h`).
const KEXEC_ON_CRASH: c_ulong = 1;
/// It is for x86_64: the number of that in ELF files.
const KEXEC_ARCH_X86_64: c_ulong = 62 << 16;
const FLAGS: c_ulong = KEXEC_ON_CRASH | KEXEC_ARCH_X86_64;

/// What the image has of memory.
pub const PAGE: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// `struct kexec_segment` (`include/uapi/linux/kexec.h`), of 64 bits, or of 32 bits.
#[repr(C)]
struct Segment<T> {
    buffer: T,
    buffer_len: T,
    memory: T,
    memory_len: T,
}

const _: () = assert!(size_of::<Segment<u64>>() == 32);
const _: () = assert!(size_of::<Segment<u32>>() == 16);

/// Loads an image at physical address `address`: the first page of `file`, or one of zeros.
pub fn load(address: u64, file: Option<&FileMapping>) -> io::Result<()> {
    let bytes = file.map_or(&[][..], |file| &file.bytes()[..PAGE.get()]);
    let segment = Segment {
        buffer: bytes.as_ptr().expose_provenance() as u64,
        buffer_len: bytes.len() as u64,
        memory: address,
        memory_len: PAGE.get() as u64,
    };
    // SAFETY: The kernel reads the segment and its buffer, which are there, and writes nothing of
    // ours.
    let result =
        unsafe { libc::syscall(libc::SYS_kexec_load, address, 1, &raw const segment, FLAGS) };
    conclude(result)
}

/// Drops it.
pub fn unload() -> io::Result<()> {
    // SAFETY: Without segments the kernel reads nothing of ours.
    conclude(unsafe { libc::syscall(libc::SYS_kexec_load, 0, 0, 0, FLAGS) })
}

fn conclude(result: i64) -> io::Result<()> {
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Loads an image of zeros as a 32-bit program does, which any program can be for one call.
#[cfg(target_arch = "x86_64")]
pub fn load_as_32_bits(address: u64) -> io::Result<()> {
    use nix::sys::mman::{
        mmap_anonymous,
        munmap,
        MapFlags,
        ProtFlags, //
    };

    /// Number of the system call in 32-bit programs (`arch/x86/entry/syscalls/syscall_32.tbl`).
    const KEXEC_LOAD_32: i32 = 283;

    let low = |address: u64| u32::try_from(address).map_err(|_| Errno::EOVERFLOW);
    let segment = Segment {
        buffer: 0,
        buffer_len: 0,
        memory: low(address)?,
        memory_len: PAGE.get() as u32,
    };
    let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_32BIT;
    // SAFETY: Without MAP_FIXED the kernel chooses addresses that nothing uses, and that 32 bits can
    // name.
    let place = unsafe { mmap_anonymous(None, PAGE, protection, flags) }?;
    // SAFETY: A page was mapped writable just now.
    unsafe { std::ptr::write(place.as_ptr().cast(), segment) };
    let segments = place.as_ptr().expose_provenance() as u64;
    let result: i32;
    // SAFETY: The kernel reads the segment, and writes nothing of ours. The compiler keeps rbx for
    // itself, so it is there for the call alone.
    unsafe {
        std::arch::asm!(
            "xchg {entry}, rbx",
            "int 0x80",
            "xchg {entry}, rbx",
            entry = inout(reg) address => _,
            inlateout("eax") KEXEC_LOAD_32 => result,
            in("rcx") 1_u64,
            in("rdx") segments,
            in("rsi") FLAGS,
            lateout("r8") _, lateout("r9") _, lateout("r10") _, lateout("r11") _,
            options(nostack),
        )
    };
    // SAFETY: Mapped above, and nothing refers to it any more.
    unsafe { munmap(place, PAGE.get()) }?;
    match result {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(-errno)),
    }
}

/// No other machine has them.
#[cfg(not(target_arch = "x86_64"))]
pub fn load_as_32_bits(_address: u64) -> io::Result<()> {
    Err(Errno::ENOSYS.into())
}
