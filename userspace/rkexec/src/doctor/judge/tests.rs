// SPDX-License-Identifier: GPL-2.0

//! A good machine, and what is found when one thing about it is another.

mod cases;

use std::collections::BTreeMap;

use kexec_core::{
    types::{
        elf::Architecture,
        ranges::Range, //
    },
    uapi::{
        HookedBy,
        Protection,
        RegionHolder,
        RegionRecord,
        Replacement,
        SignatureState,
        Status,
        ROLE_PRODUCTION, //
    }, //
};

use super::judge;
use crate::{
    doctor::{
        facts::{
            Contents,
            Facts,
            Init,
            Initrd,
            Kernel,
            Machine,
            Module,
            Target,
            TargetKind,
            Which, //
        },
        finding::{
            Finding,
            Grade,
            Report, //
        }, //
    },
    golden, //
};

const MIB: u64 = 1 << 20;
const RELEASE: &str = "6.12.117";

fn status() -> Status {
    Status {
        role: ROLE_PRODUCTION,
        armed: 1,
        region: RegionRecord {
            start: 0x2000_0000,
            len: 256 * MIB,
        },
        signature: SignatureState::Good as u32,
        replacement: Replacement::Beside as u32,
        hooks: HookedBy::Ftrace as u32,
        holder: RegionHolder::Module as u32,
        protection: Protection::ReadOnly as u32,
        ..Status::default()
    }
}

/// A machine on which nothing is to be said against a crash.
fn good() -> Facts {
    let settings = [
        ("panic", "10"),
        ("panic_on_oops", "1"),
        ("sysrq", "1"),
        ("unknown_nmi_panic", "1"),
        ("softlockup_panic", "1"),
        ("kexec_load_disabled", "0"),
        ("kexec_load_limit_panic", "-1"),
        ("ftrace_enabled", "1"),
        ("crash_kexec_post_notifiers", "N"),
    ];
    Facts {
        now: true,
        machine: Machine {
            architecture: Architecture::X86_64,
            release: RELEASE.into(),
            module: Module::Loaded(Box::new(status())),
            module_file: None,
            signed_modules_only: false,
            lockdown: None,
            signed_kernels_only: false,
            crash_loaded: true,
            reserved: vec![Range::new(0x2000_0000, 0x3000_0000).expect("in order")],
            unreserved: None,
            memory_len: 1024 * MIB,
            kernel_memory_len: 60 * MIB,
            hypervisor: None,
            encryption: None,
            cpu_features: vec!["5-level paging", "LASS"],
            settings: settings.map(|(name, value)| (name, value.into())).into(),
            watchdogs: Vec::new(),
            debug_information: Some("/usr/lib/debug/boot/vmlinux-6.12.117".into()),
            options: None,
        },
        kernel: Which::Known(Kernel {
            path: "/boot/vmlinuz-6.12.117".into(),
            refusal: None,
            signed: true,
            release: Some(RELEASE.into()),
            architecture: Some(Architecture::X86_64),
            knows_elfcorehdr: Some(true),
            has_vmcore: Some(false),
            options: None,
        }),
        initrd: Which::Known(Initrd {
            path: "/boot/initrd".into(),
            contents: Ok(Contents {
                compressions: vec!["zstd"],
                init: Init::Good,
                has_shell: true,
                modules: vec![Some(RELEASE.into())],
                drivers: vec!["rust_kexec".into(), "virtio_blk".into()],
            }),
        }),
        command_line: Some(b"console=ttyS0 nr_cpus=1 panic=10".into()),
        needed: Some(Ok(96 * MIB)),
        target: Some(Target {
            path: "/var/crash".into(),
            kind: TargetKind::Directory {
                filesystem: "ext4".into(),
                free: 4096 * MIB,
                is_root: false,
            },
            drivers: vec!["virtio_blk".into()],
        }),
    }
}

impl Facts {
    fn status(&mut self) -> &mut Status {
        match &mut self.machine.module {
            Module::Loaded(status) => status,
            _ => panic!("the module is loaded"),
        }
    }

    fn disarm(&mut self) {
        *self.status() = Status {
            region: status().region,
            role: ROLE_PRODUCTION,
            holder: RegionHolder::Nobody as u32,
            ..Status::default()
        };
        self.machine.crash_loaded = false;
    }

    fn set(&mut self, setting: &'static str, value: &str) {
        self.machine.settings.insert(setting, value.into());
    }

    fn capture_kernel(&mut self) -> &mut Kernel {
        match &mut self.kernel {
            Which::Known(kernel) => kernel,
            _ => panic!("it is known"),
        }
    }

    fn contents(&mut self) -> &mut Contents {
        match &mut self.initrd {
            Which::Known(Initrd {
                contents: Ok(contents),
                ..
            }) => contents,
            _ => panic!("it is known"),
        }
    }

    fn free(&mut self, len: u64, is_root: bool) {
        let target = self.target.as_mut().expect("it is known");
        target.kind = TargetKind::Directory {
            filesystem: "ext4".into(),
            free: len,
            is_root,
        };
    }
}

/// A machine, by what is other than on a good one.
struct Case {
    name: &'static str,
    change: fn(&mut Facts),
    /// All findings that are not good.
    found: &'static [(&'static str, Grade)],
}

#[test]
fn a_good_machine_has_nothing_but_good_lines() {
    let findings = judge(&good());
    assert!(
        findings.iter().all(|one| one.grade == Grade::Good),
        "{findings:?}"
    );
    let report = Report::of_machine(true, findings);
    assert_eq!(report.exit_status(), 0);
    golden::assert_output("doctor.txt", &report.to_string());
    let json = serde_json::to_string_pretty(&report).expect("it is text");
    golden::assert_output("doctor.json", &json);
}

/// What is said of each machine, and nothing else, is in a file.
#[test]
fn one_thing_that_is_wrong_is_named_and_only_that() {
    let mut text = String::new();
    for case in cases::CASES {
        let mut facts = good();
        (case.change)(&mut facts);
        let findings = judge(&facts);
        let bad: Vec<&Finding> = findings
            .iter()
            .filter(|one| one.grade != Grade::Good)
            .collect();
        let found: Vec<_> = bad.iter().map(|one| (one.id, one.grade)).collect();
        assert_eq!(found, case.found, "{}", case.name);
        text += &format!("# {}\n", case.name);
        for finding in bad {
            text += &format!("{finding}\n");
        }
        let report = Report::of_machine(true, findings);
        let wrong = case.found.iter().any(|(_, grade)| *grade == Grade::Wrong);
        assert_eq!(report.exit_status(), u8::from(wrong));
        text.push('\n');
    }
    golden::assert_output("doctor-cases.txt", &text);
}

/// docs/doctor.md explains every finding there is.
#[test]
fn every_finding_is_in_the_document() {
    let document = include_str!("../../../../../docs/doctor.md");
    let mut all: BTreeMap<&str, ()> = judge(&good()).iter().map(|one| (one.id, ())).collect();
    all.extend(
        cases::CASES
            .iter()
            .flat_map(|case| case.found)
            .map(|(id, _)| (*id, ())),
    );
    for id in all.keys() {
        assert!(
            document.contains(&format!("| `{id}` |")),
            "{id} is not in docs/doctor.md"
        );
    }
}
