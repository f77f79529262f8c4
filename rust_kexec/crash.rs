// SPDX-License-Identifier: GPL-2.0

//! Third stage: the kernel crashes, and the loaded image takes over.
//!
//! From [`enter`] on nothing is allocated, no lock is taken, nothing sleeps, and every wait has a
//! bound. All that is needed was made at load.

pub(crate) mod hooks;
pub(crate) mod stop;

use crate::arch;
use crate::compat::{global_lock, prelude::*};
use crate::load::{self, LoadedImage};
use crate::refusal::Refusal;
use crate::reserve::Claim;
use crate::sys::module_reference::ModuleReference;
use crate::sys::once::Once;
use crate::sys::{clock, cpu};
use core::ops::DerefMut;
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use hooks::Hooks;
use kernel::bindings;
use kexec_core::dump::report::Moment;

/// The image that the next crash boots, or null.
static IMAGE: AtomicPtr<LoadedImage> = AtomicPtr::new(ptr::null_mut());

/// The image that the crash boots, or null while there is none. What disarms the image meanwhile
/// waits for the crash, and so for ever.
static CRASH_IMAGE: AtomicPtr<LoadedImage> = AtomicPtr::new(ptr::null_mut());

/// The CPU that crashes.
static CRASHING_CPU: AtomicUsize = AtomicUsize::new(NO_CPU);
const NO_CPU: usize = usize::MAX;

/// The image that [`IMAGE`] points to, for as long as this lives.
struct Target(KBox<LoadedImage>);

impl Target {
    fn arm(image: KBox<LoadedImage>) -> Self {
        IMAGE.store(
            core::ptr::from_ref::<LoadedImage>(&image).cast_mut(),
            Ordering::Release,
        );
        Self(image)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        IMAGE.store(ptr::null_mut(), Ordering::Release);
        // Hooks run with preemption off. One that has found the image still will either have
        // returned after this, or has begun a crash, and then this never returns.
        // SAFETY: Called in a system call or while the module is removed: sleeping is allowed.
        unsafe { bindings::synchronize_rcu() };
    }
}

/// An image that the next crash will boot. Dropping it disarms.
struct Armed {
    target: Target,
    hold: Hold,
}

/// What an image needs for as long as it is armed: its memory, and the module.
struct Hold {
    claim: Claim,
    _module: ModuleReference,
}

/// What is armed, and the hooks by which a crash is noticed.
///
/// To put the hooks in means to change the kernel's code while it runs on other CPUs, so they stay
/// from the first load on. While nothing is armed they do nothing.
///
/// There is one, behind a lock, because there is one [`IMAGE`].
pub(crate) struct CrashPath {
    armed: Option<Armed>,
    // Dropped last: the guard makes a claim hold.
    hooks: Option<Hooks>,
}

global_lock! {
    /// The lock is the outermost one of the module; what runs in a crash takes none.
    // SAFETY: `lock` initialises it, and nothing else uses it.
    unsafe(uninit) static CRASH_PATH: Mutex<CrashPath> = CrashPath { armed: None, hooks: None };
}

/// Waits until nobody else loads, unloads or looks.
pub(crate) fn lock() -> impl DerefMut<Target = CrashPath> {
    static INITIALISED: Once = Once::new();
    // SAFETY: Called once, and before the first use below.
    INITIALISED.call(|| unsafe { CRASH_PATH.init() });
    CRASH_PATH.lock()
}

impl CrashPath {
    /// Prepares an image, puts it into its place and arms it, instead of another one, if there is
    /// one.
    ///
    /// On an error what was armed still is, and where nothing was, nothing is claimed.
    pub(crate) fn load(&mut self, contents: &load::Contents<'_>) -> Result<(), Refusal> {
        // Whoever took the device along while the module is removed finds it going.
        let module = ModuleReference::get().ok_or(Refusal::ModuleGoing)?;
        let hooks = match &mut self.hooks {
            Some(hooks) => hooks,
            none => none.insert(Hooks::register()?),
        };
        hooks.check()?;
        let (target, hold) = match self.armed.take() {
            Some(Armed { target, hold }) => (Some(target), hold),
            None => {
                let hold = Hold {
                    claim: hooks.claim_region()?,
                    _module: module,
                };
                (None, hold)
            }
        };
        let prepared = match load::prepare(contents, hold.claim.reservation()) {
            Ok(prepared) => prepared,
            Err(refusal) => {
                self.armed = target.map(|target| Armed { target, hold });
                return Err(refusal);
            }
        };
        drop(target);
        // SAFETY: No image is armed now. The image was planned for the reservation that is claimed:
        // the kernel neither gives it away nor loads into it, and nobody else of this module does,
        // because `self` is the only one and borrowed.
        let image = unsafe { prepared.commit() };
        self.armed = Some(Armed {
            target: Target::arm(image),
            hold,
        });
        Ok(())
    }

    /// Disarms what is armed, and says whether anything was.
    pub(crate) fn disarm(&mut self) -> bool {
        self.armed.take().is_some()
    }

    /// Disarms, and takes the hooks out.
    pub(crate) fn leave(&mut self) {
        self.armed = None;
        self.hooks = None;
    }

    /// The image that is armed.
    pub(crate) fn image(&self) -> Option<&LoadedImage> {
        self.armed.as_ref().map(|armed| &*armed.target.0)
    }
}

/// The armed image, for the crash path.
fn armed_image() -> Option<&'static LoadedImage> {
    // SAFETY: The pointer is valid while an image is armed. A crash that finds it never gives
    // control back, so nobody will drop the image any more.
    unsafe { IMAGE.load(Ordering::Acquire).as_ref() }
}

/// The image of a crash that has begun.
fn crash_image() -> Option<&'static LoadedImage> {
    // SAFETY: The pointer was found in IMAGE by a crash, which never gives control back.
    unsafe { CRASH_IMAGE.load(Ordering::Acquire).as_ref() }
}

/// The image of a crash that has begun on another CPU than this one.
fn crash_elsewhere() -> Option<&'static LoadedImage> {
    match CRASHING_CPU.load(Ordering::Acquire) == cpu::current() {
        true => None,
        false => crash_image(),
    }
}

/// The kernel crashes on this CPU. Returns only if no image is armed, or if another CPU came
/// first; then that one stops this CPU.
///
/// # Safety
///
/// `frame` must be null or point to the registers to save.
unsafe fn enter(frame: *const bindings::pt_regs) {
    let cpu = cpu::current();
    if CRASHING_CPU.load(Ordering::Acquire) == cpu {
        // The crash path itself has crashed. What it did is done; the dump is still worth having.
        if let Some(image) = crash_image() {
            leave(image)
        }
    }
    let Some(image) = armed_image() else {
        return;
    };
    let first = CRASHING_CPU.compare_exchange(NO_CPU, cpu, Ordering::AcqRel, Ordering::Acquire);
    if first.is_err() {
        return;
    }
    CRASH_IMAGE.store(ptr::from_ref(image).cast_mut(), Ordering::Release);
    arch::stop::disable_interrupts();
    image.record.report.reached(Moment::Noticed);
    // SAFETY: The caller vouches for the frame.
    let registers = unsafe { stop::registers_at(frame) };
    image.record.notes.save(cpu, &registers, cpu::current_pid());
    image.record.report.stopped(cpu);
    stop::stop_others(image);
    image.record.report.reached(Moment::Stopped);
    arch::stop::quiesce_cpu();
    // SAFETY: This CPU is the one that crashes, and it comes here once.
    unsafe { image.record.vmcoreinfo.stamp(clock::seconds_since_1970()) };
    image.interrupts.silence();
    leave(image)
}

fn leave(image: &LoadedImage) -> ! {
    image.record.report.reached(Moment::Left);
    // SAFETY: An armed image is in its place; interrupts are off, and the other CPUs have been
    // stopped as far as they can be.
    unsafe { image.jump.jump() }
}
