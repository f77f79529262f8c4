// SPDX-License-Identifier: GPL-2.0

//! A kernel's tree, or its .config alone: whether such a kernel can crash and save a dump.

use std::{
    fs,
    path::Path, //
};

use super::{
    finding::{
        Finding,
        Report, //
    },
    options::{
        judge,
        Judged,
        Options,
        Role, //
    }, //
};
use crate::failure::Failure;

/// The oldest kernel that the module builds for.
const LINUX_MIN: (u32, u32) = (6, 12);
/// Where a tree, or a headers package, has its options.
const CONFIGURATIONS: [&str; 2] = [".config", "include/config/auto.conf"];

/// The verdict on a kernel that is of no use.
const NEITHER: &str = "Such a kernel can neither leave a dump nor save one";

/// What is known of a tree.
struct Tree {
    /// The file with the options.
    configuration: String,
    options: Options,
    /// The release or the version.
    release: Option<String>,
    /// Whether a module can be built against it; none for a configuration alone.
    is_built: Option<bool>,
}

/// The report of a tree or a .config.
pub fn report(path: &Path) -> Result<Report, Failure> {
    let tree = Tree::read(path)?;
    let mut findings = tree.judge();
    let Some(architecture) = tree.options.architecture() else {
        findings.push(Finding::wrong(
            "architecture",
            format!("{} is for neither x86_64 nor arm64", tree.configuration),
            "configure a kernel for one of the two",
        ));
        return Ok(Report::of_configuration(NEITHER, findings, None));
    };
    let of = |role| judge(role, architecture, &tree.configuration, &tree.options);
    let (production, capture): (Judged, Judged) = (of(Role::Production), of(Role::Capture));
    let enable = production.enable(&capture);
    let is_good = |findings: &[Finding]| !findings.iter().any(Finding::is_wrong);
    // The module has to be built for a kernel that crashes, and need not for one that saves.
    let crashes = is_good(&findings) && is_good(&production.findings);
    let verdict = match (crashes, is_good(&capture.findings)) {
        (true, true) => "Such a kernel can crash and leave a dump, and can save one",
        (true, false) => "Such a kernel can leave a dump, but another one has to save it",
        (false, true) => "Such a kernel can save a dump, but leaves none",
        (false, false) => NEITHER,
    };
    findings.extend(production.findings);
    findings.extend(capture.findings);
    Ok(Report::of_configuration(verdict, findings, enable))
}

impl Tree {
    fn read(path: &Path) -> Result<Self, Failure> {
        let (file, is_built) = match path.is_dir() {
            false => (path.to_owned(), None),
            true => {
                let mut files = CONFIGURATIONS.iter().map(|name| path.join(name));
                let file = files.find(|file| file.is_file()).ok_or_else(|| {
                    Failure::new(format!(
                        "{} has no .config: name a kernel's tree that was configured, or a .config",
                        path.display()
                    ))
                })?;
                (file, Some(path.join("Module.symvers").is_file()))
            }
        };
        let text = fs::read(&file)
            .map_err(|error| Failure::from_io(format!("cannot read {}", file.display()), &error))?;
        let options = Options::parse(&String::from_utf8_lossy(&text));
        if options.is_empty() {
            return Err(Failure::new(format!(
                "{} has no options of a kernel in it: name a kernel's tree or its .config",
                file.display()
            )));
        }
        let release = fs::read_to_string(path.join("include/config/kernel.release")).ok();
        let release = release.map(|text| text.trim().to_owned());
        Ok(Self {
            configuration: file.display().to_string(),
            release: release.or_else(|| options.version.clone()),
            options,
            is_built,
        })
    }

    /// What is not about options.
    fn judge(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        let release = self.release.as_deref().unwrap_or("of an unknown version");
        let mut numbers = release
            .split(|character: char| !character.is_ascii_digit())
            .map_while(|number| number.parse::<u32>().ok());
        found.push(match (numbers.next(), numbers.next()) {
            (Some(major), Some(minor)) if (major, minor) < LINUX_MIN => Finding::wrong(
                "version",
                format!("Linux {release} is too old: the module builds for 6.12 and newer"),
                "use a newer kernel, or use it as the capture kernel only, with its own /proc/vmcore",
            ),
            (Some(_), Some(_)) => Finding::good("version", format!("Linux {release}")),
            _ => Finding::warning(
                "version",
                "the version of Linux is not known",
                "build the kernel: include/config/kernel.release has it then",
            ),
        });
        if self.is_built == Some(false) {
            found.push(Finding::warning(
                "tree",
                "the tree has no Module.symvers: no module can be built against it yet",
                "build the kernel with its modules: make",
            ));
        }
        found
    }
}
