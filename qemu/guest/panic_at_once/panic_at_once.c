// SPDX-License-Identifier: GPL-2.0
/*
 * echo 1 > /sys/module/panic_at_once/parameters/now: all CPUs call panic() at the same time, with
 * interrupts disabled. User space cannot make them do so. On x86, after echo 1 > .../parameters/nmi,
 * CPUs that get the next NMI wait in it until all have got it. In C, because the `kernel` crate cannot
 * run code on other CPUs.
 */

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/smp.h>
#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

static atomic_t missing;

static void wait_for_the_others(void)
{
	atomic_dec(&missing);
	while (atomic_read(&missing) > 0)
		cpu_relax();
}

static void panic_with_the_others(void *unused)
{
	wait_for_the_others();
	panic("all CPUs at once");
}

static int set_now(const char *value, const struct kernel_param *parameter)
{
	atomic_set(&missing, num_online_cpus());
	on_each_cpu(panic_with_the_others, NULL, false);
	return 0;
}

static const struct kernel_param_ops now_ops = { .set = set_now };
module_param_cb(now, &now_ops, NULL, 0200);
MODULE_PARM_DESC(now, "anything: all CPUs panic");

#ifdef CONFIG_X86
static int nmi_arrived(unsigned int kind, struct pt_regs *regs)
{
	wait_for_the_others();
	return NMI_DONE;
}

static int set_nmi(const char *value, const struct kernel_param *parameter)
{
	atomic_set(&missing, num_online_cpus());
	return register_nmi_handler(NMI_LOCAL, nmi_arrived, 0, "panic_at_once");
}

static const struct kernel_param_ops nmi_ops = { .set = set_nmi };
module_param_cb(nmi, &nmi_ops, NULL, 0200);
MODULE_PARM_DESC(nmi, "anything: CPUs wait in the next NMI until all have got it");
#endif

MODULE_DESCRIPTION("Panics on all CPUs of a test guest at once");
MODULE_LICENSE("GPL");
