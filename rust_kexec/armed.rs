// SPDX-License-Identifier: GPL-2.0

//! Third stage: the image that the next crash boots.
//!
//! There is one place for it. It is changed under a lock, and read by the crash path without one.

use crate::{
    compat::{
        global_lock,
        prelude::*, //
    },
    load::{
        self,
        CrashImage,
        Loaded,
        Prepared, //
    },
    refusal::{
        MachineError,
        Refusal,
        RegionError,
        RequestError, //
    },
    reserve::{
        refuse_kernels_image,
        Claim,
        Guard,
        NamedMemory,
        Reservation,
        RunTimeMemory,
        SetAside, //
    },
    sys::{
        hook::{
            crash_loaded::{
                CrashLoadedHook,
                LoadedImage, //
            },
            crash_size::{
                self,
                CrashSizeHook, //
            }, //
        },
        kexec,
        module_reference::ModuleReference,
        once::Once, //
    }, //
};
use core::{
    mem,
    ops::DerefMut,
    ptr,
    sync::atomic::{
        AtomicPtr,
        AtomicUsize,
        Ordering, //
    }, //
};
use kernel::{
    bindings,
    sync::Arc, //
};
use kexec_core::uapi::{
    HookedBy,
    RegionSource, //
};

/// The image that the next crash boots, or null.
static IMAGE: AtomicPtr<CrashImage> = AtomicPtr::new(ptr::null_mut());

/// The armed image, for the crash path.
///
/// # Safety
///
/// Preemption must be off, and stay so for as long as the image is used: a crash has it for ever,
/// because it never gives control back.
pub(crate) unsafe fn image<'a>() -> Option<&'a CrashImage> {
    // SAFETY: The pointer is valid while an image is armed, and until those are done that have found
    // it with preemption off.
    unsafe { IMAGE.load(Ordering::Acquire).as_ref() }
}

/// The armed image, for the kernel that asks whether there is one.
struct ArmedImage;

impl LoadedImage for ArmedImage {
    fn is_armed() -> bool {
        !IMAGE.load(Ordering::Relaxed).is_null()
    }
}

/// The memory that the module has set aside, for those who ask the kernel whether any is.
struct Own;

static OWN: AtomicUsize = AtomicUsize::new(0);

impl crash_size::SetAside for Own {
    fn len() -> usize {
        OWN.load(Ordering::Relaxed)
    }
}

/// The hooks that notice a crash and boot the armed image.
pub(crate) trait CrashHooks {
    /// Puts the hooks in, unless they are, and tries whether they work.
    fn put_in() -> Result<(), Refusal>;

    /// Tries by what a crash would be noticed now, once they are in.
    fn by() -> HookedBy;

    /// Takes the hooks out.
    fn take_out();
}

/// The hold on [`IMAGE`], which points to an image for as long as this lives.
struct Pointer;

impl Pointer {
    fn point_to(image: &CrashImage) {
        IMAGE.store(ptr::from_ref(image).cast_mut(), Ordering::Release);
    }

    /// Waits until nobody uses an image any more that [`IMAGE`] has pointed to before.
    ///
    /// Hooks run with preemption off. One that has found the image still will either have returned
    /// after this, or has begun a crash, and then this never returns.
    fn wait_for_hooks() {
        // SAFETY: Called in a system call or while the module is removed: sleeping is allowed.
        unsafe { bindings::synchronize_rcu() };
    }
}

impl Drop for Pointer {
    fn drop(&mut self) {
        IMAGE.store(ptr::null_mut(), Ordering::Release);
        Self::wait_for_hooks();
    }
}

/// The image that [`IMAGE`] points to, for as long as this lives.
struct Target {
    // Dropped first.
    pointer: Pointer,
    loaded: Loaded,
}

impl Target {
    fn arm(loaded: Loaded) -> Self {
        Pointer::point_to(loaded.image());
        Self {
            pointer: Pointer,
            loaded,
        }
    }

    /// Arms another image by one store, and returns the one before.
    fn replace(&mut self, loaded: Loaded) -> Loaded {
        Pointer::point_to(loaded.image());
        Pointer::wait_for_hooks();
        mem::replace(&mut self.loaded, loaded)
    }

    fn disarm(self) -> Loaded {
        drop(self.pointer);
        self.loaded
    }
}

/// An image that the next crash will boot. Dropping it disarms.
struct Armed {
    target: Target,
    hold: Hold,
}

/// The holds on what an armed image needs: its memory, and the module.
struct Hold {
    claim: Claim,
    _module: ModuleReference,
}

/// The place of the image that is armed.
///
/// There is one, under a lock, because there is one [`IMAGE`]. The hooks in the kernel's own kexec, and
/// those by which a crash is noticed, change the kernel's code while it runs on other CPUs. So they
/// stay from the first load on, and do nothing while nothing is armed.
pub(crate) struct Slot {
    armed: Option<Armed>,
    own: Option<SetAside>,
    crash_size_hook: Option<CrashSizeHook>,
    // Dropped last: it makes a claim hold.
    kexec_hooks: Option<KexecHooks>,
}

/// The hooks in the kernel's own kexec: it leaves the region to us, and knows of the armed image.
struct KexecHooks {
    guard: Guard,
    _crash_loaded: CrashLoadedHook,
}

impl KexecHooks {
    fn register() -> Result<Self, Refusal> {
        let hook_error = |error| MachineError::Hook {
            what: "kexec_crash_loaded",
            error,
        };
        Ok(Self {
            guard: Guard::register()?,
            _crash_loaded: CrashLoadedHook::register::<ArmedImage>().map_err(hook_error)?,
        })
    }
}

global_lock! {
    /// The lock is the outermost one of the module; what runs in a crash takes none.
    // SAFETY: `lock` initialises it, and nothing else uses it.
    unsafe(uninit) static SLOT: Mutex<Slot> = Slot {
        armed: None,
        own: None,
        crash_size_hook: None,
        kexec_hooks: None,
    };
}

/// Waits until nobody else loads, unloads or looks.
pub(crate) fn lock() -> impl DerefMut<Target = Slot> {
    static INITIALISED: Once = Once::new();
    // SAFETY: Called once, and before the first use below.
    INITIALISED.call(|| unsafe { SLOT.init() });
    SLOT.lock()
}

impl Slot {
    /// Prepares an image, puts it into its place and arms it, instead of another one, if there is
    /// one.
    ///
    /// Where both have room, the other one stays armed until this one is. On an error what was armed
    /// still is, unless it had to make room and the copy was found damaged. Where nothing is armed
    /// then, nothing is claimed.
    pub(crate) fn load<H: CrashHooks>(
        &mut self,
        contents: &load::UnpackedFiles<'_>,
    ) -> Result<&CrashImage, Refusal> {
        // A caller that has kept the device open while the module is removed finds it going.
        let module = ModuleReference::get().ok_or(RequestError::ModuleGoing)?;
        let guard = put_in::<H>(&mut self.kexec_hooks)?;
        if let Some(armed) = &self.armed {
            armed.hold.claim.check()?;
        }
        let (target, mut hold) = match self.armed.take() {
            Some(Armed { target, hold }) => (Some(target), hold),
            None => {
                let hold = Hold {
                    claim: Claim::new(guard, self.own.as_ref())?,
                    _module: module,
                };
                (None, hold)
            }
        };
        let (target, outcome) = replace(target, contents, &mut hold.claim);
        self.armed = target.map(|target| Armed { target, hold });
        outcome?;
        self.image().ok_or(Refusal::OutOfMemory)
    }

    /// Has so much memory for images: taken from the running kernel, or left of what that has reserved; 0
    /// gives back what was taken. After an error all is as it was before.
    pub(crate) fn reserve(&mut self, wanted: u64) -> Result<(), Refusal> {
        if matches!(self.own, Some(SetAside::Named(_))) {
            return Err(RegionError::IsNamed.into());
        }
        let found = self.reservation().ok();
        let reserved = found.filter(|found| found.source() == RegionSource::Crashkernel);
        let held = match (&reserved, &self.own) {
            (Some(reserved), _) => reserved.len(),
            (None, own) => own.as_ref().map_or(0, SetAside::wanted),
        };
        if wanted == held {
            return Ok(());
        }
        if let Some(armed) = &self.armed {
            let used = armed.hold.claim.occupied().unwrap_or_default().len();
            return Err(RegionError::Armed { used }.into());
        }
        if reserved.is_some() {
            if !(1..held).contains(&wanted) {
                return Err(RegionError::Reserved { len: held }.into());
            }
            refuse_kernels_image()?;
            kexec::shrink(wanted).map_err(RegionError::NotShrunk)?;
            return Ok(());
        }
        let own = match wanted {
            0 => None,
            wanted => Some(SetAside::RunTime(Arc::new(
                RunTimeMemory::take(wanted)?,
                GFP_KERNEL,
            )?)),
        };
        self.set_aside(own);
        Ok(())
    }

    /// Has memory for images that was kept free for them, where nothing is reserved.
    pub(crate) fn name(&mut self, memory: NamedMemory) -> Result<(), Refusal> {
        self.set_aside(Some(SetAside::Named(Arc::new(memory, GFP_KERNEL)?)));
        Ok(())
    }

    fn set_aside(&mut self, own: Option<SetAside>) {
        let len = own.as_ref().map_or(0, SetAside::len);
        self.own = own;
        OWN.store(len as usize, Ordering::Relaxed);
        if self.crash_size_hook.is_none() {
            // Where it fails, kexec_crash_size says what the kernel has reserved: nothing.
            self.crash_size_hook = CrashSizeHook::register::<Own>().ok();
        }
    }

    /// The memory for images.
    pub(crate) fn reservation(&self) -> Result<Reservation, Refusal> {
        Reservation::find(self.own.as_ref())
    }

    /// Disarms what is armed, and says whether anything was.
    pub(crate) fn disarm(&mut self) -> bool {
        self.armed.take().is_some()
    }

    /// Disarms, gives memory back, and takes the hooks and the guard out.
    pub(crate) fn leave<H: CrashHooks>(&mut self) {
        self.armed = None;
        OWN.store(0, Ordering::Relaxed);
        self.crash_size_hook = None;
        self.own = None;
        H::take_out();
        self.kexec_hooks = None;
    }

    /// The image that is armed.
    pub(crate) fn image(&self) -> Option<&CrashImage> {
        self.armed.as_ref().map(|armed| armed.target.loaded.image())
    }
}

/// Prepares an image and arms it, instead of `target` if there is one. Returns what is armed then.
fn replace(
    mut target: Option<Target>,
    contents: &load::UnpackedFiles<'_>,
    claim: &mut Claim,
) -> (Option<Target>, Result<(), Refusal>) {
    let loaded = match load::prepare(contents, claim) {
        Ok(Prepared::Beside(image)) => image.copy(claim),
        Ok(Prepared::Instead(image)) => {
            if let Some(target) = target.take() {
                target.disarm().leave(claim);
            }
            image.copy(claim)
        }
        Err(refusal) => Err(refusal),
    };
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(refusal) => return (target, Err(refusal)),
    };
    let target = match target {
        Some(mut target) => {
            target.replace(loaded).leave(claim);
            target
        }
        None => Target::arm(loaded),
    };
    (Some(target), Ok(()))
}

/// Puts in what is not there yet: the hooks in kexec, then those of a crash.
fn put_in<H: CrashHooks>(place: &mut Option<KexecHooks>) -> Result<&mut Guard, Refusal> {
    let hooks = match place {
        Some(hooks) => {
            H::put_in()?;
            hooks
        }
        none => {
            let hooks = KexecHooks::register()?;
            H::put_in()?;
            none.insert(hooks)
        }
    };
    Ok(&mut hooks.guard)
}
