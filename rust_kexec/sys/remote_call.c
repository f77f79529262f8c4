// SPDX-License-Identifier: GPL-2.0
/* Calls by other CPUs: per-CPU data, and a function that is inline. */

#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/irq_regs.h>

#include "bindings.h"

/* Macros. */

static DEFINE_PER_CPU(call_single_data_t, remote_call);

call_single_data_t *rust_kexec_remote_call(unsigned int cpu)
{
	return per_cpu_ptr(&remote_call, cpu);
}

/* Inline. */

struct pt_regs *rust_kexec_irq_regs(void)
{
	return get_irq_regs();
}
