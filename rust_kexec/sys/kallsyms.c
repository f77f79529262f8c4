// SPDX-License-Identifier: GPL-2.0
/* Names of the kernel's: a function that it exports to nobody is called by a static call, as in kexec.c. */

#include <linux/static_call.h>

#include "bindings.h"

static unsigned long no_address(const char *name)
{
	return 0;
}

DEFINE_STATIC_CALL(lookup_name, no_address);

void rust_kexec_set_lookup_name(void *function)
{
	static_call_update(lookup_name, function);
}

unsigned long rust_kexec_lookup_name(const char *name)
{
	return static_call(lookup_name)(name);
}
