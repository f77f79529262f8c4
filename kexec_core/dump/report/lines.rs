// SPDX-License-Identifier: GPL-2.0

//! The lines of a crash report, as `rkexec report` and the capture kernel's log show them.

use core::fmt;

use super::{
    reader::{
        Cpu,
        CpuState,
        Report, //
    },
    Context,
    Means,
    Moment, //
};

/// A line.
#[derive(Clone, Copy, Debug)]
pub enum Line {
    /// The title of the stages.
    Stages,
    /// A stage, and the nanoseconds until it was reached, if it was.
    Stage(Moment, Option<u64>),
    /// The title of the CPUs.
    Cpus,
    /// A CPU.
    Cpu(Cpu),
}

/// The lines of a report. CPUs that were off have none.
pub fn lines<'a>(report: &'a Report<'a>) -> impl Iterator<Item = Line> + 'a {
    let stages = Moment::ALL
        .into_iter()
        .map(|moment| Line::Stage(moment, report.reached(moment)));
    let cpus = report
        .cpus()
        .filter(|cpu| cpu.state != CpuState::Off)
        .map(Line::Cpu);
    [Line::Stages]
        .into_iter()
        .chain(stages)
        .chain([Line::Cpus])
        .chain(cpus)
}

impl Moment {
    /// The moment in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Noticed => "crash noticed",
            Self::Stopped => "other CPUs stopped",
            Self::PurgatoryChecked => "purgatory checked",
            Self::Silenced => "interrupts silenced",
            Self::Left => "jump to the purgatory",
            Self::PurgatoryEntered => "purgatory entered",
            Self::Checked => "digests checked",
            Self::KernelEntered => "capture kernel entered",
        }
    }
}

impl Means {
    /// The means in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crashed => "crashed",
            Self::Interrupt => "interrupt",
            Self::Nmi => "NMI",
            Self::Waiting => "waiting",
            Self::Kernel => "kernel",
        }
    }
}

impl Context {
    /// The context in words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Idle => "idle",
            Self::InterruptsOff => "interrupts off",
            Self::Softirq => "softirq",
            Self::Hardirq => "hardirq",
            Self::Nmi => "NMI",
        }
    }
}

/// Nanoseconds, shown as microseconds.
struct Microseconds(u64);

impl fmt::Display for Microseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = f.width().unwrap_or_default().saturating_sub(2);
        let (whole, tenth) = (self.0 / 1000, self.0 % 1000 / 100);
        write!(f, "{whole:>width$}.{tenth}")
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stages => write!(f, "{:>14}  stage", "microseconds"),
            Self::Stage(moment, Some(after)) => {
                write!(f, "{:>14}  {}", Microseconds(*after), moment.name())
            }
            Self::Stage(moment, None) => write!(f, "{:>14}  {}", "not reached", moment.name()),
            Self::Cpus => write!(
                f,
                "{:>14}  {:>5}  {:<9}  context",
                "microseconds", "CPU", "by"
            ),
            Self::Cpu(cpu) => cpu.fmt(f),
        }
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.state {
            CpuState::Off => write!(f, "{:>14}  {number:>5}  was off", "-"),
            CpuState::NotStopped { waited } => write!(
                f,
                "{:>14}  {number:>5}  did not stop; its registers are not in the dump",
                Microseconds(waited)
            ),
            CpuState::Stopped {
                after,
                circumstances,
            } => {
                let means = circumstances.means().map_or("unknown", Means::name);
                write!(f, "{:>14}  {number:>5}  {means:<9}  ", Microseconds(after))?;
                let known = circumstances.means() != Some(Means::Kernel);
                let mut separator = "";
                for context in circumstances.contexts() {
                    write!(f, "{separator}{}", context.name())?;
                    separator = ", ";
                }
                match separator {
                    "" if known => f.write_str("kernel"),
                    "" => f.write_str("unknown"),
                    _ => Ok(()),
                }
            }
        }
    }
}
