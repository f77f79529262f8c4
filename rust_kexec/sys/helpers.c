// SPDX-License-Identifier: GPL-2.0
/*
 * What Rust cannot express: macros, inline functions, and static structures whose layout bindgen
 * has not seen. One flat function for each; the logic is in the Rust files of the same names.
 */

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/crash_core.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/proc_fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/smp.h>

#include "bindings.h"

/* hotplug.rs: macros, inline functions, and numbers that are macros in some versions. */

static int memory_notified(struct notifier_block *block, unsigned long action, void *changed)
{
	if (action == MEM_ONLINE || action == MEM_OFFLINE)
		rust_kexec_memory_changed();
	return NOTIFY_OK;
}

static struct notifier_block memory_notifier = { .notifier_call = memory_notified };

int rust_kexec_follow_memory(void)
{
	return register_memory_notifier(&memory_notifier);
}

void rust_kexec_unfollow_memory(void)
{
	unregister_memory_notifier(&memory_notifier);
}

int rust_kexec_follow_cpus(void)
{
	return cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "rust_kexec:prepare",
					 rust_kexec_cpu_comes, NULL);
}

void rust_kexec_unfollow_cpus(int state)
{
	cpuhp_remove_state_nocalls(state);
}

/* proc_file.rs: struct proc_ops is not in the bindings. */

static ssize_t vmcore_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	return rust_kexec_vmcore_read_iter(pde_data(file_inode(iocb->ki_filp)), iocb, iter);
}

static loff_t vmcore_lseek(struct file *file, loff_t offset, int whence)
{
	struct inode *inode = file_inode(file);

	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return default_llseek(file, offset, whence);
	if (offset < 0)
		return -ENXIO;
	offset = rust_kexec_vmcore_seek(pde_data(inode), offset, whence == SEEK_HOLE);
	return offset < 0 ? offset : vfs_setpos(file, offset, i_size_read(inode));
}

static const struct proc_ops vmcore_operations = {
	.proc_read_iter = vmcore_read_iter,
	.proc_lseek = vmcore_lseek,
	.proc_mmap = rust_kexec_mmap,
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
	.proc_get_unmapped_area = rust_kexec_get_unmapped_area,
#endif
};

struct proc_dir_entry *rust_kexec_create_vmcore(const char *name, u64 size, void *contents)
{
	struct proc_dir_entry *entry;

	entry = proc_create_data(name, 0400, NULL, &vmcore_operations, contents);
	if (entry)
		proc_set_size(entry, size);
	return entry;
}

/* iov_iter_count() is inline, and the field's place differs between versions. */
size_t rust_kexec_iter_count(const struct iov_iter *iter)
{
	return iov_iter_count(iter);
}

bool rust_kexec_pause(void)
{
	cond_resched();
	return fatal_signal_pending(current);
}

void rust_kexec_remove_vmcore(struct proc_dir_entry *entry)
{
	proc_remove(entry);
}

/* ftrace.rs: struct ftrace_ops is opaque in the bindings, and the accessors are inline. */

/* All registers where ftrace has them; one flag without the other asks for something else. */
#define SAVE_REGS (FTRACE_OPS_FL_SAVE_REGS | FTRACE_OPS_FL_SAVE_REGS_IF_SUPPORTED)

/* The kernel may leave pointers to what it has freed, and would use them for the next filter. */
static void free_filter(struct ftrace_ops *ops)
{
	ftrace_free_filter(ops);
	ops->func_hash->filter_hash = NULL;
	ops->func_hash->notrace_hash = NULL;
}

/* A probe that is never armed says where a function is, or that there is none. */
unsigned long rust_kexec_address_of(const char *function)
{
	unsigned long address = 0;
#ifdef CONFIG_KPROBES
	struct kprobe probe = { .symbol_name = function, .flags = KPROBE_FLAG_DISABLED };

	if (!register_kprobe(&probe)) {
		address = (unsigned long)probe.addr;
		unregister_kprobe(&probe);
	}
#endif
	return address;
}

struct hooked {
	const char *function;
	unsigned long address;
	struct ftrace_ops ops;
};

static int hook(struct hooked *hooked)
{
	struct ftrace_ops *ops = &hooked->ops;
	int result = -EINVAL;

	/* For a name, ftrace goes through the names of all functions: most of a load's time. */
	if (!hooked->address)
		hooked->address = rust_kexec_address_of(hooked->function);
	if (hooked->address)
		result = ftrace_set_filter_ip(ops, hooked->address, 0, 1);
	/* What matches nothing would leave the filter empty, which traces everything. */
	if (result)
		result = ftrace_set_filter(ops, (unsigned char *)hooked->function,
					   strlen(hooked->function), 1);
	if (!result)
		result = register_ftrace_function(ops);
	if (result)
		free_filter(ops);
	return result;
}

static void unhook(struct hooked *hooked)
{
	unregister_ftrace_function(&hooked->ops);
	free_filter(&hooked->ops);
}

static bool hook_was_called;

static void crash_kexec_entered(unsigned long ip, unsigned long parent_ip,
				struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs partial = {};

	/* The place of a hook is a few bytes behind the start of its function. */
	if (ip - (unsigned long)kexec_crash_loaded < 16)
		WRITE_ONCE(hook_was_called, true);
	else
		rust_kexec_crash_kexec_entered(rust_kexec_frame(fregs, &partial),
					       (struct pt_regs *)ftrace_regs_get_argument(fregs, 0));
}

/*
 * Permanent: the sysctl that switches ftrace off must not switch crash dumps off. It cannot as long
 * as there is such a hook, and there can be none while ftrace is off.
 */
#define PANIC_HOOK(name, entered) \
	{ .function = name, \
	  .ops = { .func = entered, .flags = SAVE_REGS | FTRACE_OPS_FL_PERMANENT } }

static struct hooked crash_kexec_hook = PANIC_HOOK("__crash_kexec", crash_kexec_entered);

/* By a harmless function that is hooked in the same way. */
bool rust_kexec_crash_kexec_hook_works(void)
{
	WRITE_ONCE(hook_was_called, false);
	kexec_crash_loaded();
	return READ_ONCE(hook_was_called);
}

int rust_kexec_hook_crash_kexec(void)
{
	int result = hook(&crash_kexec_hook);

	if (result)
		return result;
	result = ftrace_set_filter_ip(&crash_kexec_hook.ops, (unsigned long)kexec_crash_loaded, 0,
				      0);
	if (result)
		unhook(&crash_kexec_hook);
	return result;
}

void rust_kexec_unhook_crash_kexec(void)
{
	unhook(&crash_kexec_hook);
}

static void crash_smp_send_stop_entered(unsigned long ip, unsigned long parent_ip,
					struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	rust_kexec_crash_smp_send_stop_entered();
}

static void self_stop_entered(unsigned long ip, unsigned long parent_ip,
			      struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs partial = {};

	rust_kexec_self_stop_entered(rust_kexec_frame(fregs, &partial));
}

static void nmi_self_stop_entered(unsigned long ip, unsigned long parent_ip,
				  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	rust_kexec_self_stop_entered((struct pt_regs *)ftrace_regs_get_argument(fregs, 0));
}

#ifdef CONFIG_X86
static void run_crash_ipi_callback_entered(unsigned long ip, unsigned long parent_ip,
					   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	struct pt_regs *interrupted = (struct pt_regs *)ftrace_regs_get_argument(fregs, 0);

	rust_kexec_run_crash_ipi_callback_entered(interrupted);
}
#endif

/* The first one has to be there. What a kernel lacks of the others, no CPU of it waits in. */
static struct hooked panic_hooks[] = {
	PANIC_HOOK("crash_smp_send_stop", crash_smp_send_stop_entered),
	PANIC_HOOK("panic_smp_self_stop", self_stop_entered),
	PANIC_HOOK("nmi_panic_self_stop", nmi_self_stop_entered),
#ifdef CONFIG_X86
	PANIC_HOOK("run_crash_ipi_callback", run_crash_ipi_callback_entered),
#endif
};

void rust_kexec_unhook_panic(void)
{
	struct hooked *hooked;

	for (hooked = panic_hooks; hooked < panic_hooks + ARRAY_SIZE(panic_hooks); hooked++)
		if (hooked->ops.flags & FTRACE_OPS_FL_ENABLED)
			unhook(hooked);
}

int rust_kexec_hook_panic(void)
{
	struct hooked *hooked;

	for (hooked = panic_hooks; hooked < panic_hooks + ARRAY_SIZE(panic_hooks); hooked++) {
		int result = hook(hooked);

		if (result && (result != -EINVAL || hooked == panic_hooks)) {
			rust_kexec_unhook_panic();
			return result;
		}
	}
	return 0;
}

/*
 * What guarded functions are made to return: what they say themselves where somebody else loads an
 * image, or where one is loaded.
 */
static noinline int busy(void)
{
	return -EBUSY;
}

static noinline int loaded(void)
{
	return -ENOENT;
}

static void return_from(struct ftrace_regs *fregs, int (*function)(void))
{
	if (rust_kexec_region_is_claimed())
		ftrace_regs_set_instruction_pointer(fregs, (unsigned long)function);
}

static void shrink_entered(unsigned long ip, unsigned long parent_ip,
			   struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	return_from(fregs, loaded);
}

/*
 * Every system call that loads an image comes here, 32-bit ones too: with kexec's lock, and before
 * anything of the reserved memory is written.
 */
static void check_entered(unsigned long ip, unsigned long parent_ip,
			  struct ftrace_ops *ops, struct ftrace_regs *fregs)
{
	const struct kimage *image = (struct kimage *)ftrace_regs_get_argument(fregs, 0);

	if (image->type == KEXEC_TYPE_CRASH)
		return_from(fregs, busy);
}

/* Permanent: what is claimed stays so, whoever switches ftrace off. */
#define GUARD_FLAGS \
	(SAVE_REGS | FTRACE_OPS_FL_IPMODIFY | FTRACE_OPS_FL_RECURSION | FTRACE_OPS_FL_PERMANENT)

#define GUARD(name, entered) \
	{ { .function = name, .ops = { .func = entered, .flags = GUARD_FLAGS } } }

static struct guard {
	struct hooked hooked;
	bool registered;
} guards[] = {
	GUARD("crash_shrink_memory", shrink_entered),
	GUARD("sanity_check_segment_list", check_entered),
};

void rust_kexec_unguard_region(void)
{
	struct guard *guard;

	for (guard = guards; guard < guards + ARRAY_SIZE(guards); guard++) {
		if (guard->registered)
			unhook(&guard->hooked);
		guard->registered = false;
	}
}

int rust_kexec_guard_region(void)
{
	struct guard *guard;

	for (guard = guards; guard < guards + ARRAY_SIZE(guards); guard++) {
		int result = hook(&guard->hooked);

		if (result) {
			rust_kexec_unguard_region();
			return result;
		}
		guard->registered = true;
	}
	return 0;
}

/* synchronize_rcu_tasks() is a macro where the kernel is not preemptible. */
void rust_kexec_wait_for_guarded_calls(void)
{
	synchronize_rcu_tasks();
}
