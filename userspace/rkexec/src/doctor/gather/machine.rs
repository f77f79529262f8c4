// SPDX-License-Identifier: GPL-2.0

//! The running kernel and what is below it.

use std::{
    collections::BTreeMap,
    fs,
    io::{
        Read,
        Seek,
        SeekFrom, //
    },
    path::{
        Path,
        PathBuf, //
    }, //
};

use flate2::read::GzDecoder;
use kexec_core::{
    plan::iomem::entries,
    types::{
        elf::Architecture,
        ranges::Range, //
    }, //
};
use nix::{
    errno::Errno,
    sys::utsname::uname, //
};

use super::{
    log,
    options,
    options_files,
    text, //
};
use crate::{
    crashkernel::reason_for_none,
    device::Device,
    doctor::{
        facts::{
            Machine,
            Module,
            ModuleFile, //
        },
        options::Options, //
    },
    failure::Failure, //
};

/// Sysctls and parameters, and their files.
const SETTINGS: [(&str, &str); 12] = [
    ("panic", "/proc/sys/kernel/panic"),
    ("panic_on_oops", "/proc/sys/kernel/panic_on_oops"),
    ("sysrq", "/proc/sys/kernel/sysrq"),
    ("unknown_nmi_panic", "/proc/sys/kernel/unknown_nmi_panic"),
    ("softlockup_panic", "/proc/sys/kernel/softlockup_panic"),
    ("hardlockup_panic", "/proc/sys/kernel/hardlockup_panic"),
    ("hung_task_panic", "/proc/sys/kernel/hung_task_panic"),
    ("panic_on_rcu_stall", "/proc/sys/kernel/panic_on_rcu_stall"),
    (
        "kexec_load_disabled",
        "/proc/sys/kernel/kexec_load_disabled",
    ),
    (
        "kexec_load_limit_panic",
        "/proc/sys/kernel/kexec_load_limit_panic",
    ),
    ("ftrace_enabled", "/proc/sys/kernel/ftrace_enabled"),
    (
        "crash_kexec_post_notifiers",
        "/sys/module/kernel/parameters/crash_kexec_post_notifiers",
    ),
];

/// Words for features of the CPU, in /proc/cpuinfo and for people.
const CPU_FEATURES: [(&str, &str); 5] = [
    ("la57", "5-level paging"),
    ("lass", "LASS"),
    ("user_shstk", "CET"),
    ("bti", "BTI"),
    ("sme", "SME"),
];

/// What the kernel calls active encryption, before its kind.
const ENCRYPTION: &str = "Memory Encryption Features active: ";
/// The end of the file of a signed module.
const SIGNED: &[u8] = b"~Module signature appended~\n";
/// How deep folders below /lib/modules are searched.
const DEPTH_MAX: usize = 8;

/// The facts about the running kernel.
pub fn gather() -> Result<Machine, Failure> {
    let name = uname().map_err(|errno| Failure::with_errno("uname failed", errno))?;
    let release = name.release().to_string_lossy().into_owned();
    let architecture = match name.machine().to_str() {
        Some("aarch64") => Architecture::Arm64,
        _ => Architecture::X86_64,
    };
    let log = log::read();
    let iomem = fs::read("/proc/iomem").unwrap_or_default();
    let flags = cpu_flags(architecture);
    let module = module();
    let lockdown = lockdown(&log);
    let meminfo = text("/proc/meminfo").unwrap_or_default();
    let armed = matches!(&module, Module::Loaded(status) if status.armed != 0);
    Ok(Machine {
        architecture,
        module_file: match module {
            Module::Absent => module_file(&release),
            _ => None,
        },
        signed_modules_only: lockdown.is_some()
            || text("/sys/module/module/parameters/sig_enforce").as_deref() == Some("Y"),
        lockdown,
        signed_kernels_only: text("/sys/module/rust_kexec/parameters/signatures").as_deref()
            == Some("require"),
        crash_loaded: text("/sys/kernel/kexec_crash_loaded").as_deref() == Some("1"),
        reserved: named(&iomem, b"Crash kernel"),
        unreserved: reason_for_none(),
        memory_len: match named(&iomem, b"System RAM").iter().map(Range::len).sum() {
            0 => amount(&meminfo, "MemTotal"),
            all => all,
        },
        kernel_memory_len: kernel_memory_len(&meminfo),
        hypervisor: hypervisor(&log, &flags),
        // Where it is, no image would be armed.
        encryption: encryption(&log, &flags).filter(|_| !armed),
        cpu_features: CPU_FEATURES
            .into_iter()
            .filter(|(flag, _)| flags.iter().any(|found| found == flag))
            .map(|(_, name)| name)
            .collect(),
        settings: settings(),
        watchdogs: watchdogs(),
        debug_information: debug_information(&release),
        options: running_options(&release),
        module,
        release,
    })
}

fn module() -> Module {
    let failure = match Device::open().and_then(|device| device.status()) {
        Ok(status) => return Module::Loaded(Box::new(status)),
        Err(failure) => failure,
    };
    let is_loaded = Path::new("/sys/module/rust_kexec").exists();
    match failure.errno() {
        Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO) if !is_loaded => Module::Absent,
        _ => Module::Mute(failure.to_string()),
    }
}

fn module_file(release: &str) -> Option<ModuleFile> {
    let root = PathBuf::from(format!("/lib/modules/{release}"));
    let path = search(&root, DEPTH_MAX)?;
    let is_plain = path.extension().is_some_and(|extension| extension == "ko");
    let signed = is_plain.then(|| ends_with(&path, SIGNED)).flatten();
    let path = path.display().to_string();
    Some(ModuleFile { path, signed })
}

/// The file of our module in a folder or below it.
fn search(folder: &Path, depth: usize) -> Option<PathBuf> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).ok()?.flatten() {
        let name = entry.file_name();
        if name.as_encoded_bytes().starts_with(b"rust_kexec.ko") {
            return Some(entry.path());
        }
        // Links such as build lead elsewhere.
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            folders.push(entry.path());
        }
    }
    let depth = depth.checked_sub(1)?;
    folders.iter().find_map(|folder| search(folder, depth))
}

fn ends_with(path: &Path, end: &[u8]) -> Option<bool> {
    let mut file = fs::File::open(path).ok()?;
    let mut found = Vec::new();
    file.seek(SeekFrom::End(-(end.len() as i64))).ok()?;
    file.read_to_end(&mut found).ok()?;
    Some(found == end)
}

/// The mode of the lockdown, from securityfs, or from the log where that is not mounted.
fn lockdown(log: &str) -> Option<String> {
    let mode = match text("/sys/kernel/security/lockdown") {
        Some(modes) => modes.split_once('[')?.1.split_once(']')?.0.to_owned(),
        None => {
            let said = log.contains("Kernel is locked down from");
            said.then(|| String::from("as its log says"))?
        }
    };
    (mode != "none").then_some(mode)
}

fn named(iomem: &[u8], name: &[u8]) -> Vec<Range> {
    let found = entries(iomem).filter(|entry| entry.name == name);
    found.map(|entry| entry.range).collect()
}

/// An amount of /proc/meminfo, in bytes.
fn amount(meminfo: &str, name: &str) -> u64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}

/// What is neither free, nor the page cache, nor programs' own: what makedumpfile -d 31 leaves.
fn kernel_memory_len(meminfo: &str) -> u64 {
    let others = ["MemFree", "Buffers", "Cached", "SwapCached", "AnonPages"];
    let others: u64 = others.iter().map(|name| amount(meminfo, name)).sum();
    let total = amount(meminfo, "MemTotal");
    // Tmpfs counts as cache, and stays in the dump's pages all the same; it is left out as well.
    total.saturating_sub(others)
}

fn cpu_flags(architecture: Architecture) -> Vec<String> {
    let name = match architecture {
        Architecture::X86_64 => "flags",
        Architecture::Arm64 => "Features",
    };
    let text = text("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then_some(value)
    });
    let words = line.unwrap_or_default().split_whitespace();
    words.map(Into::into).collect()
}

/// The hypervisor, by the kernel's own word, or by the machine's name.
fn hypervisor(log: &str, flags: &[String]) -> Option<String> {
    let said = log
        .lines()
        .find_map(|line| line.split_once("Hypervisor detected: "));
    let said = said.map(|(_, name)| name.trim().to_owned());
    let is_guest = flags.iter().any(|flag| flag == "hypervisor");
    let vendor = || text("/sys/class/dmi/id/sys_vendor").filter(|name| !name.is_empty());
    if said.as_deref() == Some("Microsoft Hyper-V") || Path::new("/sys/bus/vmbus").exists() {
        return Some("Hyper-V".into());
    }
    let is_xen = text("/sys/hypervisor/type").as_deref() == Some("xen");
    if is_xen || said.as_deref().is_some_and(|name| name.starts_with("Xen")) {
        return Some("Xen".into());
    }
    match (said, is_guest) {
        (Some(name), _) => Some(name),
        (None, true) => Some(vendor().unwrap_or_else(|| "a hypervisor without a name".into())),
        (None, false) => vendor().filter(|name| name == "QEMU"),
    }
}

fn encryption(log: &str, flags: &[String]) -> Option<String> {
    if flags.iter().any(|flag| flag == "tdx_guest") {
        return Some("TDX".into());
    }
    let said = log.lines().find_map(|line| line.split_once(ENCRYPTION));
    said.map(|(_, name)| name.trim().to_owned())
}

fn settings() -> BTreeMap<&'static str, String> {
    let read = |(name, path): (&'static str, &str)| Some((name, text(path)?));
    let mut settings: BTreeMap<_, _> = SETTINGS.into_iter().filter_map(read).collect();
    let line = text("/proc/cmdline").unwrap_or_default();
    let value = line
        .split_ascii_whitespace()
        .rev()
        .find_map(|word| word.strip_prefix("irqchip.gicv3_pseudo_nmi="));
    settings.extend(value.map(|value| ("gicv3_pseudo_nmi", value.to_owned())));
    settings
}

fn watchdogs() -> Vec<String> {
    let folders = fs::read_dir("/sys/class/watchdog")
        .into_iter()
        .flatten()
        .flatten();
    let mut running: Vec<String> = folders
        .filter(|folder| text(folder.path().join("state")).as_deref() == Some("active"))
        .map(|folder| {
            let name = text(folder.path().join("identity")).unwrap_or_default();
            match text(folder.path().join("timeout")) {
                Some(seconds) => format!("{name}, {seconds} s"),
                None => name,
            }
        })
        .collect();
    running.sort();
    running
}

fn debug_information(release: &str) -> Option<String> {
    let places = [
        format!("/usr/lib/debug/boot/vmlinux-{release}"),
        format!("/usr/lib/debug/lib/modules/{release}/vmlinux"),
        format!("/lib/modules/{release}/build/vmlinux"),
        format!("/boot/vmlinux-{release}"),
    ];
    places.into_iter().find(|path| Path::new(path).exists())
}

/// The options of the running kernel, from itself or from files of its release.
fn running_options(release: &str) -> Option<(String, Options)> {
    const OWN: &str = "/proc/config.gz";
    let mut own = String::new();
    let file = fs::File::open(OWN).ok();
    match file.map(|file| GzDecoder::new(file).read_to_string(&mut own)) {
        Some(Ok(_)) => Some((OWN.into(), Options::parse(&own))),
        _ => options(options_files(release)),
    }
}
