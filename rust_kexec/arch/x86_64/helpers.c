// SPDX-License-Identifier: GPL-2.0
/* What Rust cannot express on x86_64: static calls, exception tables, opaque structures. */

#include <linux/cpumask.h>
#include <linux/panic.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <asm/apic.h>
#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/i8259.h>
#include <asm/nmi.h>
#include <asm/nospec-branch.h>
#include <asm/smp.h>

#include "../../sys/bindings.h"

/*
 * struct nmiaction is not in the bindings, and registering is a macro around a static one.
 *
 * The handler is called as the kernel's own is. crash(8) does not start a CPU's backtrace at the
 * registers in the notes: it searches the stacks for a return address into a function of that name,
 * and takes the exception frame of the NMI stack that it finds it on (x86_64_init() and
 * x86_64_get_dumpfile_stack_frame() in its x86_64.c).
 */

static int crash_nmi_callback(unsigned int kind, struct pt_regs *regs)
{
	return rust_kexec_stop_nmi(regs) ? NMI_HANDLED : NMI_DONE;
}

int rust_kexec_register_stop_nmi(void)
{
	return register_nmi_handler(NMI_LOCAL, crash_nmi_callback, NMI_FLAG_FIRST, "rust_kexec");
}

void rust_kexec_unregister_stop_nmi(void)
{
	unregister_nmi_handler(NMI_LOCAL, "rust_kexec");
}

/*
 * To those that are online. One that was never started waits in the firmware, where an NMI is a
 * reset. One that is offline would drop it (exc_nmi), also if a panic has taken it offline: that one
 * stops in a hook of ours (wait_to_be_stopped).
 */
void rust_kexec_send_stop_nmi(void)
{
	static struct cpumask others;
	unsigned int cpu, this_cpu = raw_smp_processor_id();

	/* One by one: a fortified kernel's copy of a whole mask can warn, and printing takes locks. */
	for_each_possible_cpu(cpu)
		__assign_bit(cpu, cpumask_bits(&others), cpu != this_cpu && cpu_online(cpu));
	if (!cpumask_empty(&others))
		__apic_send_IPI_mask(&others, NMI_VECTOR);
}

/* struct smp_ops holds a function pointer of a C prototype. A kernel for one CPU stops no others. */

#ifdef CONFIG_SMP
static void (*kernels_stop_other_cpus)(int wait);

static void stop_other_cpus_entered(int wait)
{
	/* panic() does not wait for the others; a shutdown or a reboot does. */
	if (!wait && oops_in_progress)
		rust_kexec_before_stop_other_cpus();
	kernels_stop_other_cpus(wait);
}

void rust_kexec_hook_stop_other_cpus(void)
{
	kernels_stop_other_cpus = smp_ops.stop_other_cpus;
	WRITE_ONCE(smp_ops.stop_other_cpus, stop_other_cpus_entered);
}

void rust_kexec_unhook_stop_other_cpus(void)
{
	WRITE_ONCE(smp_ops.stop_other_cpus, kernels_stop_other_cpus);
}
#else
void rust_kexec_hook_stop_other_cpus(void)
{
}

void rust_kexec_unhook_stop_other_cpus(void)
{
}
#endif

/* protect.rs: on_each_cpu() is inline. */

void rust_kexec_call_on_all_cpus(void (*function)(void *unused))
{
	on_each_cpu(function, NULL, true);
}

/* Exception tables: the instructions fault where KVM has left that state already. */

void rust_kexec_leave_vmx(void)
{
	asm volatile("1: vmxoff\n2:\n" _ASM_EXTABLE(1b, 2b) ::: "cc", "memory");
}

void rust_kexec_set_global_interrupt_flag(void)
{
	asm volatile("1: stgi\n2:\n" _ASM_EXTABLE(1b, 2b) ::: "memory");
}

bool rust_kexec_has_svm(void)
{
	return boot_cpu_has(X86_FEATURE_SVM);
}

bool rust_kexec_has_processor_trace(void)
{
	return boot_cpu_has(X86_FEATURE_INTEL_PT);
}

/* quiesce.rs: an inline function. */

bool rust_kexec_has_legacy_interrupts(void)
{
	return nr_legacy_irqs() > 0;
}

/*
 * The annotation of an indirect jump is a macro that differs between versions. The jump lands on
 * an ENDBR64, for when indirect-branch tracking is on.
 */
void rust_kexec_jump(u64 top_table, u64 purgatory, u64 table)
{
	asm volatile("mov %0, %%cr3\n\t"
		     ANNOTATE_RETPOLINE_SAFE "\n\t"
		     "jmp *%1\n\t"
		     : : "r" (top_table), "r" (purgatory), "D" (table) : "memory");
	unreachable();
}
