// SPDX-License-Identifier: GPL-2.0
/* Translation tables: a macro. */

#include <linux/gfp.h>

#include "../../sys/bindings.h"

unsigned long rust_kexec_zeroed_page(void)
{
	return get_zeroed_page(GFP_KERNEL);
}
