// SPDX-License-Identifier: GPL-2.0

//! `rkexec` loads a capture kernel through `/dev/rust_kexec`, drops it, has memory for it, and shows what is
//! loaded.
//!
//! The options are those that users of `kexec` know; `rkexec load`, `rkexec unload` and
//! `rkexec status` are other spellings of `-p`, `-u` and `-S`. All decisions about an image are
//! the module's; `rkexec inspect` runs the same code without it. A refusal is printed on standard
//! error as `rkexec: <the module's sentence> (<errno>)`.
//!
//! # Exit status
//!
//! | | |
//! |---|---|
//! | load, unload, reserve | 0 done, 1 refused or failed |
//! | status | as `kexec -S`: 1 when an image is armed, 0 when none is, 255 when that is unknown |
//! | crashkernel | 0 a kernel reserves memory, 1 it reserves none, 255 when that is unknown |
//! | report | 0 shown, 1 no dump with a report |
//! | estimate | 0 estimated, 1 a file is refused or cannot be read |
//! | doctor | 0 a crash would leave a dump, 1 something is wrong, 255 when that is unknown |
//! | inspect | 0 every file can be loaded, 1 one is refused, 255 a file cannot be read |
//! | wrong usage | 2 |

mod arguments;
mod command_line;
mod crashkernel;
mod device;
mod doctor;
mod estimate;
mod failure;
#[cfg(test)]
#[path = "../tests/golden/mod.rs"]
mod golden;
mod initrd;
mod inspect;
mod kexec;
mod load;
mod output;
mod report;
mod status;

use std::process::ExitCode;

use arguments::{
    Action,
    Arguments, //
};
use device::Device;
use failure::Failure;
use kexec_core::handover::Purpose;
use nix::unistd::sync;

/// Exit status for an unknown answer: -1, as of `kexec -S`.
const UNKNOWN: u8 = 255;

fn main() -> ExitCode {
    if let Some(words) = kexec::words(std::env::args_os()) {
        return kexec::main(words);
    }
    let action = Arguments::action();
    let failed = match action {
        Action::Status { .. } | Action::Inspect(_) | Action::Crashkernel(_) | Action::Doctor(_) => {
            UNKNOWN
        }
        _ => 1,
    };
    match perform(action) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("rkexec: {failure}");
            ExitCode::from(failed)
        }
    }
}

fn perform(action: Action) -> Result<u8, Failure> {
    match action {
        Action::Load {
            purpose,
            kernel,
            options,
        } => {
            load::load(purpose, &kernel, &options)?;
            Ok(0)
        }
        Action::Unload { purpose } => {
            Device::open()?.unload(purpose)?;
            Ok(0)
        }
        Action::Enter => {
            let report = status::Report::from(&Device::open()?.status()?);
            if !report.has(Purpose::Reboot) {
                return Err(Failure::new(
                    "no kernel is loaded for a reboot: load one with -l",
                ));
            }
            sync();
            Err(kexec::enter())
        }
        Action::Reserve { len } => {
            let device = Device::open()?;
            device.reserve(len)?;
            print!("{}", status::Report::from(&device.status()?).memory());
            Ok(0)
        }
        Action::Status { purpose, json } => {
            let report = status::Report::from(&Device::open()?.status()?);
            output::print(&report, json)?;
            Ok(report.has(purpose).into())
        }
        Action::Report { dump, json } => {
            report::report(&dump, json)?;
            Ok(0)
        }
        Action::Inspect(request) => inspect::inspect(&request),
        Action::Crashkernel(request) => crashkernel::crashkernel(&request),
        Action::Estimate(request) => {
            estimate::estimate(&request)?;
            Ok(0)
        }
        Action::Doctor(request) => doctor::doctor(&request),
    }
}
