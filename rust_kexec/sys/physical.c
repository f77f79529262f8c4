// SPDX-License-Identifier: GPL-2.0
/* Physical memory: inline functions and macros. */

#include <linux/io.h>
#include <linux/mm.h>

#include "bindings.h"

/* Inline. */

u64 rust_kexec_virt_to_phys(const void *address)
{
	return virt_to_phys((void *)address);
}

void *rust_kexec_phys_to_virt(u64 address)
{
	return phys_to_virt(address);
}

/* Inline, and macros. Asks as __ioremap_check_ram() of x86 does. */
bool rust_kexec_page_is_in_use(u64 address)
{
	return pfn_valid(PHYS_PFN(address)) && !PageReserved(pfn_to_page(PHYS_PFN(address)));
}

/* A macro on some architectures. */
void *rust_kexec_ioremap_cache(u64 address, size_t len)
{
	return (__force void *)ioremap_cache(address, len);
}
