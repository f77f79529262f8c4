// SPDX-License-Identifier: GPL-2.0
/* References to modules: inline functions in kernels that cannot remove them. */

#include <linux/module.h>

#include "bindings.h"

bool rust_kexec_try_module_get(struct module *module)
{
	return try_module_get(module);
}

void rust_kexec_module_put(struct module *module)
{
	module_put(module);
}
