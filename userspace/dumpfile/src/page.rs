// SPDX-License-Identifier: GPL-2.0

//! What can be told of a page before it is compressed, in a fraction of the time that takes.

/// The numbers at the start of each eight bytes.
fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + Clone + '_ {
    bytes.chunks_exact(8).map(|word| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(word);
        u64::from_le_bytes(bytes)
    })
}

/// How much of a page is looked at before it is told whether it is uniform so far.
const BLOCK: usize = 256;

/// The word that a page has over and over, if there is one: zeros, and what poisons freed memory.
pub fn uniform(page: &[u8]) -> Option<u64> {
    let first = page.first_chunk().copied().map(u64::from_le_bytes)?;
    // Most pages that are not uniform show it soon.
    let blocks = page.chunks_exact(BLOCK);
    let differs = |block: &[u8]| {
        // A processor takes several words at a time.
        let mut lanes = [0; 4];
        for words_of_lanes in block.chunks_exact(32) {
            for (lane, word) in lanes.iter_mut().zip(words(words_of_lanes)) {
                *lane |= word ^ first;
            }
        }
        lanes.into_iter().fold(0, |all, lane| all | lane) != 0
    };
    let rest = blocks.remainder();
    let is_uniform = rest.len() % 8 == 0
        && words(rest).all(|word| word == first)
        && !blocks.clone().any(differs);
    is_uniform.then_some(first)
}

/// A number that two equal pages have in common, and that others hardly ever do.
pub fn digest(page: &[u8]) -> u64 {
    // Odd, with as many ones as zeros: the fraction of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |lane: u64, word: u64| (lane.rotate_left(23) ^ word).wrapping_mul(FACTOR);
    // A processor multiplies for several lanes at a time.
    let mut lanes = [1, 2, 3, 4];
    for block in page.chunks(32) {
        for (lane, word) in lanes.iter_mut().zip(words(block)) {
            *lane = mix(*lane, word);
        }
    }
    let digest = lanes.into_iter().fold(page.len() as u64, mix);
    digest ^ digest >> 32
}

/// Whether more than one in so many of a page's words is equal to that 64 bytes earlier, as in arrays of page
/// structures, slabs of small objects, and sparse pages.
pub fn is_periodic(page: &[u8], one_in: usize) -> bool {
    const PERIOD: usize = 64;
    let later = page.get(PERIOD..).unwrap_or_default();
    let pairs = words(page).zip(words(later));
    let equal = pairs.fold(0, |equal, (a, b)| equal + u64::from(a == b));
    equal as usize * 8 * one_in > page.len()
}

/// Whether a page looks like noise: encrypted, compressed or random bytes, which no codec makes shorter.
///
/// Of 512 random bytes 222 are different, and seldom fewer than 208. Text has fewer than 100, and
/// machine code some 150.
pub fn is_noise(page: &[u8]) -> bool {
    const SAMPLES: usize = 512;
    const DIFFERENT: u32 = 208;
    let words = page.len() / 8;
    // It is odd, so that each place in structures of 16, 32 or 64 bytes has its turn.
    let stride = (words / SAMPLES).saturating_sub(1) | 1;
    let mut seen = [0_u8; 256];
    // From each word another byte than from the one before it.
    for (at, word) in page
        .chunks_exact(8)
        .step_by(stride)
        .take(SAMPLES)
        .enumerate()
    {
        seen[usize::from(word[at % 8])] = 1;
    }
    let different: u32 = seen.iter().map(|seen| u32::from(*seen)).sum();
    different >= DIFFERENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_uniform_if_no_word_differs() {
        let mut page: Vec<u8> = [1, 2, 3, 4, 5, 6, 7, 8].repeat(512);
        let digest_before = digest(&page);
        assert_eq!(uniform(&page), Some(0x0807_0605_0403_0201));
        for at in 0..page.len() {
            page[at] ^= 0x80;
            assert_eq!(uniform(&page), None, "{at}");
            assert_ne!(digest(&page), digest_before, "{at}");
            page[at] ^= 0x80;
        }
        assert_eq!(uniform(&[0; 4096]), Some(0));
        assert_eq!(uniform(&[0; 4095]), None);
        assert_eq!(uniform(&[0; 7]), None);
    }

    #[test]
    fn pages_of_known_kinds_are_told_apart() {
        let mut state = 1_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        for page_len in [4096, 16384, 65536] {
            let noise: Vec<u8> = (0..page_len).map(|_| random()).collect();
            assert!(is_noise(&noise) && !is_periodic(&noise, 8));
            // Half of it can be told.
            let half: Vec<u8> = noise
                .iter()
                .enumerate()
                .map(|(at, byte)| byte & if at % 16 < 8 { 0xff } else { 0x0f })
                .collect();
            assert!(!is_noise(&half));
            let structures: Vec<u8> = (0..page_len)
                .map(|at| {
                    if at % 64 < 12 {
                        random()
                    } else {
                        (at % 64) as u8
                    }
                })
                .collect();
            assert!(is_periodic(&structures, 2) && !is_noise(&structures));
        }
        assert!(!is_periodic(&[0; 63], 8) && !is_noise(&[0; 63]));
    }
}
