// SPDX-License-Identifier: GPL-2.0
/* Translation tables, and CPUs that use them: macros and inline functions. */

#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>

#include "../../sys/bindings.h"

/* Macros. */

unsigned long rust_kexec_zeroed_page(void)
{
	return get_zeroed_page(GFP_KERNEL);
}

void *rust_kexec_map_page(u64 address)
{
	struct page *page = pfn_to_page(PHYS_PFN(address));

	return vmap(&page, 1, VM_MAP, PAGE_KERNEL);
}
