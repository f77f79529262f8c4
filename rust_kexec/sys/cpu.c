// SPDX-License-Identifier: GPL-2.0
/* CPUs: macros and inline functions. */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/sysfs.h>

#include "bindings.h"

/* Macros. */

unsigned int rust_kexec_current_cpu(void)
{
	return raw_smp_processor_id();
}

int rust_kexec_current_pid(void)
{
	return current->pid;
}

u64 rust_kexec_current_start(void)
{
	return current->start_boottime;
}

unsigned int rust_kexec_cpu_ids(void)
{
	return nr_cpu_ids;
}

void rust_kexec_delay_microseconds(unsigned int microseconds)
{
	udelay(microseconds);
}

/* Inline. */

unsigned int rust_kexec_preempt_count(void)
{
	return preempt_count();
}

bool rust_kexec_cpu_is_possible(unsigned int cpu)
{
	return cpu_possible(cpu);
}

bool rust_kexec_cpu_is_present(unsigned int cpu)
{
	return cpu_present(cpu);
}

bool rust_kexec_cpu_is_online(unsigned int cpu)
{
	return cpu_online(cpu);
}

bool rust_kexec_cpu_is_active(unsigned int cpu)
{
	return cpu_active(cpu);
}

unsigned int rust_kexec_online_cpus(void)
{
	return num_online_cpus();
}

/* The field is in a union in some versions, and of another type. */
const struct attribute *const *rust_kexec_attributes(const struct attribute_group *group)
{
	return (const struct attribute *const *)group->attrs;
}
