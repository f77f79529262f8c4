// SPDX-License-Identifier: GPL-2.0

//! Where each CPU's registers go when the kernel crashes.
//!
//! Each possible CPU has a buffer of the kernel's, where debuggers look. Its address is told, as an
//! attribute of the CPU's device, once the CPU is present. Until then a buffer of ours stands in. In a kernel
//! without CRASH_DUMP the module has such buffers itself (`sys::crash_notes`).

use crate::{
    arch::registers::{
        Registers,
        NOTE_BUFFER_LEN, //
    },
    compat::prelude::*,
    refusal::{
        MachineError,
        Refusal, //
    },
    sys::{
        cpu,
        crash_notes,
        iomem,
        physical, //
    }, //
};
use core::{
    ffi::CStr,
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        AtomicU32,
        Ordering, //
    }, //
};
use kexec_core::types::ranges::Range;

const MISSING: MachineError = MachineError::Missing {
    what: "the address of a CPU's crash notes",
    remedy: "use a kernel with CONFIG_CRASH_DUMP and CONFIG_SYSFS",
};

/// Places for notes of ours lie this far apart: a power of two, so that kmalloc() aligns them and
/// none crosses a page.
const OWN_SPACING: usize = NOTE_BUFFER_LEN.next_power_of_two();

/// A buffer for one CPU's notes.
///
/// # Invariants
///
/// The address is a directly mapped one, of [`NOTE_BUFFER_LEN`] bytes or more in one page that are
/// set aside for this CPU's notes.
#[derive(Clone, Copy)]
struct Buffer(NonNull<u8>);

impl Buffer {
    fn memory(self) -> Option<Range> {
        let start = physical::address(self.0.as_ptr());
        Range::from_start_len(start, NOTE_BUFFER_LEN as u64)
    }

    fn first_word<'a>(self) -> &'a AtomicU32 {
        // SAFETY: By the type's invariant; the buffer is aligned for a note's 32-bit words.
        unsafe { self.0.cast().as_ref() }
    }
}

/// Where one CPU's notes go: the address of a [`Buffer`].
struct Place(AtomicPtr<u8>);

impl Place {
    fn new(buffer: Buffer) -> Self {
        Self(AtomicPtr::new(buffer.0.as_ptr()))
    }

    fn buffer(&self) -> Option<Buffer> {
        // INVARIANT: There are only addresses of buffers here.
        NonNull::new(self.0.load(Ordering::Acquire)).map(Buffer)
    }

    fn set(&self, buffer: Buffer) {
        self.0.store(buffer.0.as_ptr(), Ordering::Release);
    }
}

/// The places of all CPUs, by number.
pub(crate) struct CrashNotes {
    places: KVec<Option<Place>>,
    /// Backs the places of CPUs that are not present.
    _own: KVec<u8>,
}

impl CrashNotes {
    /// Finds or makes the places.
    pub(super) fn find() -> Result<Self, Refusal> {
        let absent = (0..cpu::ids())
            .filter(|cpu| HAS_CRASH_NOTES && cpu::is_possible(*cpu) && !cpu::is_present(*cpu));
        let mut own = KVec::new();
        own.extend_with(absent.count() * OWN_SPACING, 0, GFP_KERNEL)?;
        let mut own_places = own.chunks_exact_mut(OWN_SPACING);

        let ram = iomem::system_ram()?;
        let mut places = KVec::with_capacity(cpu::ids(), GFP_KERNEL)?;
        for number in 0..cpu::ids() {
            let buffer = if !cpu::is_possible(number) {
                None
            } else if !HAS_CRASH_NOTES {
                modules_buffer(number)
            } else if cpu::is_present(number) {
                Some(kernels_buffer(number, &ram)?)
            } else {
                own_places.next().and_then(own_buffer)
            };
            let place = buffer.map(Place::new);
            places.push(place, GFP_KERNEL)?;
        }
        Ok(Self { places, _own: own })
    }

    /// The memory of all places.
    pub(super) fn memory(&self) -> impl Iterator<Item = Range> + '_ {
        let buffers = self.places.iter().flatten().filter_map(Place::buffer);
        buffers.filter_map(Buffer::memory)
    }

    /// Has a CPU's registers go to the kernel's own place from now on. For a CPU that does not run,
    /// or whose registers are not asked for yet.
    pub(crate) fn use_kernels_place(&self, cpu: usize) -> Result<(), Refusal> {
        match self.places.get(cpu) {
            Some(Some(place)) if HAS_CRASH_NOTES => {
                place.set(kernels_buffer(cpu, &iomem::system_ram()?)?);
            }
            _ => {}
        }
        Ok(())
    }

    fn buffer(&self, cpu: usize) -> Option<Buffer> {
        self.places.get(cpu)?.as_ref()?.buffer()
    }

    /// Writes a CPU's registers. For the CPU itself, when the kernel crashes.
    ///
    /// The CPU that crashes looks for the note meanwhile, and goes on once it is there. So the word
    /// that tells comes last.
    pub(crate) fn save(&self, cpu: usize, registers: &Registers, pid: u32) {
        let mut note = [0; NOTE_BUFFER_LEN];
        registers.write_note(&mut note, pid);
        let (Some(buffer), Some((first, rest))) = (self.buffer(cpu), note.split_first_chunk())
        else {
            return;
        };
        // SAFETY: By the type's invariant; a CPU writes its own notes, and nobody reads what
        // follows the first word before that word is there.
        unsafe {
            let to = buffer.0.as_ptr().add(first.len());
            to.copy_from_nonoverlapping(rest.as_ptr(), rest.len());
        }
        let first = u32::from_ne_bytes(*first);
        buffer.first_word().store(first, Ordering::Release);
    }

    /// Whether a CPU's registers are there already.
    pub(crate) fn is_saved(&self, cpu: usize) -> bool {
        // A note begins with the length of its name, so not with 0.
        self.buffer(cpu)
            .is_some_and(|buffer| buffer.first_word().load(Ordering::Acquire) != 0)
    }
}

fn own_buffer(bytes: &mut [u8]) -> Option<Buffer> {
    // INVARIANT: kmalloc()ed memory is directly mapped, and ours does not cross a page. It lives as
    // long as the places.
    NonNull::new(bytes.as_mut_ptr()).map(Buffer)
}

/// Whether the kernel has buffers for notes: crash_notes_memory_init() makes them.
const HAS_CRASH_NOTES: bool = cfg!(CONFIG_CRASH_DUMP);

/// The module's own buffer for a CPU that can ever be there.
fn modules_buffer(cpu: usize) -> Option<Buffer> {
    #[cfg(not(CONFIG_CRASH_DUMP))]
    const _: () = assert!(NOTE_BUFFER_LEN <= crash_notes::LEN);
    // INVARIANT: Per-CPU data are RAM, which is directly mapped; each of these is in one page.
    NonNull::new(physical::direct_map_address(crash_notes::address(cpu)?)).map(Buffer)
}

/// Where the kernel has a CPU's notes: in one page (crash_notes_memory_init()) of `ram`.
fn kernels_buffer(cpu: usize, ram: &[Range]) -> Result<Buffer, MachineError> {
    let len = read_number(cpu, c"crash_notes_size", 10)?;
    if len < NOTE_BUFFER_LEN as u64 {
        return Err(MISSING);
    }
    let start = read_number(cpu, c"crash_notes", 16)?;
    let memory = Range::from_start_len(start, len).ok_or(MISSING)?;
    if !ram.iter().any(|piece| piece.encloses(&memory)) {
        return Err(MachineError::NotesOutsideRam { cpu, memory });
    }
    let address = NonNull::new(physical::direct_map_address(start)).ok_or(MISSING)?;
    // INVARIANT: The memory is RAM, which is directly mapped; the kernel has allocated it for this
    // CPU's notes.
    Ok(Buffer(address))
}

fn read_number(cpu: usize, attribute: &CStr, radix: u32) -> Result<u64, MachineError> {
    let text = cpu::Attribute::read(cpu, attribute).map_err(|_| MISSING)?;
    let text = core::str::from_utf8(text.bytes()).map_err(|_| MISSING)?;
    u64::from_str_radix(text.trim_end(), radix).map_err(|_| MISSING)
}
