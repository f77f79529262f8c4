// SPDX-License-Identifier: GPL-2.0

//! Machines that differ from the good one by one thing.

use super::*;
use crate::doctor::{
    facts::ModuleFile,
    options::Options, //
};
use Grade::{
    Note,
    Warning,
    Wrong, //
};

/// A configuration that has all but a decompressor.
const CAPTURE: &str = "CONFIG_CRASH_DUMP=y\nCONFIG_RELOCATABLE=y\nCONFIG_BLK_DEV_INITRD=y\n\
                       CONFIG_BINFMT_ELF=y\nCONFIG_BINFMT_SCRIPT=y\nCONFIG_PROC_FS=y\n\
                       CONFIG_DEVTMPFS=y\nCONFIG_PROC_VMCORE=y\nCONFIG_SERIAL_8250_CONSOLE=y\n";

pub const CASES: &[Case] = &[
    Case {
        name: "a guest of Hyper-V",
        change: |facts| {
            facts.disarm();
            facts.machine.hypervisor = Some("Hyper-V".into());
        },
        found: &[("hypervisor", Wrong), ("image", Note)],
    },
    Case {
        name: "a guest of KVM",
        change: |facts| facts.machine.hypervisor = Some("KVM".into()),
        found: &[("hypervisor", Note)],
    },
    Case {
        name: "SEV",
        change: |facts| {
            facts.disarm();
            facts.machine.encryption = Some("AMD SEV".into());
        },
        found: &[("memory-encryption", Wrong), ("image", Note)],
    },
    Case {
        name: "the module is not loaded",
        change: |facts| {
            facts.machine.module = Module::Absent;
            facts.machine.crash_loaded = false;
        },
        found: &[("module", Wrong), ("image", Note)],
    },
    Case {
        name: "the module is not loaded, and not signed under lockdown",
        change: |facts| {
            facts.machine.module = Module::Absent;
            facts.machine.crash_loaded = false;
            facts.machine.signed_modules_only = true;
            facts.machine.module_file = Some(ModuleFile {
                path: "/lib/modules/6.12.117/updates/rust_kexec.ko".into(),
                signed: Some(false),
            });
        },
        found: &[("module", Wrong), ("image", Note)],
    },
    Case {
        name: "the module is not loaded, and there",
        change: |facts| {
            facts.machine.module = Module::Absent;
            facts.machine.crash_loaded = false;
            facts.machine.module_file = Some(ModuleFile {
                path: "/lib/modules/6.12.117/updates/rust_kexec.ko.xz".into(),
                signed: None,
            });
        },
        found: &[("module", Wrong), ("image", Note)],
    },
    Case {
        name: "not root",
        change: |facts| {
            let sentence = "/dev/rust_kexec is for root with CAP_SYS_BOOT only: run rkexec as root";
            facts.machine.module = Module::Mute(sentence.into());
            facts.machine.reserved.clear();
        },
        found: &[("module", Wrong), ("image", Note)],
    },
    Case {
        name: "no module can be built",
        change: |facts| {
            facts.machine.module = Module::Absent;
            facts.machine.crash_loaded = false;
            let options = "CONFIG_MODULES=y\nCONFIG_KPROBES=y\nCONFIG_PROC_FS=y\nCONFIG_SYSFS=y\n\
                           CONFIG_CRASH_DUMP=y\nCONFIG_FUNCTION_TRACER=y\nCONFIG_DYNAMIC_FTRACE=y\n\
                           CONFIG_ACPI=y\nCONFIG_SYSTEM_DATA_VERIFICATION=y\nCONFIG_KALLSYMS=y\n\
                           CONFIG_DEBUG_INFO=y\nCONFIG_MAGIC_SYSRQ=y\n";
            facts.machine.options = Some(("/proc/config.gz".into(), Options::parse(options)));
        },
        found: &[
            ("module", Wrong),
            ("production-options", Wrong),
            ("image", Note),
        ],
    },
    Case {
        name: "loads are forbidden, and nothing is armed",
        change: |facts| {
            facts.disarm();
            facts.set("kexec_load_disabled", "1");
        },
        found: &[("load-limits", Wrong), ("image", Note)],
    },
    Case {
        name: "loads are used up, and an image is armed",
        change: |facts| facts.set("kexec_load_limit_panic", "0"),
        found: &[("load-limits", Note)],
    },
    Case {
        name: "ftrace is switched off",
        change: |facts| {
            facts.disarm();
            facts.set("ftrace_enabled", "0");
        },
        found: &[("ftrace", Wrong), ("image", Note)],
    },
    Case {
        name: "lockdown, and what is armed is signed",
        change: |facts| facts.machine.lockdown = Some("integrity".into()),
        found: &[("lockdown", Note)],
    },
    Case {
        name: "lockdown, and a kernel without a signature",
        change: |facts| {
            facts.disarm();
            facts.machine.lockdown = Some("integrity".into());
            facts.capture_kernel().signed = false;
        },
        found: &[("lockdown", Note), ("signature", Wrong), ("image", Note)],
    },
    Case {
        name: "no reservation",
        change: |facts| {
            facts.disarm();
            facts.status().region = RegionRecord::default();
        },
        found: &[("region", Wrong), ("image", Note)],
    },
    Case {
        name: "no reservation, although it is asked for",
        change: |facts| {
            facts.disarm();
            facts.status().region = RegionRecord::default();
            facts.machine.unreserved = Some("crashkernel=256MB has \"B\" after the size".into());
        },
        found: &[("region", Wrong), ("image", Note)],
    },
    Case {
        name: "too little is reserved",
        change: |facts| {
            facts.needed = Some(Ok(300 * MIB));
            facts.status().replacement = Replacement::Instead as u32;
        },
        found: &[("region-size", Wrong)],
    },
    Case {
        name: "nobody knows how much is needed",
        change: |facts| facts.needed = Some(Err("the initrd is damaged".into())),
        found: &[("region-size", Warning)],
    },
    Case {
        name: "the reservation is above 4 GiB",
        change: |facts| facts.status().region.start = 5 << 30,
        found: &[("region-place", Warning)],
    },
    Case {
        name: "no image",
        change: Facts::disarm,
        found: &[("image", Wrong)],
    },
    Case {
        name: "the kernel's own kexec has one",
        change: |facts| {
            facts.disarm();
            facts.machine.crash_loaded = true;
        },
        found: &[("image", Wrong)],
    },
    Case {
        name: "an unknown signer",
        change: |facts| facts.status().signature = SignatureState::UnknownSigner as u32,
        found: &[("image-signature", Note)],
    },
    Case {
        name: "not write-protected",
        change: |facts| facts.status().protection = Protection::Writable as u32,
        found: &[("write-protection", Warning)],
    },
    Case {
        name: "memory came that has no room in the headers",
        change: |facts| facts.status().elfcorehdr.without_room = 3,
        found: &[("hotplug", Warning)],
    },
    Case {
        name: "no ftrace",
        change: |facts| facts.status().hooks = HookedBy::Kprobes as u32,
        found: &[("hooks", Note)],
    },
    Case {
        name: "no ftrace, and kprobes are switched off",
        change: |facts| facts.status().hooks = HookedBy::Exported as u32,
        found: &[("hooks", Warning)],
    },
    Case {
        name: "no room for a second image",
        change: |facts| facts.status().replacement = Replacement::Instead as u32,
        found: &[("replacement", Note)],
    },
    Case {
        name: "the kernel was updated",
        change: |facts| {
            facts.kernel = Which::Others(vec!["/boot/vmlinuz-6.12.117".into()]);
            facts.needed = None;
        },
        found: &[("capture-kernel", Wrong)],
    },
    Case {
        name: "the initrd was updated",
        change: |facts| {
            facts.initrd = Which::Others(vec!["/boot/initrd".into()]);
            facts.needed = None;
        },
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "nobody knows which initrd it is",
        change: |facts| {
            facts.initrd = Which::Missing(vec!["/boot/initrd.img".into(), "/boot/initrd".into()]);
            facts.needed = None;
        },
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "no initrd",
        change: |facts| facts.initrd = Which::None,
        found: &[("initrd", Warning)],
    },
    Case {
        name: "a kernel that is refused",
        change: |facts| {
            facts.disarm();
            let refusal = "the kernel is an empty file: get it again";
            facts.capture_kernel().refusal = Some(refusal.into());
        },
        found: &[("capture-kernel", Wrong), ("image", Note)],
    },
    Case {
        name: "a kernel for another machine",
        change: |facts| facts.capture_kernel().architecture = Some(Architecture::Arm64),
        found: &[("capture-kernel", Wrong)],
    },
    Case {
        name: "a capture kernel without CRASH_DUMP",
        change: |facts| {
            facts.capture_kernel().knows_elfcorehdr = Some(false);
            facts.contents().modules.clear();
        },
        found: &[("capture-options", Wrong)],
    },
    Case {
        name: "a capture kernel that nothing is known of",
        change: |facts| facts.capture_kernel().knows_elfcorehdr = None,
        found: &[("capture-options", Warning)],
    },
    Case {
        name: "a capture kernel that cannot unpack the initrd",
        change: |facts| {
            let options = Options::parse(CAPTURE);
            facts.capture_kernel().options = Some(("/boot/config-6.12.117".into(), options));
        },
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "an initrd that cannot be read",
        change: |facts| {
            facts.initrd = Which::Known(Initrd {
                path: "/boot/initrd".into(),
                contents: Err("the initrd /boot/initrd is empty: build it again".into()),
            });
        },
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "an initrd without /init",
        change: |facts| facts.contents().init = Init::Absent,
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "an /init that may not be executed",
        change: |facts| facts.contents().init = Init::NotExecutable,
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "an /init without its shell",
        change: |facts| facts.contents().init = Init::Uninterpreted("/bin/sh".into()),
        found: &[("initrd", Wrong)],
    },
    Case {
        name: "an initrd without a shell",
        change: |facts| facts.contents().has_shell = false,
        found: &[("initrd", Note)],
    },
    Case {
        name: "an initrd without the disk's driver",
        change: |facts| facts.contents().drivers.clear(),
        found: &[("drivers", Wrong)],
    },
    Case {
        name: "an initrd without the disk's driver, for another kernel",
        change: |facts| {
            facts.contents().drivers.clear();
            facts.contents().modules = vec![Some("7.3.4".into())];
            facts.capture_kernel().release = Some("7.3.4".into());
        },
        found: &[("drivers", Warning)],
    },
    Case {
        name: "nobody serves the dump",
        change: |facts| facts.contents().modules.clear(),
        found: &[("vmcore", Wrong)],
    },
    Case {
        name: "the initrd's module is another kernel's",
        change: |facts| facts.contents().modules = vec![Some("7.3.4".into())],
        found: &[("vmcore", Wrong)],
    },
    Case {
        name: "the capture kernel starts all CPUs",
        change: |facts| facts.command_line = Some(b"console=ttyS0 panic=10".into()),
        found: &[("command-line", Note)],
    },
    Case {
        name: "the capture kernel stands still if it panics",
        change: |facts| facts.command_line = Some(b"console=ttyS0 nr_cpus=1".into()),
        found: &[("command-line", Note)],
    },
    Case {
        name: "the capture kernel has no console",
        change: |facts| facts.command_line = Some(b"maxcpus=1 panic=10".into()),
        found: &[("command-line", Note)],
    },
    Case {
        name: "the disk is full",
        change: |facts| facts.free(20 * MIB, false),
        found: &[("target", Wrong)],
    },
    Case {
        name: "the disk has room for a filtered dump",
        change: |facts| facts.free(500 * MIB, false),
        found: &[("target", Warning)],
    },
    Case {
        name: "the dump goes to the root file system",
        change: |facts| facts.free(4096 * MIB, true),
        found: &[("target", Note)],
    },
    Case {
        name: "the dump goes to memory",
        change: |facts| {
            let target = facts.target.as_mut().expect("it is known");
            target.kind = TargetKind::Directory {
                filesystem: "tmpfs".into(),
                free: 4096 * MIB,
                is_root: false,
            };
        },
        found: &[("target", Wrong)],
    },
    Case {
        name: "the place of the dump is not there",
        change: |facts| {
            let target = facts.target.as_mut().expect("it is known");
            let sentence = "dumps are to go to /srv: No such file or directory (os error 2)";
            target.kind = TargetKind::Unknown(sentence.into());
        },
        found: &[("target", Wrong)],
    },
    Case {
        name: "nobody knows where the dump goes",
        change: |facts| facts.target = None,
        found: &[("target", Note)],
    },
    Case {
        name: "an oops is no panic",
        change: |facts| facts.set("panic_on_oops", "0"),
        found: &[("panic-on-oops", Warning)],
    },
    Case {
        name: "sysrq without the crash",
        change: |facts| facts.set("sysrq", "438"),
        found: &[("sysrq", Note)],
    },
    Case {
        name: "an unknown NMI is no panic",
        change: |facts| facts.set("unknown_nmi_panic", "0"),
        found: &[("nmi", Note)],
    },
    Case {
        name: "arm64 without pseudo-NMIs",
        change: |facts| {
            facts.machine.architecture = Architecture::Arm64;
            facts.capture_kernel().architecture = Some(Architecture::Arm64);
        },
        found: &[("pseudo-nmi", Note)],
    },
    Case {
        name: "a hang is no panic",
        change: |facts| facts.set("softlockup_panic", "0"),
        found: &[("hangs", Note)],
    },
    Case {
        name: "a panic stands still",
        change: |facts| facts.set("panic", "0"),
        found: &[("panic-timeout", Note)],
    },
    Case {
        name: "notifiers come first",
        change: |facts| facts.set("crash_kexec_post_notifiers", "Y"),
        found: &[("post-notifiers", Note)],
    },
    Case {
        name: "a hardware watchdog runs",
        change: |facts| facts.machine.watchdogs = vec!["iTCO_wdt, 30 s".into()],
        found: &[("watchdog", Warning)],
    },
    Case {
        name: "no debug information",
        change: |facts| facts.machine.debug_information = None,
        found: &[("debug-information", Note)],
    },
];
