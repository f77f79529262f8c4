// SPDX-License-Identifier: GPL-2.0

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const PRB: u64 = 0xffff_ffff_8200_0000;
const RING: u64 = 0xffff_ffff_8200_1000;
const DESCRIPTORS: u64 = 0xffff_ffff_8200_2000;
const INFOS: u64 = 0xffff_ffff_8200_3000;
const TEXT: u64 = 0xffff_ffff_8200_4000;
const CLEARED: u64 = 0xffff_ffff_8200_5000;

const COUNT_BITS: u32 = 3;
const SIZE_BITS: u32 = 8;

/// What Linux 7.3 says of its log, with the addresses of this test's.
const FACTS: &str = "\
SYMBOL(prb)=ffffffff82000000
SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
SIZE(prb_desc_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=112
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(printk_info.caller_id)=20
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
OFFSET(atomic_long_t.counter)=0
SYMBOL(clear_seq)=ffffffff82005000
SIZE(latched_seq)=24
OFFSET(latched_seq.val)=8
";

/// A kernel's memory, and in it a log that grows.
struct Kernel {
    memory: BTreeMap<u64, Vec<u8>>,
    tail: u64,
    head: u64,
    position: u64,
    /// The number of the next record.
    number: u64,
}

impl Kernel {
    /// A log without records, as the kernel begins it: its numbers and positions are about to overflow.
    fn new() -> Self {
        let first = (1_u64 << 62) - (1 << COUNT_BITS);
        let mut kernel = Self {
            memory: BTreeMap::from([
                (PRB, RING.to_le_bytes().to_vec()),
                (RING, vec![0; 88]),
                (DESCRIPTORS, vec![0; 24 << COUNT_BITS]),
                (INFOS, vec![0; 112 << COUNT_BITS]),
                (TEXT, vec![0; 1 << SIZE_BITS]),
                (CLEARED, vec![0; 24]),
            ]),
            tail: first,
            head: first,
            position: 0_u64.wrapping_sub(1 << SIZE_BITS),
            number: 0,
        };
        kernel.set(RING, u64::from(COUNT_BITS));
        kernel.set(RING + 8, DESCRIPTORS);
        kernel.set(RING + 16, INFOS);
        kernel.set(RING + 48, u64::from(SIZE_BITS));
        kernel.set(RING + 56, TEXT);
        kernel
    }

    fn write(&mut self, address: u64, bytes: &[u8]) {
        let (start, memory) = self.memory.range_mut(..=address).next_back().unwrap();
        let offset = (address - start) as usize;
        memory[offset..offset + bytes.len()].copy_from_slice(bytes);
    }

    fn set(&mut self, address: u64, number: u64) {
        self.write(address, &number.to_le_bytes());
    }

    /// Adds a record, with its text where the kernel would have put it.
    fn log(&mut self, nanoseconds: u64, caller: u32, text: &[u8]) -> u64 {
        let len = (8 + text.len() as u64).next_multiple_of(8);
        let size = 1_u64 << SIZE_BITS;
        let begin = self.position;
        let start = begin % size;
        let (at, next) = if start + len > size {
            (0, begin.wrapping_add(size - start + len))
        } else {
            (start, begin.wrapping_add(len))
        };
        self.position = next;
        let id = self.record(begin, next, nanoseconds, caller, text.len() as u16);
        self.set(TEXT + at, id);
        self.write(TEXT + at + 8, text);
        id
    }

    fn record(&mut self, begin: u64, next: u64, nanoseconds: u64, caller: u32, len: u16) -> u64 {
        self.head = (self.head + 1) & ID_MASK;
        let id = self.head;
        if (id.wrapping_sub(self.tail) & ID_MASK) >> COUNT_BITS != 0 {
            self.tail = (self.tail + 1) & ID_MASK;
        }
        let index = id % (1 << COUNT_BITS);
        let descriptor = DESCRIPTORS + 24 * index;
        self.set(descriptor, FINALIZED << STATE_SHIFT | id);
        self.set(descriptor + 8, begin);
        self.set(descriptor + 16, next);
        let info = INFOS + 112 * index;
        self.set(info, self.number);
        self.number += 1;
        self.set(info + 8, nanoseconds);
        self.write(info + 16, &len.to_le_bytes());
        self.write(info + 20, &caller.to_le_bytes());
        self.set(RING + 24, self.head);
        self.set(RING + 32, self.tail);
        id
    }

    /// Clears the log, for readers; `latch` tells them which of the two places has the number.
    fn clear(&mut self, latch: u32) {
        self.write(CLEARED, &latch.to_le_bytes());
        self.set(CLEARED + 8 + 8 * u64::from(latch % 2), self.number);
    }

    fn read(&self, address: u64, out: &mut [u8]) -> Result<(), &'static str> {
        let absent = "the dump does not have it";
        let (start, memory) = self.memory.range(..=address).next_back().ok_or(absent)?;
        let offset = usize::try_from(address - start).map_err(|_| absent)?;
        let end = offset.checked_add(out.len()).ok_or(absent)?;
        out.copy_from_slice(memory.get(offset..end).ok_or(absent)?);
        Ok(())
    }

    fn printed(&self) -> (String, u64) {
        let facts = Vmcoreinfo::parse(FACTS.as_bytes());
        let mut log = Log::find(&facts, |address, out: &mut [u8]| self.read(address, out)).unwrap();
        let mut text = Vec::new();
        for record in log.by_ref() {
            record.write(&mut text, Style::Makedumpfile).unwrap();
        }
        (String::from_utf8(text).unwrap(), log.lost())
    }
}

fn refusal(kernel: &Kernel, facts: &str) -> String {
    let facts = Vmcoreinfo::parse(facts.as_bytes());
    Log::find(&facts, |address, out: &mut [u8]| kernel.read(address, out))
        .err()
        .unwrap()
        .to_string()
}

#[test]
fn records_are_printed_with_time_and_caller() {
    let mut kernel = Kernel::new();
    kernel.log(0, 0, b"Linux version 7.3");
    kernel.log(
        12_345_678_999,
        1 << 31 | 3,
        b"two\nlines and \x1b[1m\t\xc3\xa4",
    );
    kernel.log(123_456_000_001_000, 4711, b"");
    assert_eq!(
        kernel.printed(),
        (
            "[    0.000000] [      T0] Linux version 7.3\n\
             [   12.345678] [      C3] two\n\
             \x20                         lines and \\x1b[1m\t\\xc3\\xa4\n"
                .to_string(),
            1
        ),
        "the last one has no room for text, which no writer does"
    );
}

#[test]
fn vmcore_dmesg_has_neither_caller_nor_margin() {
    let record = Record {
        nanoseconds: 1_000,
        caller: Some(7),
        text: b"a\nb".to_vec(),
    };
    let mut text = Vec::new();
    record.write(&mut text, Style::VmcoreDmesg).unwrap();
    assert_eq!(text, b"[    0.000001] a\nb\n");
}

#[test]
fn of_a_log_that_went_round_the_last_records_are_there() {
    let mut kernel = Kernel::new();
    for number in 0..100 {
        kernel.log(
            number * 1_000_000_000,
            1,
            format!("line {number}").as_bytes(),
        );
    }
    let (text, lost) = kernel.printed();
    let expected: String = (92..100)
        .map(|number| format!("[{number:5}.000000] [      T1] line {number}\n"))
        .collect();
    assert_eq!((text, lost), (expected, 0));
}

#[test]
fn a_text_that_ends_exactly_at_the_end_is_whole() {
    let mut kernel = Kernel::new();
    kernel.log(0, 1, &[b'a'; 120]);
    kernel.log(0, 1, &[b'b'; 120]);
    kernel.log(0, 1, &[b'c'; 40]);
    let (text, lost) = kernel.printed();
    assert!(text.contains(&"b".repeat(120)), "{text}");
    assert!(text.contains(&"c".repeat(40)), "{text}");
    // The third is where the first was.
    assert!(!text.contains('a'), "{text}");
    assert_eq!(lost, 1);
}

#[test]
fn records_without_text_and_records_being_written_are_left_out() {
    let mut kernel = Kernel::new();
    kernel.log(0, 1, b"before");
    for reason in [1, 3] {
        kernel.record(reason, reason, 0, 1, 0);
    }
    let reserved = kernel.log(0, 1, b"half");
    kernel.set(DESCRIPTORS + 24 * (reserved % 8), reserved);
    kernel.log(0, 1, b"after");
    let (text, lost) = kernel.printed();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert_eq!(lost, 0);
}

#[test]
fn a_head_that_is_far_ahead_of_the_tail_ends_after_one_round() {
    let mut kernel = Kernel::new();
    for number in 0..20 {
        kernel.log(0, 1, format!("line {number}").as_bytes());
    }
    kernel.set(RING + 32, 5);
    let (text, _) = kernel.printed();
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.ends_with("line 19\n"), "{text}");
}

#[test]
fn a_record_that_is_not_in_the_dump_is_counted() {
    let mut kernel = Kernel::new();
    kernel.log(0, 1, b"kept");
    kernel.log(0, 1, &[b'x'; 100]);
    kernel.memory.get_mut(&TEXT).unwrap().truncate(64);
    let (text, lost) = kernel.printed();
    assert_eq!(text, "[    0.000000] [      T1] kept\n");
    assert_eq!(lost, 1);
}

#[test]
fn what_was_cleared_is_left_out_when_asked_for() {
    let mut kernel = Kernel::new();
    let facts = Vmcoreinfo::parse(FACTS.as_bytes());
    let read_since_cleared = |kernel: &Kernel| -> Vec<String> {
        let read = |address, out: &mut [u8]| kernel.read(address, out);
        let log = Log::find(&facts, read).unwrap();
        let log = log.since_cleared(&facts).unwrap();
        log.map(|record| String::from_utf8(record.text).unwrap())
            .collect()
    };
    kernel.log(0, 1, b"first");
    assert_eq!(read_since_cleared(&kernel), ["first"]);
    kernel.log(0, 1, b"second");
    kernel.clear(1);
    assert_eq!(read_since_cleared(&kernel), [""; 0]);
    kernel.log(0, 1, b"third");
    assert_eq!(read_since_cleared(&kernel), ["third"]);
    // The other place has what was there before.
    kernel.clear(2);
    kernel.log(0, 1, b"fourth");
    assert_eq!(read_since_cleared(&kernel), ["fourth"]);
    assert_eq!(kernel.printed().0.lines().count(), 4);
    // What it was cleared of may be gone altogether.
    for number in 5..20 {
        kernel.log(0, 1, format!("line {number}").as_bytes());
    }
    assert_eq!(read_since_cleared(&kernel).len(), 8);

    let older = Vmcoreinfo::parse(FACTS.replace("(clear_seq)", "(clear_idx)").as_bytes());
    let log = Log::find(&older, |address, out: &mut [u8]| kernel.read(address, out)).unwrap();
    assert_eq!(
        log.since_cleared(&older).err().unwrap().to_string(),
        "the kernel's log is not found: the kernel's VMCOREINFO has no line SYMBOL(clear_seq)="
    );
}

#[test]
fn what_is_missing_is_named() {
    let mut kernel = Kernel::new();
    assert_eq!(
        refusal(&kernel, "OSRELEASE=5.4\n"),
        "the kernel's log is not found: the kernel's VMCOREINFO has no line SIZE(printk_ringbuffer)="
    );
    let outside = FACTS.replace("(prb_desc_ring.head_id)=24", "(prb_desc_ring.head_id)=84");
    assert!(refusal(&kernel, &outside).contains("OFFSET(prb_desc_ring.head_id)"));
    kernel.set(RING, 27);
    assert_eq!(
        refusal(&kernel, FACTS),
        "the kernel's log is damaged: it has 2^27 records and 2^8 bytes of text by its own word, and at most 2^26 \
         and 2^31 are possible"
    );
    kernel.set(PRB, 0x1000);
    assert_eq!(
        refusal(&kernel, FACTS),
        "the head of the kernel's log at 0x1000 cannot be read: the dump does not have it"
    );
}

proptest! {
    /// Whatever is overwritten, the log ends.
    #[test]
    fn a_damaged_log_ends(
        damage in prop::collection::vec((0_usize..4, any::<u16>(), any::<u64>()), 1..20),
    ) {
        let mut kernel = Kernel::new();
        for number in 0..20 {
            kernel.log(number, 1, format!("line {number}").as_bytes());
        }
        for (place, offset, number) in damage {
            let place = [RING, DESCRIPTORS, INFOS, TEXT][place];
            let len = kernel.memory[&place].len() as u64 - 8;
            kernel.set(place + u64::from(offset) % len, number);
        }
        let facts = Vmcoreinfo::parse(FACTS.as_bytes());
        let read = |address, out: &mut [u8]| kernel.read(address, out);
        if let Ok(log) = Log::find(&facts, read) {
            for record in log {
                record.write(&mut std::io::sink(), Style::Makedumpfile).unwrap();
            }
        }
    }
}
