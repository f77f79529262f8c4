// SPDX-License-Identifier: GPL-2.0
/* The guard of the region: a macro and a bit field. */

#include <linux/kexec.h>
#include <linux/rcupdate.h>

#include "../bindings.h"

/* A macro where the kernel is not preemptible. */
void rust_kexec_synchronize_rcu_tasks(void)
{
	synchronize_rcu_tasks();
}

/* A bit field. */
bool rust_kexec_is_crash_image(const struct kimage *image)
{
#ifdef CONFIG_KEXEC_CORE
	return image->type == KEXEC_TYPE_CRASH;
#else
	return false;
#endif
}
