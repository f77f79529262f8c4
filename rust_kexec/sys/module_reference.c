// SPDX-License-Identifier: GPL-2.0
/* References to modules. */

#include <linux/module.h>

#include "bindings.h"

/* A macro; module! gives it a name of its own in each version. */
struct module *rust_kexec_this_module(void)
{
	return THIS_MODULE;
}

/* Inline in kernels that cannot remove modules. */

bool rust_kexec_try_module_get(struct module *module)
{
	return try_module_get(module);
}

void rust_kexec_module_put(struct module *module)
{
	module_put(module);
}
