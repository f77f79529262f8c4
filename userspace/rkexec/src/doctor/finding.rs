// SPDX-License-Identifier: GPL-2.0

//! What the doctor finds, for people and as JSON.

use std::fmt;

use serde::Serialize;

/// What a finding means for the dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// A crash of some kind leaves no dump, or a poorer one; or something could not be judged.
    Warning,
    /// A crash would leave no dump.
    Wrong,
}

impl Grade {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Wrong => "WRONG",
        }
    }
}

/// One line of the doctor's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name, by which docs/doctor.md explains it.
    pub id: &'static str,
    /// What it means.
    pub grade: Grade,
    /// What was found.
    pub sentence: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Finding {
    fn new(id: &'static str, grade: Grade, sentence: String, remedy: Option<String>) -> Self {
        Self {
            id,
            grade,
            sentence,
            remedy,
        }
    }

    /// Something that is as it should be.
    pub fn good(id: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(id, Grade::Good, sentence.into(), None)
    }

    /// Something worth knowing.
    pub fn note(
        id: &'static str,
        sentence: impl Into<String>,
        remedy: impl Into<Option<&'static str>>,
    ) -> Self {
        let remedy = remedy.into().map(Into::into);
        Self::new(id, Grade::Note, sentence.into(), remedy)
    }

    /// Something by which a crash of some kind is lost, or that could not be judged.
    pub fn warning(
        id: &'static str,
        sentence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::new(id, Grade::Warning, sentence.into(), Some(remedy.into()))
    }

    /// Something by which the dump is lost.
    pub fn wrong(id: &'static str, sentence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(id, Grade::Wrong, sentence.into(), Some(remedy.into()))
    }

    /// Whether the dump is lost.
    pub fn is_wrong(&self) -> bool {
        self.grade == Grade::Wrong
    }
}

/// What the findings are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Subject {
    /// This machine, if it crashed now.
    Now,
    /// This machine, once what is in /boot is loaded.
    Boot,
    /// A kernel's configuration.
    Configuration,
}

/// All findings, and what they come to.
#[derive(Debug, Serialize)]
pub struct Report {
    subject: Subject,
    /// Whether nothing is wrong.
    leaves_dump: bool,
    /// What that means, as a sentence without its end.
    verdict: &'static str,
    findings: Vec<Finding>,
    /// Options of kernels that are missing, as arguments for the kernel's scripts/config.
    options: Option<String>,
}

impl Report {
    /// The report of what was found on a machine.
    pub fn of_machine(now: bool, findings: Vec<Finding>) -> Self {
        let leaves_dump = !findings.iter().any(Finding::is_wrong);
        let (subject, verdict) = match (now, leaves_dump) {
            (true, true) => (Subject::Now, "A crash now would leave a dump"),
            (true, false) => (Subject::Now, "A crash now would leave no dump"),
            (false, true) => (Subject::Boot, "With these files a crash would leave a dump"),
            (false, false) => (
                Subject::Boot,
                "With these files a crash would leave no dump",
            ),
        };
        Self {
            subject,
            leaves_dump,
            verdict,
            findings,
            options: None,
        }
    }

    /// The report of what was found in a configuration, and how that is changed.
    pub fn of_configuration(
        verdict: &'static str,
        findings: Vec<Finding>,
        options: Option<String>,
    ) -> Self {
        Self {
            subject: Subject::Configuration,
            leaves_dump: !findings.iter().any(Finding::is_wrong),
            verdict,
            findings,
            options,
        }
    }

    /// The exit status.
    pub fn exit_status(&self) -> u8 {
        (!self.leaves_dump).into()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        if let Some(options) = &self.options {
            writeln!(
                f,
                "\nIn the kernel's tree:\n  scripts/config {options} && make olddefconfig"
            )?;
        }
        let wrong = self.findings.iter().filter(|one| one.is_wrong()).count();
        match wrong {
            0 => writeln!(f, "\n{}.", self.verdict),
            1 => writeln!(f, "\n{}: 1 thing is wrong.", self.verdict),
            _ => writeln!(f, "\n{}: {wrong} things are wrong.", self.verdict),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (grade, id, sentence) = (self.grade.name(), self.id, &self.sentence);
        write!(f, "{grade:<8}{id:<19}{sentence}")?;
        match &self.remedy {
            Some(remedy) => write!(f, "\n{:27}-> {remedy}", ""),
            None => Ok(()),
        }
    }
}
