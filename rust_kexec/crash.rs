// SPDX-License-Identifier: GPL-2.0

//! Third stage: the kernel crashes, and the loaded image takes over.
//!
//! From [`enter`] on nothing is allocated, no lock is taken, nothing sleeps, and every wait has a
//! bound. All that is needed was made at load.

pub(crate) mod hooks;
pub(crate) mod stop;

use crate::arch;
use crate::compat::prelude::*;
use crate::load::{LoadedImage, Prepared};
use crate::refusal::Refusal;
use crate::sys::ftrace::RegionClaim;
use crate::sys::module_reference::ModuleReference;
use crate::sys::{clock, cpu};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use hooks::Hooks;
use kernel::bindings;
use kexec_core::report::Moment;

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
    claim: RegionClaim,
    module: ModuleReference,
}

/// What is armed, and the hooks by which a crash is noticed.
///
/// To put the hooks in means to change the kernel's code while it runs on other CPUs, so they stay
/// from the first load on. While nothing is armed they do nothing.
pub(crate) struct CrashPath {
    armed: Option<Armed>,
    // Dropped last.
    hooks: Option<Hooks>,
}

impl CrashPath {
    /// Nothing is armed, and nothing hooked.
    pub(crate) const UNUSED: Self = Self {
        armed: None,
        hooks: None,
    };

    /// Puts a prepared image into its place and arms it, instead of another one, if there is one.
    ///
    /// On an error what was armed still is.
    pub(crate) fn arm(&mut self, prepared: Prepared<'_>) -> Result<(), Refusal> {
        let hooks = match &mut self.hooks {
            Some(hooks) => hooks,
            none => none.insert(Hooks::register()?),
        };
        hooks.check()?;
        let (claim, module) = match self.armed.take() {
            Some(Armed {
                target,
                claim,
                module,
            }) => {
                drop(target);
                (claim, module)
            }
            None => (hooks.claim_region(), ModuleReference::get()),
        };
        // SAFETY: No image is armed now. The claim keeps the region from being freed, and the
        // caller holds the device's lock, so nobody else loads.
        let image = unsafe { prepared.commit() };
        self.armed = Some(Armed {
            target: Target::arm(image),
            claim,
            module,
        });
        Ok(())
    }

    /// Disarms what is armed, and says whether anything was.
    pub(crate) fn disarm(&mut self) -> bool {
        self.armed.take().is_some()
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
    image.report.reached(Moment::Noticed);
    // SAFETY: The caller vouches for the frame.
    let registers = unsafe { stop::registers_at(frame) };
    image.notes.save(cpu, &registers, cpu::current_pid());
    image.report.stopped(cpu);
    stop::stop_others(image);
    image.report.reached(Moment::Stopped);
    arch::stop::quiesce_cpu();
    // SAFETY: This CPU is the one that crashes, and it comes here once.
    unsafe { image.vmcoreinfo.stamp(clock::seconds_since_1970()) };
    image.interrupts.silence();
    leave(image)
}

fn leave(image: &LoadedImage) -> ! {
    image.report.reached(Moment::Left);
    // SAFETY: An armed image is in its place; interrupts are off, and the other CPUs have been
    // stopped as far as they can be.
    unsafe { image.jump.jump() }
}
