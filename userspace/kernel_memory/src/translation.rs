// SPDX-License-Identifier: GPL-2.0

//! A kernel's virtual addresses become physical ones, by its page tables in the dump.

mod arm64;
mod entry;
mod error;
mod geometry;
mod pieces;
mod tables;
mod walk;
mod x86_64;

pub use self::{
    error::TranslationError,
    pieces::{
        Piece,
        Pieces,
        Place, //
    },
    walk::Translation, //
};

#[cfg(test)]
mod tests;
