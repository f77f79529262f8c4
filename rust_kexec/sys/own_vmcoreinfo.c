// SPDX-License-Identifier: GPL-2.0
/* What a kernel without VMCOREINFO says of itself: macros. */

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/utsname.h>
#include <linux/vmalloc.h>

#include "bindings.h"

/* Without a namespace of the caller's. */
const char *rust_kexec_release(void)
{
	return init_uts_ns.name.release;
}

u64 rust_kexec_node_online_map(void)
{
	return (u64)&node_online_map;
}

/* Variables on x86. */

u64 rust_kexec_vmalloc_start(void)
{
	return VMALLOC_START;
}

#ifdef CONFIG_SPARSEMEM
/* An array, or a pointer to one. */
u64 rust_kexec_mem_section(void)
{
	return (u64)mem_section;
}

u64 rust_kexec_section_roots(void)
{
	return NR_SECTION_ROOTS;
}

long rust_kexec_physical_address_bits(void)
{
	return MAX_PHYSMEM_BITS;
}
#endif

#ifdef CONFIG_SPARSEMEM_VMEMMAP
u64 rust_kexec_vmemmap(void)
{
	return (u64)vmemmap;
}
#endif
