// SPDX-License-Identifier: GPL-2.0
/* The hypervisor: inline in kernels that are not built for guests. */

#include <asm/hypervisor.h>

#include "../../sys/bindings.h"

bool rust_kexec_hypervisor_is(enum x86_hypervisor_type type)
{
	return hypervisor_is_type(type);
}
