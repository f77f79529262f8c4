// SPDX-License-Identifier: GPL-2.0

//! The options of kernels: which the kernel that may crash needs, which the capture kernel needs, and what
//! is lost without each. docs/kernels.md has more of them, with the reasons.

mod rules;

use std::collections::HashMap;

use kexec_core::types::elf::Architecture;

use super::finding::Finding;
pub use rules::Role;
use rules::{
    rules,
    Loss,
    Rule, //
};

/// The options that a kernel was configured with.
pub struct Options {
    values: HashMap<String, String>,
    /// The version of Linux that the text names.
    pub version: Option<String>,
}

impl Options {
    /// Reads a .config, or a text like it.
    pub fn parse(text: &str) -> Self {
        let lines = text.lines();
        let values = lines
            .filter_map(|line| line.strip_prefix("CONFIG_")?.split_once('='))
            .map(|(name, value)| (name.into(), value.trim_matches('"').into()))
            .collect();
        // As in "# Linux/x86 6.12.117 Kernel Configuration".
        let title = text.lines().find_map(|line| line.strip_prefix("# Linux/"));
        let version = title.and_then(|title| title.split_whitespace().nth(1));
        Self {
            values,
            version: version.map(Into::into),
        }
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether an option is built in.
    pub fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| value == "y")
    }

    /// The machines that the kernel is for.
    pub fn architecture(&self) -> Option<Architecture> {
        match (self.has("X86_64"), self.has("ARM64")) {
            (true, _) => Some(Architecture::X86_64),
            (_, true) => Some(Architecture::Arm64),
            _ => None,
        }
    }
}

/// The options by which initrds are decompressed, by the names of the compressions.
const DECOMPRESSORS: [(&str, &str); 4] = [
    ("gzip", "RD_GZIP"),
    ("xz", "RD_XZ"),
    ("lz4", "RD_LZ4"),
    ("zstd", "RD_ZSTD"),
];

/// The options by which text goes to a serial console.
const CONSOLES: [&str; 4] = [
    "SERIAL_8250_CONSOLE",
    "SERIAL_AMBA_PL011_CONSOLE",
    "HVC_XEN",
    "VIRTIO_CONSOLE",
];

/// Findings, and arguments for scripts/config that remove them.
#[derive(Default)]
pub struct Judged {
    /// One for each option that is missing, or one that is good.
    pub findings: Vec<Finding>,
    /// Such as `-e RUST -d MODVERSIONS`.
    enable: Vec<&'static str>,
}

impl Judged {
    /// All arguments for scripts/config, each option once.
    pub fn enable(&self, others: &Self) -> Option<String> {
        let mut all: Vec<String> = Vec::new();
        for argument in self.enable.iter().chain(&others.enable) {
            let words: Vec<&str> = argument.split_whitespace().collect();
            for pair in words.chunks(2).map(|pair| pair.join(" ")) {
                if !all.contains(&pair) {
                    all.push(pair);
                }
            }
        }
        (!all.is_empty()).then(|| all.join(" "))
    }
}

/// Judges the options of a kernel for one of its roles. `file` has them.
pub fn judge(role: Role, architecture: Architecture, file: &str, options: &Options) -> Judged {
    let id = role.id();
    let mut judged = Judged::default();
    for rule in rules(role, architecture) {
        if !options.has(rule.name) {
            judged.add(id, rule);
        }
    }
    match role {
        Role::Production => production(options, &mut judged),
        Role::Capture => capture(options, &mut judged),
    }
    if !judged.findings.iter().any(Finding::is_wrong) {
        let sentence = match role {
            Role::Production => format!("{file} has what a kernel needs that may crash"),
            Role::Capture => format!("{file} has what a capture kernel needs"),
        };
        judged.findings.insert(0, Finding::good(id, sentence));
    }
    judged
}

impl Judged {
    fn add(&mut self, id: &'static str, rule: &Rule) {
        let sentence = format!("without CONFIG_{}=y {}", rule.name, rule.without);
        let remedy = format!("scripts/config {}", rule.enable);
        self.findings.push(match rule.loss {
            Loss::Dump => Finding::wrong(id, sentence, remedy),
            Loss::Part => Finding::warning(id, sentence, remedy),
            Loss::Other => Finding {
                remedy: Some(remedy),
                ..Finding::note(id, sentence, None)
            },
        });
        if rule.loss != Loss::Other {
            self.enable.push(rule.enable);
        }
    }
}

/// What depends on several options of the kernel that may crash.
fn production(options: &Options, judged: &mut Judged) {
    let id = Role::Production.id();
    if !options.has("CRASH_DUMP") && !options.has("CONTIG_ALLOC") {
        let sentence =
            "without CONFIG_CRASH_DUMP=y and CONFIG_CONTIG_ALLOC=y no memory can be had for a \
                        capture kernel";
        let enable = "-e MIGRATION -e COMPACTION -e MEMORY_HOTPLUG -e MEMORY_HOTREMOVE";
        let remedy = format!("scripts/config {enable}");
        judged.findings.push(Finding::wrong(id, sentence, remedy));
        judged.enable.push(enable);
    }
    if options.has("MODULE_SIG_FORCE") {
        judged.findings.push(Finding::note(
            id,
            "with CONFIG_MODULE_SIG_FORCE=y the module has to be signed by a key that the kernel knows",
            None,
        ));
    }
}

/// What depends on several options of a capture kernel.
fn capture(options: &Options, judged: &mut Judged) {
    let id = Role::Capture.id();
    let takes_ours = options.has("MODULES") && options.has("RUST");
    if !options.has("PROC_VMCORE") && !takes_ours {
        let sentence =
            "without CONFIG_PROC_VMCORE=y, and without CONFIG_MODULES=y and CONFIG_RUST=y for \
                        our module, nothing serves the dump";
        let enable = "-e PROC_VMCORE";
        let remedy = format!("scripts/config {enable}");
        judged.findings.push(Finding::wrong(id, sentence, remedy));
        judged.enable.push(enable);
    }
    if !CONSOLES.iter().any(|console| options.has(console)) {
        judged.findings.push(Finding::note(
            id,
            "without a serial console nobody sees how the capture kernel boots",
            "scripts/config -e SERIAL_8250 -e SERIAL_8250_CONSOLE",
        ));
    }
}

/// The option that a capture kernel lacks for an initrd that is compressed in these ways.
pub fn lacks_decompressor(options: &Options, compressions: &[&str]) -> Option<&'static str> {
    let needed = DECOMPRESSORS.iter();
    let mut lacking = needed
        .filter(|(name, option)| compressions.contains(name) && !options.has(option))
        .map(|(_, option)| *option);
    lacking.next()
}

#[cfg(test)]
mod tests;
