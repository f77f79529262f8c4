// SPDX-License-Identifier: GPL-2.0
/* Memory that is online: a macro in kernels without memory hotplug. */

#include <linux/memory_hotplug.h>
#include <linux/pfn.h>

#include "bindings.h"

bool rust_kexec_memory_is_online(u64 address)
{
	return pfn_to_online_page(PHYS_PFN(address));
}
