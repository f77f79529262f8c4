// SPDX-License-Identifier: GPL-2.0

//! Third stage: the kernel crashes, and the loaded image takes over.
//!
//! From [`enter`] on nothing is allocated, no lock is taken, nothing sleeps, and every wait has a
//! bound. All that is needed was made at load.

pub(crate) mod hooks;
pub(crate) mod stop;

use crate::arch;
use crate::arch::registers::Registers;
use crate::compat::prelude::*;
use crate::load::{LoadedImage, Prepared};
use crate::refusal::Refusal;
use crate::sys::module_reference::ModuleReference;
use crate::sys::{clock, cpu};
use core::ptr;
use core::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use hooks::Hooks;
use kernel::bindings;
use kexec_core::report::Moment;

/// The image that the next crash boots, or null.
static IMAGE: AtomicPtr<LoadedImage> = AtomicPtr::new(ptr::null_mut());

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

/// An image that the next crash will boot, and the hooks by which the crash is noticed. Dropping
/// it disarms.
pub(crate) struct Armed {
    target: Target,
    hooks: Hooks,
    module: ModuleReference,
}

impl Armed {
    /// Puts a prepared image into its place and arms it, instead of `armed`, if there is one.
    ///
    /// On an error `armed` is as before.
    pub(crate) fn replace(armed: &mut Option<Self>, prepared: Prepared<'_>) -> Result<(), Refusal> {
        let (hooks, module) = match armed.take() {
            Some(Self {
                target,
                hooks,
                module,
            }) => {
                drop(target);
                (hooks, module)
            }
            None => (Hooks::register()?, ModuleReference::get()),
        };
        // SAFETY: No image is armed now. The hooks keep the region from being freed, and the
        // caller holds the device's lock, so nobody else loads.
        let image = unsafe { prepared.commit() };
        *armed = Some(Self {
            target: Target::arm(image),
            hooks,
            module,
        });
        Ok(())
    }

    /// The image.
    pub(crate) fn image(&self) -> &LoadedImage {
        &self.target.0
    }
}

/// The armed image, for the crash path.
fn armed_image() -> Option<&'static LoadedImage> {
    // SAFETY: The pointer is valid while an image is armed. A crash that finds it never gives
    // control back, so nobody will drop the image any more.
    unsafe { IMAGE.load(Ordering::Acquire).as_ref() }
}

/// Whether a crash has begun, and this is not the CPU that crashes.
fn crashing_elsewhere() -> bool {
    let crashing = CRASHING_CPU.load(Ordering::Acquire);
    crashing != NO_CPU && crashing != cpu::current()
}

/// The kernel crashes on this CPU. Returns only if no image is armed, or if another CPU came
/// first; then that one's NMI stops this CPU.
///
/// # Safety
///
/// `frame` must be null or point to the registers to save.
unsafe fn enter(frame: *const bindings::pt_regs) {
    let Some(image) = armed_image() else {
        return;
    };
    let cpu = cpu::current();
    let first = CRASHING_CPU.compare_exchange(NO_CPU, cpu, Ordering::AcqRel, Ordering::Acquire);
    match first {
        Ok(_) => {}
        // The crash path itself has crashed. What it did is done; the dump is still worth having.
        Err(crashing) if crashing == cpu => leave(image),
        Err(_) => return,
    }
    cpu::disable_interrupts();
    image.report.reached(Moment::Noticed);
    let registers = match frame.is_null() {
        true => Registers::capture_here(),
        // SAFETY: The caller vouches for the frame.
        false => unsafe { Registers::from_frame(frame) },
    };
    image.notes.save(cpu, &registers, cpu::current_pid());
    image.report.stopped(cpu);
    stop::stop_others(image);
    image.report.reached(Moment::Stopped);
    arch::stop::disable_virtualization();
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
