// SPDX-License-Identifier: GPL-2.0
/* Calls on all CPUs: an inline function. */

#include <linux/smp.h>

#include "../../sys/bindings.h"

void rust_kexec_call_on_all_cpus(void (*function)(void *unused))
{
	on_each_cpu(function, NULL, true);
}
