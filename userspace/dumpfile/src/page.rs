// SPDX-License-Identifier: GPL-2.0

//! Pages that are the same word over and over: zeros, and what poisons freed memory.

/// The word that a page has over and over, if there is one.
pub fn uniform(page: &[u8]) -> Option<u64> {
    let first = page.first_chunk().copied().map(u64::from_le_bytes)?;
    // Most pages that are not uniform show it soon. The blocks are as long as what a compiler makes
    // one loop over vectors of.
    let differs = |block: &[u8]| {
        let words = block.chunks_exact(8);
        let rest = words.remainder();
        let words = words.fold(0, |differences, word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            differences | (u64::from_le_bytes(bytes) ^ first)
        });
        words != 0 || !rest.is_empty()
    };
    let is_uniform = !page.chunks(256).any(differs);
    is_uniform.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_uniform_if_no_word_differs() {
        let mut page: Vec<u8> = [1, 2, 3, 4, 5, 6, 7, 8].repeat(512);
        assert_eq!(uniform(&page), Some(0x0807_0605_0403_0201));
        for at in 0..page.len() {
            page[at] ^= 0x80;
            assert_eq!(uniform(&page), None, "{at}");
            page[at] ^= 0x80;
        }
        assert_eq!(uniform(&[0; 4096]), Some(0));
        assert_eq!(uniform(&[0; 4095]), None);
        assert_eq!(uniform(&[0; 7]), None);
    }
}
