// SPDX-License-Identifier: GPL-2.0
/* Attributes of pages: macros, with parts that are found out at boot. */

#include <asm/pgtable.h>

#include "../../sys/bindings.h"

u64 rust_kexec_executable_page_attributes(void)
{
	return pgprot_val(PAGE_KERNEL_EXEC);
}

u64 rust_kexec_device_page_attributes(void)
{
	return pgprot_val(__pgprot(PROT_DEVICE_nGnRE));
}
