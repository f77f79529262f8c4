// SPDX-License-Identifier: GPL-2.0

use kexec_core::dump::report::{
    circumstances_word,
    cpu_word,
    encode,
    lines::lines,
    reader::{
        CpuState,
        Report,
        ReportError, //
    },
    report_len,
    Circumstances,
    Context,
    Means,
    Moment,
    CONTENTS,
    NOT_STOPPED, //
};

const CPUS: usize = 4;
/// Ticks in a second.
const FREQUENCY: u64 = 62_500_000;

/// A note, and the words that were set in it.
fn note(words: &[(usize, u64)]) -> Vec<u8> {
    let mut note = vec![0xaa; report_len(CPUS) + 4];
    assert_eq!(encode(&mut note, CPUS, FREQUENCY), Ok(report_len(CPUS)));
    assert_eq!(note[report_len(CPUS)..], [0xaa; 4]);
    note.truncate(report_len(CPUS));
    for (word, value) in words {
        let at = CONTENTS + word * 8;
        note[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    note
}

#[test]
fn a_new_report_has_reached_nothing() {
    let note = note(&[]);
    let report = Report::find(&note).unwrap();
    assert!(Moment::ALL.map(|moment| report.reached(moment)) == [None; 8]);
    assert!(report.cpus().all(|cpu| cpu.state == CpuState::Off));
    assert_eq!(report.cpus().count(), CPUS);
}

#[test]
fn times_count_from_the_first_hook() {
    let circumstances = Circumstances::new(Means::Nmi).with(Context::Idle, true);
    let note = note(&[
        (Moment::Noticed.word(), 1_000_000),
        (Moment::Stopped.word(), 1_062_500),
        (Moment::Left.word(), u64::MAX - 1),
        // It stopped itself before the crash was noticed.
        (cpu_word(0), 999_999),
        (cpu_word(1), 1_000_625),
        (circumstances_word(1), circumstances.word()),
        (cpu_word(3), NOT_STOPPED),
    ]);
    let report = Report::find(&note).unwrap();
    assert_eq!(report.reached(Moment::Noticed), Some(0));
    assert_eq!(report.reached(Moment::Stopped), Some(1_000_000));
    assert_eq!(report.reached(Moment::PurgatoryChecked), None);
    assert_eq!(report.reached(Moment::Left), Some(u64::MAX));
    let states: Vec<_> = report.cpus().map(|cpu| cpu.state).collect();
    let stopped = |after, circumstances| CpuState::Stopped {
        after,
        circumstances,
    };
    let expected = [
        stopped(0, Circumstances::default()),
        stopped(10_000, circumstances),
        CpuState::Off,
        CpuState::NotStopped { waited: 1_000_000 },
    ];
    assert_eq!(states, expected);
    let text: Vec<_> = lines(&report).map(|line| line.to_string()).collect();
    assert_eq!(text.len(), 1 + 8 + 1 + 3);
    assert_eq!(text[2], "        1000.0  other CPUs stopped");
    assert_eq!(text[3], "   not reached  purgatory checked");
    assert_eq!(text[11], "          10.0      1  NMI        idle");
    assert!(text[12].contains("did not stop"), "{}", text[12]);
}

#[test]
fn circumstances_are_told_apart() {
    let all = Context::ALL
        .into_iter()
        .fold(Circumstances::new(Means::Kernel), |one, context| {
            one.with(context, true)
        });
    assert!(all.contexts().eq(Context::ALL));
    assert_eq!(all.means(), Some(Means::Kernel));
    let none = Circumstances::new(Means::Crashed).with(Context::User, false);
    assert_eq!(
        (none.contexts().count(), none.means()),
        (0, Some(Means::Crashed))
    );
    assert_eq!(Circumstances::from_word(0x4200).means(), None);
}

#[test]
fn what_is_no_report_is_refused() {
    let refused = |words: &[(usize, u64)]| Report::find(&note(words)).map(|_| ()).unwrap_err();
    assert_eq!(refused(&[(0, 1)]), ReportError::Version(1));
    assert_eq!(refused(&[(1, 0)]), ReportError::Frequency);
    let len = report_len(CPUS) - CONTENTS;
    for cpus in [0, 3, 5, u64::MAX] {
        assert_eq!(refused(&[(2, cpus)]), ReportError::Length { cpus, len });
    }
    assert_eq!(
        Report::find(&[]).map(|_| ()).unwrap_err(),
        ReportError::Missing
    );
    assert_eq!(
        Report::parse(&[]).map(|_| ()).unwrap_err(),
        ReportError::Version(0)
    );
    for error in [
        ReportError::Missing,
        ReportError::Version(9),
        ReportError::Length { cpus: 7, len: 3 },
        ReportError::Frequency,
    ] {
        assert!(!error.to_string().is_empty());
    }
}
