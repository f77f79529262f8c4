// SPDX-License-Identifier: GPL-2.0

//! Physical memory: addresses of the kernel's own memory, and views of memory by its address.

mod address;
mod mapping;
mod reserved;

pub(crate) use address::{
    address,
    address_of,
    direct_map_address, //
};
pub(crate) use mapping::{
    is_in_use,
    page_at,
    Mapping,
    Unmapped, //
};
pub(crate) use reserved::{
    ReservedMemory,
    View,
    Views,
    Windows, //
};
