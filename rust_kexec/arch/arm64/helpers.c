// SPDX-License-Identifier: GPL-2.0
/* What Rust cannot express on arm64: opaque structures, per-CPU data, inline functions. */

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/irqnr.h>
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/of.h>
#include <linux/smp.h>
#include <linux/stop_machine.h>
#include <linux/vmalloc.h>
#include <asm/cpufeature.h>
#include <asm/fpsimd.h>
#include <asm/irq_regs.h>
#include <asm/mmu.h>
#include <asm/pgtable.h>

#include "../../sys/bindings.h"

/* hook.rs: struct kprobe is not in the bindings. */

static int crash_kexec_probed(struct kprobe *probe, struct pt_regs *regs)
{
	rust_kexec_crash_kexec_entered(regs, (struct pt_regs *)regs->regs[0]);
	return 0;
}

static struct kprobe crash_kexec_probe;

int rust_kexec_probe_crash_kexec(void)
{
	/* A probe that was registered once carries what the kernel found out about it. */
	crash_kexec_probe = (struct kprobe) {
		.symbol_name = "__crash_kexec",
		.pre_handler = crash_kexec_probed,
	};
	return register_kprobe(&crash_kexec_probe);
}

void rust_kexec_unprobe_crash_kexec(void)
{
	unregister_kprobe(&crash_kexec_probe);
}

/* stop.rs: per-CPU data is a matter of macros. */

static void stop_called(void *unused)
{
	rust_kexec_stop_call(get_irq_regs());
}

static DEFINE_PER_CPU(call_single_data_t, stop_call);

/* Not by an initializer: module loaders before 6.15 leave pointers in per-CPU data unrelocated. */
void rust_kexec_prepare_signal(void)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		INIT_CSD(&per_cpu(stop_call, cpu), stop_called, NULL);
}

void rust_kexec_signal_others(void)
{
	unsigned int cpu, this = raw_smp_processor_id();

	for_each_online_cpu(cpu)
		if (cpu != this)
			smp_call_function_single_async(cpu, &per_cpu(stop_call, cpu));
}

static irqreturn_t stop_nmi(int number, void *unused)
{
	rust_kexec_stop_call(get_irq_regs());
	return IRQ_HANDLED;
}

/* Takes the interrupt over: its own handler keeps no registers, or does not stop the CPU. */
void rust_kexec_send_nmi(unsigned int number, unsigned int cpu)
{
	struct irq_data *data = irq_get_irq_data(number);

	if (!data)
		return;
	WRITE_ONCE(irq_data_to_desc(data)->action->handler, stop_nmi);
	irq_data_get_irq_chip(data)->ipi_send_mask(data, cpumask_of(cpu));
}

void rust_kexec_leave_streaming_mode(void)
{
	if (system_supports_sme())
		sme_smstop();
}

/* irq.rs: a variable in some versions, a function in others. */
unsigned int rust_kexec_irq_count(void)
{
	unsigned int number, count = 0;

	for_each_irq_nr(number)
		count = number + 1;
	return count;
}

/* firmware.rs: inline in some configurations. */
void rust_kexec_of_node_put(struct device_node *node)
{
	of_node_put(node);
}

/* handover.rs: macros, with parts that are found out at boot. */

u64 rust_kexec_executable_page_attributes(void)
{
	return pgprot_val(PAGE_KERNEL_EXEC);
}

u64 rust_kexec_device_page_attributes(void)
{
	return pgprot_val(__pgprot(PROT_DEVICE_nGnRE));
}

unsigned int rust_kexec_page_shift(void)
{
	return PAGE_SHIFT;
}

/* protect.rs: a function that the kernel does not export, and that only newer ones have. */
int rust_kexec_split_kernel_mapping(unsigned long start, unsigned long end)
{
#ifdef HAS_SPLIT_KERNEL_LEAF_MAPPING
	static typeof(&split_kernel_leaf_mapping) split;

	if (!split)
		split = (void *)rust_kexec_address_of("split_kernel_leaf_mapping");
	return split ? split(start, end) : -EOPNOTSUPP;
#else
	return 0;
#endif
}

/* break_before_make.rs: macros, inline functions, and a prototype that the bindings lack. */

u64 *rust_kexec_new_table(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL);
}

u64 rust_kexec_table_address(const u64 *table)
{
	return virt_to_phys(table);
}

/* The entry at this address, mapped elsewhere than in the direct map. */
u64 *rust_kexec_map_table_again(u64 address)
{
	struct page *page = pfn_to_page(PHYS_PFN(address));
	void *table = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	return table ? table + offset_in_page(address) : NULL;
}

void rust_kexec_unmap_table(u64 *table)
{
	vunmap((void *)PAGE_ALIGN_DOWN((unsigned long)table));
}

unsigned int rust_kexec_online_cpus(void)
{
	return num_online_cpus();
}

int rust_kexec_on_all_cpus(int (*function)(void *argument), void *argument)
{
	return stop_machine(function, argument, cpu_online_mask);
}
