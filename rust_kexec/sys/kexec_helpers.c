// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's own kexec: functions that it exports to nobody, and a prototype that the bindings
 * lack. The logic is in kexec.rs.
 *
 * They are called by static calls. Where an indirect call has to end on a landing pad (IBT), the
 * kernel has removed those of functions whose address it does not take itself; a static call is a
 * direct one there. Elsewhere it is an indirect one, by a pointer of the function's own type.
 */

#include <linux/crash_core.h>
#include <linux/errno.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
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

DEFINE_STATIC_CALL(load_permitted, permit_nothing);
DEFINE_STATIC_CALL(get_memory_size, no_memory_size);

/* Probes that are never armed say where the functions are. */
int rust_kexec_find_kexec(void)
{
#ifdef CONFIG_KPROBES
	struct kprobe permitted = {
		.symbol_name = "kexec_load_permitted",
		.flags = KPROBE_FLAG_DISABLED,
	};
	struct kprobe memory_size = {
		.symbol_name = "crash_get_memory_size",
		.flags = KPROBE_FLAG_DISABLED,
	};
	struct kprobe *probes[] = { &permitted, &memory_size };
	int result = register_kprobes(probes, ARRAY_SIZE(probes));

	if (result)
		return result;
	static_call_update(load_permitted, (void *)permitted.addr);
	static_call_update(get_memory_size, (void *)memory_size.addr);
	unregister_kprobes(probes, ARRAY_SIZE(probes));
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

bool rust_kexec_kexec_load_permitted(void)
{
	return static_call(load_permitted)(KEXEC_TYPE_CRASH);
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
