// SPDX-License-Identifier: GPL-2.0
/* The kernel's memory: inline functions, on some architectures or in some configurations. */

#include <linux/cc_platform.h>
#include <linux/mm.h>

#include "bindings.h"

bool rust_kexec_memory_is_encrypted(void)
{
	return cc_platform_has(CC_ATTR_MEM_ENCRYPT);
}

unsigned long rust_kexec_ram_pages(void)
{
	return totalram_pages();
}
