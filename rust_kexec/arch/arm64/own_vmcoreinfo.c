// SPDX-License-Identifier: GPL-2.0
/* The layout of the kernel's addresses: macros, of variables or of sizes. */

#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/memory.h>

#include "../../sys/bindings.h"

u64 rust_kexec_vmalloc_end(void)
{
	return VMALLOC_END;
}

u64 rust_kexec_vmemmap_start(void)
{
	return VMEMMAP_START;
}

u64 rust_kexec_physical_offset(void)
{
	return PHYS_OFFSET;
}

/* Inline. */
bool rust_kexec_authenticates_addresses(void)
{
	return system_supports_address_auth();
}
