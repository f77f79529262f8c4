// SPDX-License-Identifier: GPL-2.0

//! The kernel's page structs: `struct page`, one for each page frame.

mod arrays;
mod error;
mod sections;
mod structs;

pub use self::{
    arrays::PageArrays,
    error::PagesError,
    structs::{
        Structs,
        StructsItem, //
    }, //
};

#[cfg(test)]
mod tests;
