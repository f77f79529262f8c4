// SPDX-License-Identifier: GPL-2.0
/* Stopping CPUs: static calls, macros and exception tables. */

#include <asm/apic.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>

#include "../../sys/bindings.h"

/* A static call, which is a macro. */
void rust_kexec_send_nmi(const struct cpumask *cpus)
{
	__apic_send_IPI_mask(cpus, NMI_VECTOR);
}

/* Exception tables are macros: the instructions fault where KVM has left that state already. */

void rust_kexec_leave_vmx(void)
{
	asm volatile("1: vmxoff\n2:\n" _ASM_EXTABLE(1b, 2b) ::: "cc", "memory");
}

void rust_kexec_set_global_interrupt_flag(void)
{
	asm volatile("1: stgi\n2:\n" _ASM_EXTABLE(1b, 2b) ::: "memory");
}

/* Macros, which become constants or alternatives. */

bool rust_kexec_has_svm(void)
{
	return boot_cpu_has(X86_FEATURE_SVM);
}

bool rust_kexec_has_processor_trace(void)
{
	return boot_cpu_has(X86_FEATURE_INTEL_PT);
}
