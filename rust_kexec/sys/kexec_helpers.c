// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own kexec: a function that it exports to nobody, and a prototype that the bindings
 * lack. The logic is in kexec.rs.
 *
 * It is called by a static call. Where an indirect call has to end on a landing pad (IBT), the
 * kernel has removed those of functions whose address it does not take itself; a static call is a
 * direct one there. Elsewhere it is an indirect one, by a pointer of the function's own type.
 */

#include <linux/crash_core.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/static_call.h>

#include "helpers.h"

static ssize_t no_memory_size(void)
{
	return -EBUSY;
}

DEFINE_STATIC_CALL(get_memory_size, no_memory_size);

/* A probe that is never armed says where the function is. */
int rust_kexec_find_kexec(void)
{
#ifdef CONFIG_KPROBES
	struct kprobe memory_size = {
		.symbol_name = "crash_get_memory_size",
		.flags = KPROBE_FLAG_DISABLED,
	};
	int result = register_kprobe(&memory_size);

	if (result)
		return result;
	static_call_update(get_memory_size, (void *)memory_size.addr);
	unregister_kprobe(&memory_size);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

/* The size is told by who gets the lock, and then the lock is given back. */
bool rust_kexec_kexec_is_idle(void)
{
	return static_call(get_memory_size)() != -EBUSY;
}

bool rust_kexec_kernel_image_loaded(void)
{
	return kexec_crash_loaded();
}
