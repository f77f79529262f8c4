// SPDX-License-Identifier: GPL-2.0

//! Beside the way of a dump: the image that the next reboot by `kernel_kexec()` enters, without firmware.
//!
//! There is one place for it. The image for a crash stays armed meanwhile, until the machine has left this
//! kernel.

use crate::{
    arch,
    compat::{
        global_lock,
        prelude::*, //
    },
    load::{
        RebootImage,
        UnpackedFiles, //
    },
    refusal::{
        MachineError,
        Refusal,
        RequestError, //
    },
    sys::{
        hook::reboot::{
            self,
            RebootHook, //
        },
        module_reference::ModuleReference,
        once::Once,
        reboot::{
            by_firmware,
            hands_state_over,
            Shutdown, //
        }, //
    }, //
};
use core::{
    ops::DerefMut,
    sync::atomic::{
        AtomicBool,
        Ordering, //
    }, //
};
use kernel::ffi::c_int;

/// Whether an image is loaded, for the hooks.
static IS_LOADED: AtomicBool = AtomicBool::new(false);

/// The place of the image.
pub(crate) struct Slot {
    loaded: Option<Loaded>,
    ready: Option<Ready>,
}

struct Loaded {
    image: KBox<RebootImage>,
    _module: ModuleReference,
}

/// What leads reboots here, and how the kernel shuts down. There from the first load on.
struct Ready {
    shutdown: Shutdown,
    _hook: RebootHook,
}

global_lock! {
    /// No other lock is taken inside it.
    // SAFETY: `lock` initialises it, and nothing else uses it.
    unsafe(uninit) static SLOT: Mutex<Slot> = Slot {
        loaded: None,
        ready: None,
    };
}

/// Waits until nobody else loads, unloads, looks or reboots.
pub(crate) fn lock() -> impl DerefMut<Target = Slot> {
    static INITIALISED: Once = Once::new();
    // SAFETY: Called once, and before the first use below.
    INITIALISED.call(|| unsafe { SLOT.init() });
    SLOT.lock()
}

impl Slot {
    /// Loads an image, instead of another one if there is one. That one stays where this fails.
    pub(crate) fn load(&mut self, files: &UnpackedFiles<'_>) -> Result<&RebootImage, Refusal> {
        let module = ModuleReference::get().ok_or(RequestError::ModuleGoing)?;
        if hands_state_over() {
            return Err(MachineError::StateHandover.into());
        }
        if self.ready.is_none() {
            self.ready = Some(Ready::new()?);
        }
        let image = RebootImage::load(files)?;
        let loaded = self.loaded.insert(Loaded {
            image,
            _module: module,
        });
        IS_LOADED.store(true, Ordering::Release);
        Ok(&loaded.image)
    }

    /// Drops the image, and says whether there was one.
    pub(crate) fn unload(&mut self) -> bool {
        IS_LOADED.store(false, Ordering::Release);
        self.loaded.take().is_some()
    }

    /// Drops the image, and takes the hooks out.
    pub(crate) fn leave(&mut self) {
        self.unload();
        self.ready = None;
    }

    /// The image that is loaded.
    pub(crate) fn image(&self) -> Option<&RebootImage> {
        self.loaded.as_ref().map(|loaded| &*loaded.image)
    }

    /// Leaves this kernel. Comes back only where nothing was shut down yet.
    fn enter(&mut self) -> Error {
        let (Some(loaded), Some(ready)) = (&mut self.loaded, &self.ready) else {
            return EINVAL;
        };
        if let Err(why_not) = loaded.image.check() {
            pr_emerg!("{}\n", format_args!("{why_not}"));
            return EIO;
        }
        // SAFETY: This is called in reboot(2), in the place of kernel_kexec().
        let alone = unsafe { ready.shutdown.run() };
        if !alone {
            pr_emerg!("CPUs could not be stopped: the machine reboots by firmware\n");
            by_firmware();
        }
        let _ = arch::stop::disable_interrupts();
        arch::stop::quiesce_cpu();
        // SAFETY: The kernel has shut down devices and the other CPUs.
        unsafe { loaded.image.enter() }
    }
}

impl Ready {
    // Out of line for the stack: the list of functions.
    #[inline(never)]
    fn new() -> Result<Self, Refusal> {
        let shutdown = Shutdown::find().map_err(|_| MachineError::Missing {
            what:
                "the addresses of the functions and the variable by which this kernel reboots into \
                   another one",
            remedy: "use a kernel with CONFIG_KEXEC or CONFIG_KEXEC_FILE, CONFIG_KPROBES and \
                     CONFIG_KALLSYMS_ALL",
        })?;
        let hook = RebootHook::register::<TheImage>().map_err(|error| MachineError::Hook {
            what: "kernel_kexec(), by which the machine reboots into another kernel,",
            error,
        })?;
        if !hook.is_shown {
            pr_notice!(
                "kexec_loaded will say 0, and services that look there will not see the image\n"
            );
        }
        Ok(Self {
            shutdown,
            _hook: hook,
        })
    }
}

/// The loaded image, for the hooks.
struct TheImage;

impl reboot::RebootImage for TheImage {
    fn is_loaded() -> bool {
        IS_LOADED.load(Ordering::Acquire)
    }

    fn begin() -> bool {
        // The one who loaded may drop the image meanwhile, and with it the module.
        let module = ModuleReference::get().filter(|_| Self::is_loaded());
        module.map(ModuleReference::leave).is_some()
    }

    unsafe fn enter() -> c_int {
        // SAFETY: By this function's contract `begin` has left it.
        let _module = unsafe { ModuleReference::left() };
        lock().enter().to_errno()
    }
}
