// SPDX-License-Identifier: GPL-2.0

//! Doing what a command line of `kexec` asks for.

use std::{
    fs::{
        self,
        File, //
    },
    os::unix::process::CommandExt,
    path::Path,
    process::Command, //
};

use kexec_core::{
    handover::Purpose,
    plan::iomem::entries,
    uapi, //
};
use nix::{
    errno::Errno,
    unistd::sync, //
};

use super::{
    image,
    request::{
        Request,
        FAILED, //
    },
    system_calls,
    NAME, //
};
use crate::{
    arguments::{
        BootOptions,
        ImageOptions, //
    },
    command_line,
    device::Device,
    failure::Failure,
    load, //
};

/// Exit status where the kernel has no kexec_file_load(2): -3.
const NOT_AVAILABLE: u8 = 253;
/// Exit status where there is nothing that it could be done with.
const MISSING: u8 = 1;

/// Does it, and says how `kexec` would have ended.
pub fn perform(request: &Request) -> u8 {
    if request.steps.print_region {
        println!("{}", region_len());
        return 0;
    }
    if request.steps.status {
        let is_loaded = system_calls::is_loaded(purpose(request));
        let is_loaded = is_loaded.or_else(|| module_has(purpose(request)));
        return is_loaded.map_or(FAILED, u8::from);
    }
    match steps(request) {
        Ok(()) => 0,
        Err((failure, status)) => {
            eprintln!("{NAME}: {failure}");
            status
        }
    }
}

fn purpose(request: &Request) -> Purpose {
    match request.for_crash {
        true => Purpose::Crash,
        false => Purpose::Reboot,
    }
}

/// The answer of a kernel without the file, whose images are the module's alone; none where it is not known.
fn module_has(purpose: Purpose) -> Option<bool> {
    let status = Device::open().and_then(|device| device.status()).ok()?;
    Some(match purpose {
        Purpose::Crash => status.armed != 0,
        Purpose::Reboot => status.reboot_image.len != 0,
    })
}

fn steps(request: &Request) -> Result<(), (Failure, u8)> {
    let steps = request.steps;
    if let (Some(kernel), Some(kernel_type)) = (&request.kernel, &request.kernel_type) {
        if steps.load {
            image::check_type(kernel, kernel_type).map_err(|failure| (failure, FAILED))?;
        }
    }
    if steps.unload {
        say(request, "the loaded kernel is dropped");
        unload(request).map_err(with_status)?;
    }
    if let (true, Some(kernel)) = (steps.load, &request.kernel) {
        say(request, &format!("{} is loaded", kernel.display()));
        load(request, kernel).map_err(|(failure, status)| match has_contents(kernel) {
            true => (failure, status),
            false => (failure, MISSING),
        })?;
    }
    if steps.shut_down || steps.enter {
        let is_loaded = system_calls::is_loaded(Purpose::Reboot);
        let is_loaded = match module_has(Purpose::Reboot) {
            Some(true) => Some(true),
            _ => is_loaded,
        };
        let missing = match is_loaded {
            Some(true) => None,
            Some(false) => {
                Some("no kernel is loaded that a reboot could enter: Nothing has been loaded!")
            }
            None => Some("this kernel cannot reboot into another one: it has no kexec"),
        };
        if let Some(sentence) = missing {
            return Err((Failure::new(sentence), MISSING));
        }
    }
    if steps.shut_down {
        let error = Command::new("/sbin/shutdown").args(["-r", "now"]).exec();
        return Err((
            Failure::from_io("cannot run /sbin/shutdown", &error),
            FAILED,
        ));
    }
    if steps.sync {
        sync();
    }
    if steps.enter {
        say(request, "the machine reboots into the loaded kernel");
        return Err((system_calls::enter(), FAILED));
    }
    Ok(())
}

/// Whether there is something to read in the file that is to be loaded.
fn has_contents(path: &Path) -> bool {
    let file = File::open(path).and_then(|file| file.metadata());
    file.is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

fn say(request: &Request, what: &str) {
    if request.debug {
        eprintln!("{NAME}: {what}");
    }
}

/// The module, if it is there. Else the kernel's own kexec stands in for it, and the caller is told.
fn module(request: &Request) -> Result<Option<Device>, Failure> {
    match Device::open() {
        Ok(device) => Ok(Some(device)),
        Err(failure) => match failure.errno() {
            Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) => {
                let what = match request.steps.load {
                    true => "loads the kernel",
                    false => "is asked",
                };
                eprintln!(
                    "{NAME}: the module rust_kexec is not there (/dev/{}): the kernel's own kexec {what}",
                    uapi::DEVICE_NAME
                );
                Ok(None)
            }
            _ => Err(failure),
        },
    }
}

fn unload(request: &Request) -> Result<(), Failure> {
    if let Some(device) = module(request)? {
        match (device.unload(purpose(request)), purpose(request)) {
            // What is not there does not have to go.
            (Err(failure), Purpose::Crash) if failure.errno() == Some(Errno::ENOENT) => {
                return Ok(())
            }
            // It may be the kernel's own.
            (Err(failure), Purpose::Reboot) if failure.errno() == Some(Errno::ENOENT) => {}
            (result, _) => return result,
        }
    }
    system_calls::unload(purpose(request))
}

fn load(request: &Request, kernel: &Path) -> Result<(), (Failure, u8)> {
    let options = ImageOptions {
        boot: BootOptions {
            initrd: request.initrd.clone(),
            command_line: request.command_line.clone(),
        },
        device_tree: request.device_tree.clone(),
        reuse_cmdline: request.reuse_cmdline,
        ..ImageOptions::default()
    };
    if module(request).map_err(with_status)?.is_some() {
        match (
            load::load(purpose(request), kernel, &options),
            purpose(request),
        ) {
            (Err(failure), Purpose::Reboot)
                if is_for_the_kernel(&failure) && options.device_tree.is_none() =>
            {
                eprintln!("{NAME}: {failure}: the kernel's own kexec loads the kernel");
            }
            (Ok(()), Purpose::Reboot) => {
                // The last one that was loaded is the one that counts; there may be none.
                let _ = system_calls::unload(Purpose::Reboot);
                return Ok(());
            }
            (result, _) => return result.map_err(with_status),
        }
    } else if request.for_crash && region_len() == 0 {
        let failure = Failure::new(
            "no memory is reserved for a kernel that a crash enters. Please reserve memory by passing \
             crashkernel=256M to the running kernel",
        );
        return Err((failure, MISSING));
    }
    load_by_the_kernel(purpose(request), kernel, &options).map_err(with_status)
}

/// Whether the kernel's own kexec may do what the module could not: this kernel lacks something that the module
/// needs, or there is too little memory.
fn is_for_the_kernel(failure: &Failure) -> bool {
    matches!(failure.errno(), Some(Errno::ENODEV | Errno::ENOMEM))
}

/// Has the kernel itself load.
fn load_by_the_kernel(
    purpose: Purpose,
    path: &Path,
    options: &ImageOptions,
) -> Result<(), Failure> {
    if options.device_tree.is_some() {
        return Err(Failure::new(
            "the kernel's own kexec takes no device tree, and would hand on the running kernel's: load with the \
             module, or leave --dtb out",
        ));
    }
    let kernel = match image::unpacked(path)? {
        Some(bytes) => system_calls::file_in_memory(&bytes)?,
        None => load::open("kernel", path)?,
    };
    let initrd = options.boot.initrd.as_deref();
    let initrd: Option<File> = initrd.map(|path| load::open("initrd", path)).transpose()?;
    system_calls::load(
        purpose,
        &kernel,
        initrd.as_ref(),
        command_line::wanted(purpose, options)?,
    )
}

fn with_status(failure: Failure) -> (Failure, u8) {
    let status = match failure.errno() {
        Some(Errno::ENOSYS) => NOT_AVAILABLE,
        // Nothing is reserved: that ends kexec before it loads.
        Some(Errno::EADDRNOTAVAIL) if region_len() == 0 => MISSING,
        _ => FAILED,
    };
    (failure, status)
}

/// The length of the region that images for a crash go into, in bytes.
fn region_len() -> u64 {
    let status = Device::open().and_then(|device| device.status());
    if let Ok(status) = status {
        return status.region.len;
    }
    let iomem = fs::read("/proc/iomem").unwrap_or_default();
    let regions = entries(&iomem).filter(|entry| entry.name == b"Crash kernel");
    regions.last().map_or(0, |entry| entry.range.len())
}
