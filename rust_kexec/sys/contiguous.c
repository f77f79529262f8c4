// SPDX-License-Identifier: GPL-2.0
/* Taking memory from the running kernel. */

#include <linux/gfp.h>
#include <linux/hugetlb.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

#include "bindings.h"

/*
 * Macros and inline functions. What has_unmovable_pages() looks at: free pages and those of user space and
 * of files can be moved, as a rule; the kernel's own cannot. Without a lock, so it can be wrong.
 */
static bool may_be_movable(struct page *page)
{
	/* What is in the movable zone has to stay movable, so that its memory can be taken out. */
	if (PageReserved(page) || PageHuge(page) || PageSlab(page) || is_zone_movable_page(page))
		return false;
	return !page_ref_count(page) || PageLRU(page) || page_folio(page)->mapping;
}

/* The zone of a page that may be movable, else NULL. */
const void *rust_kexec_movable_zone(u64 address)
{
	struct page *page = pfn_to_online_page(PHYS_PFN(address));

	return page && may_be_movable(page) ? page_zone(page) : NULL;
}

#ifdef CONFIG_CONTIG_ALLOC
/* A macro, whose third argument has changed. */
int rust_kexec_take_contiguous(u64 start, u64 end)
{
#ifdef ACR_FLAGS_NONE
	const acr_flags_t kind = ACR_FLAGS_NONE;
#else
	const unsigned int kind = MIGRATE_MOVABLE;
#endif
	return alloc_contig_range(PHYS_PFN(start), PHYS_PFN(end), kind, GFP_KERNEL | __GFP_NOWARN);
}
#endif
