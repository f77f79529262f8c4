// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own kexec: functions that it exports to nobody are called by static calls, which are
 * macros.
 *
 * Where an indirect call has to end on a landing pad (IBT), the kernel has removed those of functions
 * whose address it does not take itself; a static call is a direct one there. Elsewhere it is an
 * indirect one, by a pointer of the function's own type.
 */

#include <linux/static_call.h>

#include "bindings.h"

static bool permit_nothing(int kexec_image_type)
{
	return false;
}

static ssize_t no_memory_size(void)
{
	return -EBUSY;
}

static int shrink_nothing(unsigned long new_size)
{
	return -EBUSY;
}

DEFINE_STATIC_CALL(load_permitted, permit_nothing);
DEFINE_STATIC_CALL(crash_memory_size, no_memory_size);
DEFINE_STATIC_CALL(shrink_crash_memory, shrink_nothing);

void rust_kexec_set_load_permitted(void *function)
{
	static_call_update(load_permitted, function);
}

void rust_kexec_set_crash_memory_size(void *function)
{
	static_call_update(crash_memory_size, function);
}

bool rust_kexec_load_permitted(int kexec_image_type)
{
	return static_call(load_permitted)(kexec_image_type);
}

ssize_t rust_kexec_crash_memory_size(void)
{
	return static_call(crash_memory_size)();
}

void rust_kexec_set_shrink_crash_memory(void *function)
{
	static_call_update(shrink_crash_memory, function);
}

int rust_kexec_shrink_crash_memory(unsigned long new_size)
{
	return static_call(shrink_crash_memory)(new_size);
}
