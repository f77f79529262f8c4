// SPDX-License-Identifier: GPL-2.0
/*
 * insmod irqs_off.ko cpu=N: CPU N spins with interrupts disabled, for good. User space cannot make
 * a CPU do so. In C, because the `kernel` crate cannot run code on another CPU.
 */

#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/smp.h>

static int cpu;
module_param(cpu, int, 0);
MODULE_PARM_DESC(cpu, "the CPU that spins");

static bool spinning;

static void spin(void *unused)
{
	local_irq_disable();
	smp_store_release(&spinning, true);
	for (;;)
		cpu_relax();
}

static int __init irqs_off_init(void)
{
	int status = smp_call_function_single(cpu, spin, NULL, false);

	while (!status && !smp_load_acquire(&spinning))
		cpu_relax();
	return status;
}
module_init(irqs_off_init);

MODULE_DESCRIPTION("Keeps a CPU of a test guest busy with interrupts disabled");
MODULE_LICENSE("GPL");
