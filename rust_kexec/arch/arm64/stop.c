// SPDX-License-Identifier: GPL-2.0
/* Stopping CPUs: functions that are inline or macros. */

#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/threads.h>
#include <asm/cpufeature.h>
#include <asm/fpsimd.h>
#include <asm/irq_regs.h>

#include "../../sys/bindings.h"

/* Macros. */

struct pt_regs *rust_kexec_irq_regs_of(unsigned int cpu)
{
	return per_cpu(__irq_regs, cpu);
}

const struct cpumask *rust_kexec_cpumask_of(unsigned int cpu)
{
	return cpumask_of(cpu);
}

/* Inline. */

/* The idle tasks, with 0, are not in the list. It ends, even if it is broken. */
int rust_kexec_pid_on(unsigned int cpu)
{
	struct task_struct *process, *task;
	unsigned int left = PID_MAX_LIMIT;

	for_each_process_thread(process, task) {
		if (task->on_cpu && task_cpu(task) == cpu)
			return task->pid;
		if (!left--)
			return 0;
	}
	return 0;
}

bool rust_kexec_supports_streaming_mode(void)
{
	return system_supports_sme();
}

void rust_kexec_leave_streaming_mode(void)
{
	sme_smstop();
}
