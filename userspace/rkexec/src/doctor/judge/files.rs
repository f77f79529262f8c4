// SPDX-License-Identifier: GPL-2.0

//! The capture kernel, its initrd and its command line.

use crate::doctor::{
    facts::{
        Contents,
        Facts,
        Init,
        Initrd,
        Kernel,
        Which, //
    },
    finding::Finding,
    options::{
        self,
        Options,
        Role, //
    }, //
};

/// Judges the files.
pub fn judge(facts: &Facts, found: &mut Vec<Finding>) {
    match &facts.kernel {
        Which::Known(kernel) => self::kernel(facts, kernel, found),
        other => found.extend(unknown(facts, "capture-kernel", "capture kernel", other)),
    }
    match &facts.initrd {
        Which::Known(initrd) => self::initrd(facts, initrd, found),
        other => found.extend(unknown(facts, "initrd", "initrd", other)),
    }
    if let (
        Some(kernel),
        Some(Initrd {
            contents: Ok(contents),
            ..
        }),
    ) = (facts.kernel.known(), facts.initrd.known())
    {
        // A kernel without CRASH_DUMP has no dump that could be served.
        if kernel.knows_elfcorehdr != Some(false) {
            found.push(vmcore(kernel, contents));
        }
    }
    found.extend(command_line(facts.command_line.as_deref()));
}

/// A file that is not known. If nothing is armed that is no fault of its own.
fn unknown<T>(
    facts: &Facts,
    id: &'static str,
    what: &'static str,
    which: &Which<T>,
) -> Option<Finding> {
    let option = if what == "initrd" {
        "--initrd"
    } else {
        "--kernel"
    };
    let wants = facts.machine.is_armed() || !facts.now;
    match which {
        Which::Known(_) => None,
        Which::Others(paths) => Some(Finding::wrong(
            id,
            format!(
                "the armed {what} is not {}, as it is now: it was loaded from elsewhere, or before the \
                 file changed",
                paths.join(" or ")
            ),
            format!("load again, or name the file: {option}=FILE"),
        )),
        Which::Missing(paths) if wants => Some(Finding::wrong(
            id,
            format!("the {what} is not known: there is no {}", paths.join(", ")),
            format!("name the file: {option}=FILE"),
        )),
        Which::Missing(_) => None,
        Which::None => Some(Finding::warning(
            id,
            format!("no {what} is loaded: the capture kernel has to find a root file system itself"),
            "load one that saves the dump, with --initrd=FILE",
        )),
    }
}

fn kernel(facts: &Facts, kernel: &Kernel, found: &mut Vec<Finding>) {
    const ID: &str = "capture-kernel";
    let path = &kernel.path;
    if let Some(refusal) = &kernel.refusal {
        found.push(Finding::wrong(
            ID,
            format!("{path} would be refused: {refusal}"),
            "rkexec inspect FILE says more",
        ));
        return;
    }
    if kernel
        .architecture
        .is_some_and(|found| found != facts.machine.architecture)
    {
        found.push(Finding::wrong(
            ID,
            format!("{path} would be refused: it is for machines of another architecture"),
            "use one for this machine",
        ));
        return;
    }
    let release = kernel.release.as_deref().unwrap_or("of an unknown release");
    let state = match facts.machine.is_armed() && facts.now {
        true => "is the armed kernel",
        false => "can be loaded",
    };
    found.push(Finding::good(ID, format!("{path} ({release}) {state}")));
    if let Some(finding) = signature(facts, kernel) {
        found.push(finding);
    }
    match (&kernel.options, kernel.knows_elfcorehdr) {
        (Some((file, options)), _) => {
            let architecture = facts.machine.architecture;
            found.extend(options::judge(Role::Capture, architecture, file, options).findings);
        }
        (None, Some(false)) => found.push(Finding::wrong(
            Role::Capture.id(),
            "the capture kernel does not know elfcorehdr=, and so not that there is a dump",
            "use one with CONFIG_CRASH_DUMP=y",
        )),
        (None, Some(true)) => found.push(Finding::good(
            Role::Capture.id(),
            "the capture kernel knows elfcorehdr= (CONFIG_CRASH_DUMP)",
        )),
        (None, None) => found.push(Finding::warning(
            Role::Capture.id(),
            "whether the capture kernel has CONFIG_CRASH_DUMP is not known",
            "look into the file that it was configured by: rkexec doctor FILE",
        )),
    }
}

/// A kernel that has to be signed, and is not. One that is armed was good enough.
fn signature(facts: &Facts, kernel: &Kernel) -> Option<Finding> {
    let machine = &facts.machine;
    let demands = match (&machine.lockdown, machine.signed_kernels_only) {
        (Some(_), _) => "a kernel that is locked down",
        (_, true) => "signatures=require, the module's parameter,",
        _ => return None,
    };
    if kernel.signed || (machine.is_armed() && facts.now) {
        return None;
    }
    Some(Finding::wrong(
        "signature",
        format!(
            "{} has no signature, and {demands} requires one",
            kernel.path
        ),
        "use the distribution's signed kernel, sign it (sbsign), or load it with --signature=FILE",
    ))
}

fn initrd(facts: &Facts, initrd: &Initrd, found: &mut Vec<Finding>) {
    const ID: &str = "initrd";
    let path = &initrd.path;
    let contents = match &initrd.contents {
        Ok(contents) => contents,
        Err(sentence) => {
            found.push(Finding::wrong(ID, sentence.clone(), "build it again"));
            return;
        }
    };
    let options = facts
        .kernel
        .known()
        .and_then(|kernel| kernel.options.as_ref());
    let options: Option<&Options> = options.map(|(_, options)| options);
    let lacks =
        options.and_then(|options| options::lacks_decompressor(options, &contents.compressions));
    if let Some(option) = lacks {
        found.push(Finding::wrong(
            ID,
            format!("{path} is compressed in a way that the capture kernel cannot unpack"),
            format!("compress it otherwise, or use a kernel with CONFIG_{option}=y"),
        ));
        return;
    }
    found.push(match &contents.init {
        Init::Good if contents.has_shell => Finding::good(
            ID,
            format!("{path} has an /init that can run, and a shell to look around with"),
        ),
        Init::Good => Finding::note(
            ID,
            format!("{path} has an /init that can run, but no shell"),
            "a shell in it helps when nothing is saved: an emergency console, hooks before and after",
        ),
        Init::Absent => Finding::wrong(
            ID,
            format!("{path} has no /init: the kernel would not run anything in it"),
            "build it by the tools of the distribution, or put a program there, as qemu/guest/init is",
        ),
        Init::NotExecutable => Finding::wrong(
            ID,
            format!("{path} has an /init that may not be executed"),
            "chmod +x before it is packed",
        ),
        Init::Uninterpreted(program) => Finding::wrong(
            ID,
            format!("{path} has an /init that needs {program}, which is not in it"),
            format!("put {program} into it, or link the program statically"),
        ),
    });
    found.extend(drivers(facts, contents));
}

/// Drivers of the disk, which are modules of the running kernel. In another kernel they may be built in.
fn drivers(facts: &Facts, contents: &Contents) -> Option<Finding> {
    const ID: &str = "drivers";
    let target = facts.target.as_ref()?;
    let release = facts.kernel.known()?.release.as_deref();
    let lacking: Vec<&str> = target
        .drivers
        .iter()
        .filter(|driver| !contents.drivers.contains(driver))
        .map(String::as_str)
        .collect();
    let names = lacking.join(", ");
    if target.drivers.is_empty() {
        return None;
    }
    Some(match (lacking.is_empty(), release) {
        (true, _) => Finding::good(ID, format!("the initrd has the drivers of {}", target.path)),
        (false, release) if release == Some(&facts.machine.release) => Finding::wrong(
            ID,
            format!("{} is driven by modules that the initrd lacks: {names}", target.path),
            "have them in it (initramfs-tools: /etc/initramfs-tools/modules; dracut: --add-drivers)",
        ),
        (false, _) => Finding::warning(
            ID,
            format!(
                "{} is driven by modules here that the initrd lacks ({names}); the capture kernel is \
                 another one, which may have them built in",
                target.path
            ),
            "see that it has",
        ),
    })
}

/// Who serves the dump in the capture kernel.
fn vmcore(kernel: &Kernel, contents: &Contents) -> Finding {
    const ID: &str = "vmcore";
    let is_for = |release: &Option<String>| {
        release.is_none() || kernel.release.is_none() || *release == kernel.release
    };
    let own = match &kernel.options {
        Some((_, options)) => Some(options.has("PROC_VMCORE")),
        None => kernel.has_vmcore,
    };
    match (own, contents.modules.iter().any(is_for)) {
        (_, true) => Finding::good(ID, "the initrd has rust_kexec.ko, which serves the dump"),
        (Some(true), false) => {
            Finding::good(ID, "the capture kernel has a /proc/vmcore of its own")
        }
        (_, false) => {
            let reason = match contents.modules.first() {
                Some(Some(release)) => format!("the initrd's rust_kexec.ko is for {release}"),
                _ => "the initrd has no rust_kexec.ko".into(),
            };
            let own = match own {
                Some(_) => "the capture kernel has no /proc/vmcore of its own (CONFIG_PROC_VMCORE)",
                None => "whether the capture kernel has a /proc/vmcore of its own is not known",
            };
            Finding::wrong(
                ID,
                format!("{own}, and {reason}"),
                "put the rust_kexec.ko of the capture kernel into the initrd, and have it loaded",
            )
        }
    }
}

/// What a capture kernel's command line should have, and should not.
fn command_line(line: Option<&[u8]>) -> Option<Finding> {
    const ID: &str = "command-line";
    let line = String::from_utf8_lossy(line?);
    let has = |name: &str| {
        line.split_ascii_whitespace()
            .any(|word| word.split('=').next() == Some(name))
    };
    if !has("nr_cpus") && !has("maxcpus") && !has("nosmp") {
        return Some(Finding::note(
            ID,
            "the capture kernel starts all CPUs, which costs memory, and one that hangs can keep it from \
             booting",
            "add nr_cpus=1",
        ));
    }
    if !has("panic") {
        return Some(Finding::note(
            ID,
            "without panic= a capture kernel that panics itself stands still, and the machine with it",
            "add panic=10",
        ));
    }
    if !has("console") {
        return Some(Finding::note(
            ID,
            "without console= what the capture kernel says is on the screen, where many drivers leave it \
             dark",
            "add console=ttyS0 and, for the screen, nomodeset",
        ));
    }
    Some(Finding::good(ID, "nr_cpus=, panic= and console= are set"))
}
