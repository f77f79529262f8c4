// SPDX-License-Identifier: GPL-2.0
/* Pages of the running kernel, from anywhere: macros and inline functions. */

#include <linux/gfp.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "bindings.h"

/* A page's physical address, or 0. Nobody is killed so that there is one. */
u64 rust_kexec_take_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);

	return page ? page_to_phys(page) : 0;
}

void rust_kexec_give_page_back(u64 address)
{
	__free_page(pfn_to_page(PHYS_PFN(address)));
}

struct page *rust_kexec_page_of(u64 address)
{
	return pfn_to_page(PHYS_PFN(address));
}

void *rust_kexec_map_pages(struct page **pages, unsigned int count)
{
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}

/* Whether there is RAM that is in use and not broken. */
bool rust_kexec_page_is_sound(u64 address)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(address));

	return page && !PageHWPoison(page);
}

/* Whether the page was kept from the kernel's allocators at boot, or belongs to a device. */
bool rust_kexec_page_is_reserved(u64 address)
{
	return PageReserved(pfn_to_page(PHYS_PFN(address)));
}
