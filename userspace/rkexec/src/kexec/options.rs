// SPDX-License-Identifier: GPL-2.0

//! The options of kexec-tools 2.0.32, and what becomes of each.

use kexec_core::types::elf::Architecture;

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its name, without the dashes.
    pub name: &'static str,
    /// Its letter.
    pub letter: Option<char>,
    /// What its value is, if it takes one.
    pub value: Option<&'static str>,
    /// The architecture that has it, if not all have.
    pub on: Option<Architecture>,
    /// Whether it is for loading only: elsewhere it is wrong usage.
    pub for_loading: bool,
    /// What becomes of it.
    pub answer: Answer,
}

/// What becomes of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done as `kexec` does it; the words are for the help.
    Do(&'static str),
    /// It is taken, and changes nothing; the note says why, and is empty where there is nothing to say.
    Take(&'static str),
    /// It is refused, because of this.
    Refuse(&'static str),
}

use Answer::{
    Do,
    Refuse,
    Take, //
};

const X86_64: Option<Architecture> = Some(Architecture::X86_64);
const ARM64: Option<Architecture> = Some(Architecture::Arm64);

const fn option(letter: char, name: &'static str, answer: Answer) -> Known {
    Known {
        letter: Some(letter),
        ..long(name, answer)
    }
}

const fn long(name: &'static str, answer: Answer) -> Known {
    Known {
        name,
        letter: None,
        value: None,
        on: None,
        for_loading: false,
        answer,
    }
}

impl Known {
    const fn takes(self, value: &'static str) -> Self {
        Self {
            value: Some(value),
            ..self
        }
    }

    const fn on(self, on: Option<Architecture>) -> Self {
        Self { on, ..self }
    }

    const fn for_loading(self) -> Self {
        Self {
            for_loading: true,
            ..self
        }
    }
}

const CONSOLE: &str =
    "the purgatory prints to the console that the command line of the new kernel names";
const SCREEN: &str = "the screen is left to the new kernel";
const BOOT_PROTOCOL: &str = "only kernels of Linux are loaded, by its 64-bit boot protocol";
const NO_WAY_BACK: &str = "there is no way back to a kernel that was left";
const XEN: &str = "it is for Xen, which is not supported";

/// All options, in the order of the help.
pub const OPTIONS: &[Known] = &[
    option('h', "help", Do("print this")),
    option('v', "version", Do("print the version")),
    option('l', "load", Do("load KERNEL to be entered by a reboot")),
    option('p', "load-panic", Do("load KERNEL to be entered at a panic")),
    option('u', "unload", Do("drop the loaded kernel; with -p before it, that for a panic")),
    option('e', "exec", Do("reboot into the loaded kernel at once")),
    option('f', "force", Do("load KERNEL, and reboot into it at once")),
    option('S', "status", Do("exit 1 if a kernel is loaded for a panic, 0 if none is; with -l, for a reboot")),
    long("append", Do("the new kernel's command line")).takes("STRING").for_loading(),
    long("command-line", Do("as --append")).takes("STRING").for_loading(),
    long("reuse-cmdline", Do("begin it with the running kernel's")).for_loading(),
    long("initrd", Do("the initial RAM disk")).takes("FILE").for_loading(),
    long("ramdisk", Do("as --initrd")).takes("FILE").for_loading(),
    option('t', "type", Do("refuse KERNEL if it is of another type")).takes("TYPE"),
    option('d', "debug", Do("say what is done")),
    option('y', "no-sync", Do("do not write back files before the reboot")),
    long("print-ckr-size", Do("print the size of the region for crashes, in bytes")),
    long("noefi", Do("let the new kernel not use the firmware's services")).on(X86_64),
    option('x', "no-ifdown", Take("")),
    option('s', "kexec-file-syscall", Take("")),
    option('c', "kexec-syscall", Take("")),
    option('a', "kexec-syscall-auto", Take("")),
    long("hotplug", Take("")),
    long("no-cma", Take("")),
    long("args-linux", Take("")).on(X86_64).for_loading(),
    long("mem-min", Take("segments are placed where the kernel has room")).takes("ADDRESS"),
    long("mem-max", Take("segments are placed where the kernel has room")).takes("ADDRESS"),
    option('i', "no-checks", Take("digests are checked: whoever enters a damaged kernel has nothing of it")),
    long("serial", Take(CONSOLE)).takes("PORT"),
    long("serial-baud", Take(CONSOLE)).takes("RATE").on(X86_64),
    long("console-serial", Take(CONSOLE)).on(X86_64),
    long("console-vga", Take(SCREEN)).on(X86_64),
    long("reset-vga", Take(SCREEN)).on(X86_64),
    long("reuse-video-type", Take(SCREEN)).on(X86_64).for_loading(),
    long("pass-memmap-cmdline", Take("memory maps have room for all memory")).on(X86_64),
    long("elf64-core-headers", Take("")).on(X86_64),
    long("elf32-core-headers", Refuse("dumps are 64-bit ELF files")).on(X86_64),
    long("dtb", Do("the new kernel's device tree, instead of the running one's")).takes("FILE").on(ARM64).for_loading(),
    long("dtb", Refuse("this machine has no device tree")).takes("FILE").on(X86_64).for_loading(),
    long("force-dtb", Refuse("it is for machines of x86 that have a device tree")),
    long("reuseinitrd", Refuse("the initrd of the running kernel is /sys/firmware/initrd, if that is there: give --initrd=/sys/firmware/initrd")),
    long("entry", Refuse(NO_WAY_BACK)).takes("ADDRESS"),
    long("load-preserve-context", Refuse(NO_WAY_BACK)),
    long("load-jump-back-helper", Refuse(NO_WAY_BACK)),
    long("load-live-update", Refuse(XEN)),
    long("exec-live-update", Refuse(XEN)),
    long("args-elf", Refuse(BOOT_PROTOCOL)).on(X86_64).for_loading(),
    long("args-none", Refuse(BOOT_PROTOCOL)).on(X86_64).for_loading(),
    long("module", Refuse(BOOT_PROTOCOL)).takes("FILE").on(X86_64).for_loading(),
    long("real-mode", Refuse(BOOT_PROTOCOL)).on(X86_64).for_loading(),
    long("entry-32bit", Refuse(BOOT_PROTOCOL)).on(X86_64).for_loading(),
];

/// The options that a machine of this architecture has.
pub fn on(architecture: Architecture) -> impl Iterator<Item = &'static Known> {
    OPTIONS
        .iter()
        .filter(move |known| known.on.is_none_or(|on| on == architecture))
}

/// The option with this letter.
pub fn by_letter(letter: char, architecture: Architecture) -> Option<&'static Known> {
    on(architecture).find(|known| known.letter == Some(letter))
}

/// The option with this name, which can be cut short as long as it means one.
pub fn by_name(name: &str, architecture: Architecture) -> Result<&'static Known, String> {
    if let Some(whole) = on(architecture).find(|known| known.name == name) {
        return Ok(whole);
    }
    let mut meant = on(architecture).filter(|known| known.name.starts_with(name));
    match (meant.next(), meant.next()) {
        (Some(one), None) => Ok(one),
        (Some(one), Some(other)) => Err(format!(
            "--{name} could be --{} or --{}: write more of it",
            one.name, other.name
        )),
        (None, _) => Err(format!(
            "there is no option --{name}: kexec --help lists them"
        )),
    }
}

/// What `--help` prints on a machine of this architecture.
pub fn help(architecture: Architecture) -> String {
    let mut text = String::from(
        "Usage: kexec [OPTION]... [KERNEL]\n\nrkexec in kexec's place: loads a kernel into a running one, and \
         enters it. KERNEL alone is loaded, and the machine shut down into it.\n\n",
    );
    for known in on(architecture) {
        let Do(words) = known.answer else { continue };
        let letter = known
            .letter
            .map_or("   ".into(), |letter| format!("-{letter},"));
        let value = known
            .value
            .map(|value| format!("={value}"))
            .unwrap_or_default();
        text += &format!(
            " {letter} --{:<24} {words}\n",
            format!("{}{value}", known.name)
        );
    }
    text + "\nOther options of kexec-tools 2.0.32 are taken, or refused with a sentence. rkexec has more: rkexec --help.\n"
}
