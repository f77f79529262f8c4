// SPDX-License-Identifier: GPL-2.0

//! What the watcher has found, as the host finds it in the guest's memory: at the start of a page.
//!
//! There are two such pages, written in turn, so that one is whole whenever the machine ends.

/// A page of the shortest length.
pub const PAGE_LEN: usize = 4096;
/// The length of an account.
pub const LEN: usize = 512;
/// The length of a token.
pub const TOKEN_LEN: usize = 16;

// Where the fields are; all numbers are little-endian.
const SEQUENCE: usize = TOKEN_LEN;
const STAGE: usize = SEQUENCE + 4;
const READ_LEN: usize = STAGE + 4;
const SENTENCE_LEN: usize = READ_LEN + 8;
const SENTENCE: usize = SENTENCE_LEN + 4;
const CHECKSUM: usize = LEN - 8;
const SENTENCE_LEN_MAX: usize = CHECKSUM - SENTENCE;

/// Tells an account from everything else that is in memory.
pub type Token = [u8; TOKEN_LEN];

/// How far the guest came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The initrd's first program was about to start.
    Started = 1,
    /// The initrd's service had started.
    Serving = 2,
    /// `/proc/vmcore` was read to its end.
    Read = 3,
    /// The watcher gave up.
    Failed = 4,
}

/// What the watcher has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The later of two has the larger number.
    pub sequence: u32,
    /// How far the guest came.
    pub stage: Stage,
    /// The bytes that were read of `/proc/vmcore`.
    pub read_len: u64,
    /// What was seen. Its end is cut off where it is too long.
    pub sentence: String,
}

impl Account {
    /// The bytes for a page.
    pub fn encode(&self, token: &Token) -> [u8; LEN] {
        let mut bytes = [0; LEN];
        let mut len = self.sentence.len().min(SENTENCE_LEN_MAX);
        while !self.sentence.is_char_boundary(len) {
            len -= 1;
        }
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, token);
        put(SEQUENCE, &self.sequence.to_le_bytes());
        put(STAGE, &(self.stage as u32).to_le_bytes());
        put(READ_LEN, &self.read_len.to_le_bytes());
        put(SENTENCE_LEN, &(len as u32).to_le_bytes());
        put(SENTENCE, &self.sentence.as_bytes()[..len]);
        let sum = checksum(&bytes[..CHECKSUM]);
        bytes[CHECKSUM..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The account at the start of a page; none where there is none that is whole.
    pub fn decode(page: &[u8], token: &Token) -> Option<Self> {
        let bytes = page.get(..LEN)?;
        if !bytes.starts_with(token) {
            return None;
        }
        if u64_at(bytes, CHECKSUM) != checksum(&bytes[..CHECKSUM]) {
            return None;
        }
        let stage = [
            Stage::Started,
            Stage::Serving,
            Stage::Read,
            Stage::Failed, //
        ];
        let found = u32_at(bytes, STAGE);
        let sentence_len = (u32_at(bytes, SENTENCE_LEN) as usize).min(SENTENCE_LEN_MAX);
        let sentence = &bytes[SENTENCE..SENTENCE + sentence_len];
        Some(Self {
            sequence: u32_at(bytes, SEQUENCE),
            stage: stage.into_iter().find(|stage| *stage as u32 == found)?,
            read_len: u64_at(bytes, READ_LEN),
            sentence: String::from_utf8_lossy(sentence).into_owned(),
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(0, |field| u32::from_le_bytes(*field))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk());
    field.map_or(0, |field| u64::from_le_bytes(*field))
}

/// 64-bit FNV-1a.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// A token in hexadecimal.
pub fn token_text(token: &Token) -> String {
    token.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token that such a text stands for.
pub fn token_of(text: &str) -> Option<Token> {
    let number = u128::from_str_radix(text, 16).ok();
    let number = number.filter(|_| text.len() == 2 * TOKEN_LEN)?;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: Token = *b"0123456789abcdef";

    fn account(sentence: &str) -> Account {
        Account {
            sequence: 7,
            stage: Stage::Read,
            read_len: 1 << 33,
            sentence: sentence.into(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let account = account("dd has opened /proc/vmcore");
        let bytes = account.encode(&TOKEN);
        assert_eq!(Account::decode(&bytes, &TOKEN), Some(account));
    }

    #[test]
    fn an_account_that_was_half_written_is_none() {
        let mut bytes = account("dd has opened /proc/vmcore").encode(&TOKEN);
        bytes[SENTENCE] ^= 1;
        assert_eq!(Account::decode(&bytes, &TOKEN), None);
    }

    #[test]
    fn another_run_has_another_token() {
        let bytes = account("").encode(&TOKEN);
        assert_eq!(Account::decode(&bytes, b"0123456789abcdeX"), None);
        assert_eq!(Account::decode(&bytes[..LEN - 1], &TOKEN), None);
    }

    #[test]
    fn a_long_sentence_is_cut_between_characters() {
        let long = "ä".repeat(LEN);
        let read = Account::decode(&account(&long).encode(&TOKEN), &TOKEN);
        let sentence = read.expect("it is whole").sentence;
        assert!(long.starts_with(&sentence) && sentence.len() > SENTENCE_LEN_MAX - 2);
    }

    #[test]
    fn a_token_is_read_from_its_text() {
        assert_eq!(token_of(&token_text(&TOKEN)), Some(TOKEN));
        assert_eq!(token_of("0123"), None);
    }
}
