// SPDX-License-Identifier: GPL-2.0

//! What a kernel without VMCOREINFO tells of itself, on every architecture.
//!
//! Of the kernel's own lines those are missing that are about the log: its structures are in no header that
//! modules can see. Readers that have the kernel's debug information do not need them.

use super::bindings;
use crate::compat::prelude::*;
use core::ffi::CStr;
use kernel::page::PAGE_SIZE;
use kexec_core::dump::vmcoreinfo::lines::Line;

/// What `uname -r` says.
pub(crate) fn release() -> &'static str {
    // SAFETY: The kernel's own namespace is there for ever, and the string in it ends with NUL.
    let release = unsafe { CStr::from_char_ptr(bindings::rust_kexec_release()) };
    release.to_str().unwrap_or_default()
}

/// The address that the kernel's first byte is linked to.
pub(crate) const LINKED_AT: u64 = bindings::LINKED_AT as u64;

/// Variables whose addresses are told, where the kernel has them.
pub(crate) const SYMBOLS: &[&CStr] = &[
    c"init_uts_ns",
    c"_stext",
    c"mem_map",
    c"contig_page_data",
    c"node_data",
    c"kallsyms_names",
    c"kallsyms_num_syms",
    c"kallsyms_token_table",
    c"kallsyms_token_index",
    c"kallsyms_offsets",
    c"kallsyms_relative_base",
];

/// What was known when the kernel was built.
pub(crate) const BUILT_IN: &[Line<'_>] = &[
    Line::PageSize(PAGE_SIZE as u64),
    Line::Offset("uts_namespace.name", bindings::offset_uts_namespace_name),
    Line::Size("page", bindings::size_page),
    Line::Size("pglist_data", bindings::size_pglist_data),
    Line::Size("zone", bindings::size_zone),
    Line::Size("free_area", bindings::size_free_area),
    Line::Size("list_head", bindings::size_list_head),
    Line::Size("nodemask_t", bindings::size_nodemask_t),
    Line::Offset("page.flags", bindings::offset_page_flags),
    Line::Offset("page._refcount", bindings::offset_page__refcount),
    Line::Offset("page.mapping", bindings::offset_page_mapping),
    Line::Offset("page.lru", bindings::offset_page_lru),
    Line::Offset("page._mapcount", bindings::offset_page__mapcount),
    Line::Offset("page.private", bindings::offset_page_private),
    // It is the first word of the same union.
    Line::Offset(HEAD_OF_TAIL, bindings::offset_page_lru),
    Line::Offset(
        "pglist_data.node_zones",
        bindings::offset_pglist_data_node_zones,
    ),
    Line::Offset(
        "pglist_data.nr_zones",
        bindings::offset_pglist_data_nr_zones,
    ),
    Line::Offset(
        "pglist_data.node_start_pfn",
        bindings::offset_pglist_data_node_start_pfn,
    ),
    Line::Offset(
        "pglist_data.node_spanned_pages",
        bindings::offset_pglist_data_node_spanned_pages,
    ),
    Line::Offset("pglist_data.node_id", bindings::offset_pglist_data_node_id),
    Line::Offset("zone.free_area", bindings::offset_zone_free_area),
    Line::Offset("zone.vm_stat", bindings::offset_zone_vm_stat),
    Line::Offset("zone.spanned_pages", bindings::offset_zone_spanned_pages),
    Line::Offset("free_area.free_list", bindings::offset_free_area_free_list),
    Line::Offset("list_head.next", bindings::offset_list_head_next),
    Line::Offset("list_head.prev", bindings::offset_list_head_prev),
    Line::Length("zone.free_area", bindings::NR_PAGE_ORDERS),
    Line::Length("free_area.free_list", bindings::LEN_FREE_LIST),
    #[cfg(CONFIG_NUMA)]
    Line::Length("node_data", bindings::LEN_NODE_DATA),
    Line::Number("NR_FREE_PAGES", bindings::INDEX_FREE_PAGES as i64),
    Line::Number("PG_lru", bindings::BIT_LRU as i64),
    Line::Number("PG_private", bindings::BIT_PRIVATE as i64),
    Line::Number("PG_swapcache", bindings::BIT_SWAPCACHE as i64),
    Line::Number("PG_swapbacked", bindings::BIT_SWAPBACKED as i64),
    #[cfg(CONFIG_MEMORY_FAILURE)]
    Line::Number("PG_hwpoison", bindings::BIT_HWPOISON as i64),
    Line::Number("PG_head_mask", bindings::MASK_HEAD as i64),
    Line::Number("PAGE_SLAB_MAPCOUNT_VALUE", bindings::COUNT_SLAB as i64),
    Line::Number("PAGE_BUDDY_MAPCOUNT_VALUE", bindings::COUNT_BUDDY as i64),
    Line::Number(
        "PAGE_HUGETLB_MAPCOUNT_VALUE",
        bindings::COUNT_HUGETLB as i64,
    ),
    Line::Number(
        "PAGE_OFFLINE_MAPCOUNT_VALUE",
        bindings::COUNT_OFFLINE as i64,
    ),
    #[cfg(CONFIG_SPARSEMEM)]
    Line::Size("mem_section", bindings::size_mem_section),
    #[cfg(CONFIG_SPARSEMEM)]
    Line::Offset(
        "mem_section.section_mem_map",
        bindings::offset_mem_section_section_mem_map,
    ),
    #[cfg(CONFIG_SPARSEMEM)]
    Line::Number("SECTION_SIZE_BITS", bindings::BITS_SECTION_SIZE as i64),
];

/// The member by which a page tells that it is the tail of a larger one. Linux 7.1 renamed it.
const HEAD_OF_TAIL: &str = match cfg!(kernel_compound_info) {
    true => "page.compound_info",
    false => "page.compound_head",
};

/// How many lines [`found_at_boot`] has.
const FOUND_AT_BOOT: usize =
    2 + 3 * cfg!(CONFIG_SPARSEMEM) as usize + cfg!(CONFIG_SPARSEMEM_VMEMMAP) as usize;

/// What was known when the kernel had booted.
pub(crate) fn found_at_boot() -> [Line<'static>; FOUND_AT_BOOT] {
    // SAFETY: These read variables that are constant after boot, if anything.
    unsafe {
        [
            Line::Symbol("node_online_map", bindings::rust_kexec_node_online_map()),
            Line::Address("VMALLOC_START", bindings::rust_kexec_vmalloc_start()),
            #[cfg(CONFIG_SPARSEMEM)]
            Line::Symbol("mem_section", bindings::rust_kexec_mem_section()),
            #[cfg(CONFIG_SPARSEMEM)]
            Line::Length("mem_section", bindings::rust_kexec_section_roots()),
            #[cfg(CONFIG_SPARSEMEM)]
            Line::Number(
                "MAX_PHYSMEM_BITS",
                bindings::rust_kexec_physical_address_bits() as i64,
            ),
            #[cfg(CONFIG_SPARSEMEM_VMEMMAP)]
            Line::Symbol("vmemmap", bindings::rust_kexec_vmemmap()),
        ]
    }
}
