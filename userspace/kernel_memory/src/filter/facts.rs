// SPDX-License-Identifier: GPL-2.0

//! What a filter knows of the kernel, and what it is to leave out.

use crate::{
    pages::PageArrays,
    translation::Translation, //
};

use super::{
    layout::Layout,
    level::Level, //
};

/// What a filter knows of the kernel, and what it is to leave out.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The kernel's address space.
    pub translation: Translation,
    /// Where its page structs are.
    pub arrays: PageArrays,
    /// What is in them.
    pub layout: Layout,
    /// What is left out.
    pub level: Level,
    /// The number of bits of an offset into a page.
    pub page_shift: u32,
}
