// SPDX-License-Identifier: GPL-2.0

//! Where each CPU's registers go when the kernel crashes.
//!
//! CPUs that are present have a buffer of the kernel's, whose address sysfs tells; debuggers look
//! there. A CPU that is possible but not present gets a buffer of ours, which stays empty unless
//! the CPU is plugged in later.

use crate::arch::registers::{Registers, NOTE_BUFFER_LEN};
use crate::compat::prelude::*;
use crate::refusal::Refusal;
use crate::sys::file::Mount;
use crate::sys::{cpu, iomem, physical};
use core::ffi::CStr;
use core::fmt::Write;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU32, Ordering};
use kexec_core::ranges::Range;

const MISSING: Refusal = Refusal::Missing {
    what: "the address of a CPU's crash notes below /sys/devices/system/cpu",
    remedy: "use a kernel with CONFIG_SYSFS and CONFIG_CRASH_DUMP",
};

/// Places for notes of ours lie this far apart: a power of two, so that kmalloc() aligns them and
/// none crosses a page.
const OWN_SPACING: usize = NOTE_BUFFER_LEN.next_power_of_two();

/// The place of one CPU's notes.
///
/// # Invariants
///
/// `address` is the directly mapped address of `memory`, which has [`NOTE_BUFFER_LEN`] bytes or
/// more and is set aside for this CPU's notes.
struct Place {
    address: NonNull<u8>,
    memory: Range,
}

/// The places of all CPUs, by number.
pub(crate) struct CrashNotes {
    places: KVec<Option<Place>>,
    /// Backs the places of CPUs that are not present.
    _own: KVec<u8>,
}

// SAFETY: Each place is written by its own CPU, once, when the kernel crashes.
unsafe impl Send for CrashNotes {}
// SAFETY: As above.
unsafe impl Sync for CrashNotes {}

impl CrashNotes {
    /// Finds or makes the places.
    pub(super) fn find() -> Result<Self, Refusal> {
        let absent = (0..cpu::ids()).filter(|cpu| cpu::is_possible(*cpu) && !cpu::is_present(*cpu));
        let mut own = KVec::new();
        own.extend_with(absent.count() * OWN_SPACING, 0, GFP_KERNEL)?;
        let mut own_places = own.chunks_exact_mut(OWN_SPACING);

        let kernels = KernelsNotes::find()?;
        let mut places = KVec::with_capacity(cpu::ids(), GFP_KERNEL)?;
        for number in 0..cpu::ids() {
            let place = if cpu::is_present(number) {
                Some(kernels.place(number)?)
            } else if cpu::is_possible(number) {
                own_places.next().and_then(own_place)
            } else {
                None
            };
            places.push(place, GFP_KERNEL)?;
        }
        Ok(Self { places, _own: own })
    }

    /// The memory of all places.
    pub(super) fn memory(&self) -> impl Iterator<Item = Range> + '_ {
        self.places.iter().flatten().map(|place| place.memory)
    }

    /// Writes a CPU's registers. For the CPU itself, when the kernel crashes.
    ///
    /// The CPU that crashes looks for the note meanwhile, and goes on once it is there. So the word
    /// that tells comes last.
    pub(crate) fn save(&self, cpu: usize, registers: &Registers, pid: u32) {
        let mut note = [0; NOTE_BUFFER_LEN];
        registers.write_note(&mut note, pid);
        let (Some(Some(place)), Some((first, rest))) =
            (self.places.get(cpu), note.split_first_chunk())
        else {
            return;
        };
        // SAFETY: By the type's invariant; a CPU writes its own notes, and nobody reads what
        // follows the first word before that word is there.
        unsafe {
            let to = place.address.as_ptr().add(first.len());
            to.copy_from_nonoverlapping(rest.as_ptr(), rest.len());
        }
        let first = u32::from_ne_bytes(*first);
        place.first_word().store(first, Ordering::Release);
    }

    /// Whether a CPU's registers are there already.
    pub(crate) fn is_saved(&self, cpu: usize) -> bool {
        let Some(Some(place)) = self.places.get(cpu) else {
            return false;
        };
        // A note begins with the length of its name, so not with 0.
        place.first_word().load(Ordering::Acquire) != 0
    }
}

impl Place {
    fn first_word(&self) -> &AtomicU32 {
        // SAFETY: By the type's invariant; the buffer is aligned for a note's 32-bit words.
        unsafe { self.address.cast().as_ref() }
    }
}

fn own_place(bytes: &mut [u8]) -> Option<Place> {
    let memory = Range::from_start_len(physical::address_of(bytes), bytes.len() as u64)?;
    // INVARIANT: kmalloc()ed memory is directly mapped.
    NonNull::new(bytes.as_mut_ptr()).map(|address| Place { address, memory })
}

/// What tells where the kernel's buffers are.
struct KernelsNotes {
    sysfs: Mount,
    ram: KVec<Range>,
    /// Length of a buffer in bytes.
    len: u64,
}

impl KernelsNotes {
    fn find() -> Result<Self, Refusal> {
        let sysfs = Mount::sysfs().map_err(|_| MISSING)?;
        let len = read_number(&sysfs, format_args!("cpu0/crash_notes_size"), 10)
            .ok()
            .filter(|len| *len >= NOTE_BUFFER_LEN as u64)
            .ok_or(MISSING)?;
        Ok(Self {
            sysfs,
            ram: iomem::system_ram()?,
            len,
        })
    }

    fn place(&self, cpu: usize) -> Result<Place, Refusal> {
        let start = read_number(&self.sysfs, format_args!("cpu{cpu}/crash_notes"), 16)?;
        let memory = Range::from_start_len(start, self.len).ok_or(MISSING)?;
        if !self.ram.iter().any(|piece| piece.encloses(&memory)) {
            return Err(Refusal::NotesOutsideRam { cpu, memory });
        }
        let address = NonNull::new(physical::direct_map_address(start)).ok_or(MISSING)?;
        // INVARIANT: The memory is RAM, which is directly mapped; the kernel has allocated it for
        // this CPU's notes, in one page (crash_notes_memory_init()).
        Ok(Place { address, memory })
    }
}

fn read_number(sysfs: &Mount, name: core::fmt::Arguments<'_>, radix: u32) -> Result<u64, Refusal> {
    let mut path = Path::new();
    write!(path, "devices/system/cpu/{name}\0").map_err(|_| MISSING)?;
    let mut text = [0; 32];
    let text = sysfs
        .read(path.as_c_str().ok_or(MISSING)?, &mut text)
        .map_err(|_| MISSING)?;
    let text = core::str::from_utf8(text).map_err(|_| MISSING)?;
    u64::from_str_radix(text.trim_end(), radix).map_err(|_| MISSING)
}

/// A path in a buffer.
struct Path {
    bytes: [u8; 64],
    used: usize,
}

impl Path {
    fn new() -> Self {
        Self {
            bytes: [0; 64],
            used: 0,
        }
    }

    fn as_c_str(&self) -> Option<&CStr> {
        CStr::from_bytes_until_nul(&self.bytes).ok()
    }
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let end = self.used + text.len();
        let place = self.bytes.get_mut(self.used..end).ok_or(core::fmt::Error)?;
        place.copy_from_slice(text.as_bytes());
        self.used = end;
        Ok(())
    }
}
