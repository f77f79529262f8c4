// SPDX-License-Identifier: GPL-2.0

//! The upkeep of a loaded image's elfcorehdr while memory and CPUs come and go.
//!
//! The kernel's own kexec rewrites its header where it is and checks no digest of it
//! (crash_handle_hotplug_event). Here a new one is put in force beside the old one, see
//! [`kexec_core::dump::elfcorehdr::slots`].
//!
//! # Memory
//!
//! A header names the RAM that is online. The notifiers of MEM_ONLINE and MEM_OFFLINE come when
//! the kernel has begun to use a block of memory, and when it has ceased to and the block is still
//! there, so that the block is gone from the header before it can be pulled out.
//!
//! # CPUs
//!
//! Each possible CPU has a place for its registers from the load on. It is the kernel's own, where
//! debuggers look, as soon as its address is known, which is when the CPU is registered. That is
//! asked when the CPU is about to start, while it has no registers to save.

use super::contents::{
    EncodedElfcorehdr,
    Sources, //
};
use crate::{
    arch::{
        handover,
        protect::Failure, //
    },
    compat::{
        global_lock,
        prelude::*, //
    },
    load::{
        digests::Digests,
        write_protection::WriteProtection, //
    },
    refusal::{
        Refusal,
        RegionError, //
    },
    sys::{
        cpu,
        hotplug::{
            CpuState,
            HotplugCallbacks,
            MemoryNotifier, //
        },
        once::Once,
        physical::ReservedMemory, //
    }, //
};
use core::{
    fmt,
    ops::DerefMut,
    sync::atomic::Ordering, //
};
use kexec_core::{
    dump::elfcorehdr::slots::{
        Memory,
        Selection,
        Slots,
        Writer, //
    },
    types::ranges::Range,
    uapi::{
        ElfcorehdrRecord,
        SegmentKind,
        SegmentRecord, //
    }, //
};

global_lock! {
    /// The headers of the image that is armed, and of the one that is to replace it. Notifiers take
    /// this lock inside the kernel's locks of CPU and memory hotplug, and the device's lock is taken
    /// outside those: so nothing that waits for any of them may run while it is held.
    // SAFETY: `lock` initialises it, and nothing else uses it.
    unsafe(uninit) static HEADERS: Mutex<Places> = [const { None }; IMAGES_MAX];
}

/// A place for the headers of each image that can be loaded at once.
type Places = [Option<KBox<Headers>>; IMAGES_MAX];
const IMAGES_MAX: usize = 2;

fn lock() -> impl DerefMut<Target = Places> {
    static INITIALISED: Once = Once::new();
    // SAFETY: Called once, and before the first use below.
    INITIALISED.call(|| unsafe { HEADERS.init() });
    HEADERS.lock()
}

/// The segment with the slots.
struct Segment {
    memory: ReservedMemory,
    protection: Option<WriteProtection>,
}

fn protect(memory: &ReservedMemory) -> Option<WriteProtection> {
    let view = memory.views().iter().next();
    view.and_then(WriteProtection::of)
}

impl Memory for ReservedMemory {
    fn write(&mut self, address: u64, bytes: &[u8]) {
        let part = Range::from_start_len(address, bytes.len() as u64);
        if let Some(place) = part.and_then(|part| self.bytes(part)) {
            place.copy_from_slice(bytes);
            handover::publish(place);
        }
    }

    fn store(&mut self, address: u64, value: u64) {
        if let Some(word) = self.word(address) {
            word.store(value.to_le(), Ordering::Release);
        }
        let part = Range::from_start_len(address, size_of::<u64>() as u64);
        if let Some(place) = part.and_then(|part| self.bytes(part)) {
            handover::publish(place);
        }
    }
}

/// A header, its parts and its place, made when the image is prepared.
pub(crate) struct Prepared {
    sources: Sources,
    header: EncodedElfcorehdr,
    len_max: usize,
    place: KBox<core::mem::MaybeUninit<Headers>>,
}

/// The headers of a loaded image.
struct Headers {
    segment: Segment,
    sources: Sources,
    writer: Writer,
    len_max: usize,
    digests: Digests,
    /// The header in force.
    header: EncodedElfcorehdr,
    record: SegmentRecord,
    /// Whether the latest change is not in the header.
    outdated: bool,
}

/// Why a header could not follow a change.
enum Obstacle {
    Refusal(Refusal),
    Protection(Failure),
}

impl From<Refusal> for Obstacle {
    fn from(refusal: Refusal) -> Self {
        Self::Refusal(refusal)
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refusal(refusal) => fmt::Display::fmt(refusal, f),
            Self::Protection(failure) => fmt::Display::fmt(failure, f),
        }
    }
}

impl Prepared {
    /// Builds the header of the memory that there is.
    pub(crate) fn new(sources: Sources) -> Result<Self, Refusal> {
        let header = sources.build(usize::MAX)?;
        Ok(Self {
            len_max: sources.len_max(&header),
            place: KBox::new_uninit(GFP_KERNEL)?,
            sources,
            header,
        })
    }

    /// How long a header can become.
    pub(crate) fn len_max(&self) -> u64 {
        self.len_max as u64
    }

    /// How long it is.
    pub(crate) fn len(&self) -> u64 {
        self.header.bytes.len() as u64
    }

    /// Writes the header to its segment, and follows what comes and goes for as long as what is
    /// returned lives. Fails where the segment does not keep what was written.
    pub(crate) fn follow(
        self,
        mut memory: ReservedMemory,
        slots: Slots,
        mut digests: Digests,
    ) -> Result<Following, RegionError> {
        let mut writer = Writer::new(slots);
        let range = memory.range();
        if let Some(place) = memory.bytes(range) {
            place.fill(0);
            handover::publish(place);
        }
        let record = put_in_force(&mut writer, &mut memory, &mut digests, &self.header);
        let headers = KBox::write(
            self.place,
            Headers {
                segment: Segment {
                    protection: protect(&memory),
                    memory,
                },
                sources: self.sources,
                writer,
                len_max: self.len_max,
                digests,
                header: self.header,
                record,
                outdated: false,
            },
        );
        let mut places = lock();
        let free = places.iter().position(Option::is_none);
        let (number, place) = free
            .and_then(|number| Some((number, places.get_mut(number)?)))
            .ok_or(RegionError::Occupied(range))?;
        let headers = place.insert(headers);
        // Since the header was built, memory and CPUs may have come and gone. The image is not armed
        // yet, so nobody needs both the old place of a CPU's registers and the new one.
        for cpu in (0..cpu::ids()).filter(|cpu| cpu::is_present(*cpu)) {
            headers.use_kernels_place(cpu);
        }
        headers.refresh();
        let kept = headers.is_intact();
        drop(places);
        let following = Following(number);
        match kept {
            true => Ok(following),
            false => Err(RegionError::Damaged {
                what: SegmentKind::Elfcorehdr.name(),
                memory: range,
            }),
        }
    }
}

/// Puts a header in force that is no longer than a slot, and says what is where.
fn put_in_force(
    writer: &mut Writer,
    memory: &mut ReservedMemory,
    digests: &mut Digests,
    header: &EncodedElfcorehdr,
) -> SegmentRecord {
    let digest = digests.digest(&header.bytes);
    // The only error there is, a header that is too long, was ruled out when it was built.
    let _ = writer.put_in_force(memory, &header.bytes, digests.algorithm(), digest);
    let slot = writer.slot_in_force();
    SegmentRecord {
        kind: SegmentKind::Elfcorehdr as u32,
        algorithm: digests.algorithm() as u32,
        start: slot.start(),
        file_len: header.bytes.len() as u64,
        memory_len: slot.len(),
        digest,
    }
}

impl Headers {
    /// Builds a header of what is there now, and puts it in force if it is another one.
    fn refresh(&mut self) {
        let outcome = self.try_refresh();
        self.outdated = outcome.is_err();
        if let Err(obstacle) = outcome {
            pr_warn!(
                "the dump's elfcorehdr could not follow a change of memory or CPUs: {}; load \
                 the capture kernel again\n",
                format_args!("{obstacle}")
            );
        }
    }

    fn try_refresh(&mut self) -> Result<(), Obstacle> {
        let header = self.sources.build(self.len_max)?;
        if header.bytes[..] == self.header.bytes[..] {
            return Ok(());
        }
        let Segment { memory, protection } = &mut self.segment;
        let lifted = protection.as_mut().map(WriteProtection::lift);
        let _writable = lifted.transpose().map_err(Obstacle::Protection)?;
        self.record = put_in_force(&mut self.writer, memory, &mut self.digests, &header);
        if header.without_room > 0 {
            pr_warn!(
                "the dump's elfcorehdr has no room for {} pieces of memory: load the capture \
                 kernel again\n",
                header.without_room
            );
        }
        self.header = header;
        Ok(())
    }

    /// Whether the header in force is found where it was put.
    fn is_intact(&mut self) -> bool {
        let Segment { memory, .. } = &mut self.segment;
        let slots = self.writer.slots();
        let selection = slots.selection().and_then(|place| {
            let bytes = memory.bytes(place)?;
            Selection::decode(bytes)
        });
        let checked = selection.and_then(|selection| slots.in_force(&selection));
        let place = checked.and_then(|checked| Range::from_start_len(checked.start, checked.len));
        let found = place.and_then(|place| memory.bytes(place));
        let same = found.is_some_and(|found| *found == self.header.bytes[..]);
        same && checked.is_some_and(|checked| checked.digest == self.record.digest)
    }

    /// Has the registers of a CPU that does not run go to the kernel's own place.
    fn use_kernels_place(&mut self, cpu: usize) {
        if let Err(refusal) = self.sources.record.notes.use_kernels_place(cpu) {
            pr_warn!(
                "the registers of CPU {} will be in the dump, but not where debuggers look first: \
                 {}\n",
                cpu,
                format_args!("{refusal}")
            );
        }
    }
}

/// The header follows what comes and goes for as long as this lives: that in the place of this number.
pub(crate) struct Following(usize);

impl Drop for Following {
    fn drop(&mut self) {
        let headers = lock().get_mut(self.0).and_then(Option::take);
        // Making the segment writable again needs no lock.
        drop(headers);
    }
}

impl Following {
    /// The header's segment, as it is now, and what became of it since the load.
    pub(crate) fn records(&self) -> Option<(SegmentRecord, ElfcorehdrRecord)> {
        let places = lock();
        let headers = places.get(self.0)?.as_ref()?;
        let record = ElfcorehdrRecord {
            pieces: headers.header.pieces as u32,
            without_room: headers.header.without_room as u32,
            replacements: headers.writer.replacements() as u32,
            outdated: headers.outdated.into(),
        };
        Some((headers.record, record))
    }
}

/// The kernel's notices, by which the header of each loaded image follows what comes and goes.
pub(crate) struct Notices {
    _memory: MemoryNotifier,
    _cpus: CpuState,
}

impl Notices {
    /// Asks for them.
    pub(crate) fn register() -> Result<Self> {
        Ok(Self {
            _memory: MemoryNotifier::register::<Self>()?,
            _cpus: CpuState::register::<Self>()?,
        })
    }
}

impl HotplugCallbacks for Notices {
    #[cfg(CONFIG_MEMORY_HOTPLUG)]
    fn memory_changed() {
        for headers in lock().iter_mut().flatten() {
            headers.refresh();
        }
    }

    fn cpu_comes(cpu: usize) {
        for headers in lock().iter_mut().flatten() {
            headers.use_kernels_place(cpu);
            headers.refresh();
        }
    }
}
