// SPDX-License-Identifier: GPL-2.0
/*
 * echo LIST > /sys/module/irqs_off/parameters/cpu: these CPUs spin with interrupts disabled, for good, and
 * with known values in four of their registers. User space cannot make a CPU do so. Not when the module is
 * loaded: on x86 the end of that waits for all CPUs. In C, because the `kernel` crate cannot run code
 * on another CPU.
 */

#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/smp.h>

static bool spinning[NR_CPUS];

/* Registers that nothing else in spin() needs. */
#ifdef CONFIG_X86
#define FIRST "r12"
#define SECOND "r13"
#define THIRD "r14"
#define FOURTH "r15"
#else
#define FIRST "x19"
#define SECOND "x20"
#define THIRD "x21"
#define FOURTH "x22"
#endif

/* "spin" in ASCII, the number of the CPU, and that of the register. */
static __always_inline unsigned long value(unsigned int cpu, unsigned int number)
{
	return 0x7370696eUL << 32 | cpu << 8 | number;
}

static void spin(void *unused)
{
	unsigned int cpu = smp_processor_id();
	register unsigned long first asm(FIRST) = value(cpu, 1);
	register unsigned long second asm(SECOND) = value(cpu, 2);
	register unsigned long third asm(THIRD) = value(cpu, 3);
	register unsigned long fourth asm(FOURTH) = value(cpu, 4);

	local_irq_disable();
	for (;;) {
		/* The compiler has to have them in these registers here, and has no use for others. */
		asm volatile("" : "+r"(first), "+r"(second), "+r"(third), "+r"(fourth));
		cpu_relax();
		smp_store_release(&spinning[cpu], true);
	}
}

static int set_cpu(const char *value, const struct kernel_param *parameter)
{
	static cpumask_t cpus;
	unsigned int cpu;
	int status = cpulist_parse(value, &cpus);

	for_each_cpu(cpu, &cpus)
		status = status ?: smp_call_function_single(cpu, spin, NULL, false);
	for_each_cpu(cpu, &cpus) {
		while (!status && !smp_load_acquire(&spinning[cpu]))
			cpu_relax();
	}
	return status;
}

static const struct kernel_param_ops cpu_ops = { .set = set_cpu };
module_param_cb(cpu, &cpu_ops, NULL, 0200);
MODULE_PARM_DESC(cpu, "the CPUs that spin");

MODULE_DESCRIPTION("Keeps a CPU of a test guest busy with interrupts disabled");
MODULE_LICENSE("GPL");
