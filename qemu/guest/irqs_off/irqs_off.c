// SPDX-License-Identifier: GPL-2.0
/*
 * echo N > /sys/module/irqs_off/parameters/cpu: CPU N spins with interrupts disabled, for good. User
 * space cannot make a CPU do so. Not when the module is loaded: on x86 the end of that waits for all
 * CPUs. In C, because the `kernel` crate cannot run code on another CPU.
 */

#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/smp.h>

static bool spinning;

static void spin(void *unused)
{
	local_irq_disable();
	smp_store_release(&spinning, true);
	for (;;)
		cpu_relax();
}

static int set_cpu(const char *value, const struct kernel_param *parameter)
{
	unsigned int cpu;
	int status = kstrtouint(value, 0, &cpu);

	if (!status)
		status = smp_call_function_single(cpu, spin, NULL, false);
	while (!status && !smp_load_acquire(&spinning))
		cpu_relax();
	return status;
}

static const struct kernel_param_ops cpu_ops = { .set = set_cpu };
module_param_cb(cpu, &cpu_ops, NULL, 0200);
MODULE_PARM_DESC(cpu, "the CPU that spins");

MODULE_DESCRIPTION("Keeps a CPU of a test guest busy with interrupts disabled");
MODULE_LICENSE("GPL");
