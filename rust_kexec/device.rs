// SPDX-License-Identifier: GPL-2.0

//! The device `/dev/rust_kexec`: requests come in, and sentences go out.

mod region_files;
mod status;
mod structures;

use crate::{
    arch::handover::TAKES_DEVICE_TREE,
    armed::{
        self,
        CrashHooks, //
    },
    compat::{
        fs::File,
        miscdevice::{
            MiscDevice,
            MiscDeviceOptions,
            MiscDeviceRegistration, //
        },
        prelude::*, //
    },
    crash::Hooks,
    load,
    reboot,
    refusal::{
        MachineError,
        PermissionError,
        Refusal,
        RequestError, //
    },
    reserve::{
        refuse_kernels_image,
        NamedMemory, //
    },
    sys::{
        crash_cma,
        directory::Directory,
        kexec,
        memory,
        parameters,
        user_structure, //
    }, //
};
use kernel::ioctl::_IO;
use kexec_core::{
    crashkernel,
    handover::Purpose,
    uapi::{
        LoadRequest,
        ReserveRequest,
        Status,
        UnloadRequest,
        FOR_REBOOT,
        IOCTL_LOAD,
        IOCTL_RESERVE,
        IOCTL_STATUS,
        IOCTL_TYPE,
        IOCTL_UNLOAD,
        NO_FD,
        WITH_DEVICE_TREE, //
    }, //
};
use status::status;
use structures::{
    answer,
    read,
    read_len,
    user_slice,
    Crossing, //
};

/// Longest command line that is read from user space: what no kernel takes is refused before it
/// is copied.
const COMMAND_LINE_MAX: u64 = 64 << 10;

/// The device, for as long as it lives.
///
/// A module that is removed by force takes its image with it: first nobody can open the device any
/// more, then what is armed is disarmed. A caller that has it open still finds that the module is going.
pub(crate) struct Registration {
    // Dropped in this order.
    _region_files: Option<Directory>,
    _device: Pin<KBox<MiscDeviceRegistration<Device>>>,
    _departure: Departure,
    _notices: load::Notices,
}

impl Registration {
    /// Creates the device.
    pub(crate) fn new() -> Result<Self> {
        load::seal_policy();
        let notices = load::Notices::register()?;
        // Where it fails loads are refused, with a sentence.
        let _ = kexec::find();
        // Where it fails the capture kernel does without, as `rkexec -S` shows.
        let _ = crash_cma::find();
        let departure = Departure;
        take_named()?;
        reserve_at_start()?;
        let options = MiscDeviceOptions {
            name: c"rust_kexec",
        };
        Ok(Self {
            _departure: departure,
            _device: KBox::pin_init(MiscDeviceRegistration::register(options), GFP_KERNEL)?,
            _region_files: region_files::create(),
            _notices: notices,
        })
    }
}

/// Leaves nothing armed, reserved or hooked when it is dropped.
struct Departure;

impl Drop for Departure {
    fn drop(&mut self) {
        reboot::lock().leave();
        armed::lock().leave::<Hooks>();
    }
}

/// The requests of an open file.
struct Device;

#[vtable]
impl MiscDevice for Device {
    type Ptr = ();

    fn open(_file: &File, _device: &MiscDeviceRegistration<Self>) -> Result<()> {
        Ok(())
    }

    fn ioctl(_device: (), _file: &File, command: u32, argument: usize) -> Result<isize> {
        dispatch(command, argument).map(|()| 0)
    }
}

const LOAD: u32 = _IO(IOCTL_TYPE as u32, IOCTL_LOAD as u32);
const UNLOAD: u32 = _IO(IOCTL_TYPE as u32, IOCTL_UNLOAD as u32);
const RESERVE: u32 = _IO(IOCTL_TYPE as u32, IOCTL_RESERVE as u32);
const STATUS: u32 = _IO(IOCTL_TYPE as u32, IOCTL_STATUS as u32);

// Inlined, the frames of all steps of all requests would add up in one. So the functions that do the
// work, here and in the stages below, stay out of line where they say so.
fn dispatch(command: u32, argument: usize) -> Result {
    match command {
        LOAD => {
            let (request, known) = read::<LoadRequest>(argument)?;
            answer(&request.message, known.and_then(|()| load(&request)))
        }
        UNLOAD => {
            let (request, known) = read::<UnloadRequest>(argument)?;
            answer(&request.message, known.and_then(|()| unload(&request)))
        }
        RESERVE => {
            let (request, known) = read::<ReserveRequest>(argument)?;
            answer(&request.message, known.and_then(|()| reserve(&request)))
        }
        STATUS => {
            let len = read_len::<Status>(argument)?;
            let mut status = status()?;
            let Crossing(contents) = &mut *status;
            contents.size = len.min(contents.size);
            user_structure::write(argument, len as usize, &*status)
        }
        _ => Err(ENOTTY),
    }
}

/// Checks the caller and the flags, and says what the image is for.
fn check_request(flags: u32, known: u32) -> Result<Purpose, Refusal> {
    if !kexec::caller_may_boot() {
        return Err(PermissionError::NotPermitted.into());
    }
    match (flags & !known, flags & FOR_REBOOT) {
        (0, 0) => Ok(Purpose::Crash),
        (0, _) => Ok(Purpose::Reboot),
        (unknown, _) => Err(RequestError::UnknownFlags(unknown).into()),
    }
}

/// Asks the kernel whether it permits the caller to load or unload an image, as its own system calls do.
fn check_permission(purpose: Purpose) -> Result<(), Refusal> {
    match kexec::load_permitted(purpose) {
        Some(true) => Ok(()),
        Some(false) if kexec::load_is_disabled() => Err(PermissionError::LoadDisabled.into()),
        Some(false) => Err(PermissionError::LoadLimit(purpose).into()),
        None => Err(MachineError::Missing {
            what: "the address of kexec_load_permitted(), which says whether \
                   kernel.kexec_load_disabled forbids this,",
            remedy: "use a kernel with CONFIG_KPROBES",
        }
        .into()),
    }
}

// Out of line for the stack: the files and their contents.
#[inline(never)]
fn load(request: &LoadRequest) -> Result<(), Refusal> {
    let purpose = check_request(request.flags, FOR_REBOOT | WITH_DEVICE_TREE)?;
    let has_device_tree = request.flags & WITH_DEVICE_TREE != 0;
    if !has_device_tree {
        check_request(request.device_tree_fd as u32, 0)?;
    } else if !TAKES_DEVICE_TREE {
        return Err(RequestError::NoDeviceTree.into());
    }
    check_permission(purpose)?;
    let given = |fd| (fd != NO_FD).then_some(fd);
    let descriptors = load::Descriptors {
        kernel: request.kernel_fd,
        kernel_signature: given(request.kernel_signature_fd),
        initrd: given(request.initrd_fd),
        initrd_signature: given(request.initrd_signature_fd),
        device_tree: has_device_tree.then_some(request.device_tree_fd),
    };
    let digest = load::requested_digest(request.digest)?;
    // Reading and decompressing files may take long, so it comes before the lock. The region is looked
    // at again when it is claimed.
    let limit = match purpose {
        Purpose::Crash if armed::lock().image().is_none() => {
            refuse_kernels_image()?;
            armed::lock().reservation()?.region().len()
        }
        Purpose::Crash => armed::lock().reservation()?.region().len(),
        Purpose::Reboot => memory::total() / 2,
    };
    let files = load::Files::read(&descriptors, read_command_line(request)?, digest)?;
    let contents = files.unpack(limit)?;
    match purpose {
        Purpose::Crash => arm(&contents),
        Purpose::Reboot => load_for_reboot(&contents),
    }
}

// Out of line for the stack: apart from the other purpose.
#[inline(never)]
fn load_for_reboot(contents: &load::UnpackedFiles<'_>) -> Result<(), Refusal> {
    let mut slot = reboot::lock();
    let image = slot.load(contents)?;
    pr_info!(
        "kernel loaded for a reboot: in {} ({}), entry {:#x}\n",
        format_args!("{}", image.memory()),
        image.place().name(),
        image.entry()
    );
    Ok(())
}

// Out of line for the stack: apart from the other purpose.
#[inline(never)]
fn arm(contents: &load::UnpackedFiles<'_>) -> Result<(), Refusal> {
    let mut slot = armed::lock();
    let plan = slot.load::<Hooks>(contents)?.loaded.segments.plan();
    pr_info!(
        "capture kernel loaded and armed: {} segments in {}, entry {:#x}\n",
        plan.segments().count(),
        format_args!("{}", plan.region()),
        plan.entry()
    );
    if let Some(loss) = Hooks::by().loss() {
        pr_notice!("crashes are noticed by {loss}\n");
    }
    Ok(())
}

fn read_command_line(request: &LoadRequest) -> Result<KVec<u8>, Refusal> {
    let len = request.command_line_len;
    if len > COMMAND_LINE_MAX {
        return Err(RequestError::CommandLineLength {
            found: len,
            limit: COMMAND_LINE_MAX,
        }
        .into());
    }
    let mut bytes = KVec::new();
    user_slice(request.command_line as usize, len as usize)
        .read_all(&mut bytes, GFP_KERNEL)
        .map_err(|_| RequestError::BadAddress)?;
    Ok(bytes)
}

// Out of line for the stack: as the other requests, although it needs little itself.
#[inline(never)]
fn unload(request: &UnloadRequest) -> Result<(), Refusal> {
    let purpose = check_request(request.flags, FOR_REBOOT)?;
    check_permission(purpose)?;
    let was_loaded = match purpose {
        Purpose::Crash => armed::lock().disarm(),
        Purpose::Reboot => reboot::lock().unload(),
    };
    match was_loaded {
        true => Ok(()),
        false => Err(RequestError::NothingLoaded(purpose).into()),
    }
}

// Out of line for the stack: the pieces.
#[inline(never)]
fn reserve(request: &ReserveRequest) -> Result<(), Refusal> {
    check_request(request.flags, 0)?;
    armed::lock().reserve(request.len)
}

/// Takes the memory that `region=` names. It does so or the module does not come, because what is named is
/// a fact of this machine, or a mistake.
#[inline(never)]
fn take_named() -> Result {
    let text = parameters::region();
    if text.is_empty() {
        return Ok(());
    }
    let Some(places) = crashkernel::places(text) else {
        pr_err!(
            "region= needs sizes and places, such as region=192M@1G, and a comma between two\n"
        );
        return Err(EINVAL);
    };
    let mut slot = armed::lock();
    if slot.reservation().is_ok() {
        pr_notice!("region= is not needed: crashkernel= has reserved memory\n");
        return Ok(());
    }
    let taken = NamedMemory::take(places).and_then(|memory| slot.name(memory));
    taken.map_err(|refusal| {
        pr_err!("region= is refused: {}\n", format_args!("{refusal}"));
        refusal.errno()
    })
}

/// Takes the memory that `reserve=` asks for, early, while much of it is free. Without it the module is
/// of use all the same.
#[inline(never)]
fn reserve_at_start() -> Result {
    let text = parameters::reserve();
    if text.is_empty() {
        return Ok(());
    }
    let Some(len) = crashkernel::size(text) else {
        pr_err!("reserve= needs a number of bytes, such as reserve=192M\n");
        return Err(EINVAL);
    };
    let mut slot = armed::lock();
    if slot.reservation().is_ok() {
        pr_notice!("reserve= is not needed: memory is reserved already\n");
        return Ok(());
    }
    if let Err(refusal) = slot.reserve(len) {
        pr_warn!("nothing is reserved: {}\n", format_args!("{refusal}"));
    }
    Ok(())
}
