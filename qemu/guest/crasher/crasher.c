// SPDX-License-Identifier: GPL-2.0
/*
 * echo "CONTEXT DEATH [CPU|FUNCTION]" > /sys/module/crasher/parameters/crash: a test guest's kernel
 * dies in a context that neither user space nor LKDTM reaches. In C, because the `kernel` crate cannot
 * run code there.
 *
 * The deaths are crasher_panic(), crasher_bug(), crasher_oops(), crasher_spin() and crasher_linger(),
 * which keep their CPU with interrupts disabled and enabled, and crasher_nothing(), for contexts in
 * which something else dies.
 */

#include <linux/console.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/panic_notifier.h>
#include <linux/reboot.h>
#include <linux/sched/task_stack.h>
#include <linux/shrinker.h>
#include <linux/smp.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#ifdef CONFIG_X86
#include <asm/nmi.h>
#endif

/* The deaths. Each stays a function, so that the dump has its name. */

static int *volatile nowhere;

static noinline void crasher_panic(void)
{
	panic("crasher: panic");
}

static noinline void crasher_bug(void)
{
	BUG();
}

static noinline void crasher_oops(void)
{
	*nowhere = 1;
}

static noinline void crasher_spin(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static noinline void crasher_linger(void)
{
	local_irq_enable();
	for (;;)
		cpu_relax();
}

static noinline void crasher_nothing(void)
{
}

static const struct {
	const char *name;
	void (*die)(void);
} deaths[] = {
	{ "panic", crasher_panic },
	{ "bug", crasher_bug },
	{ "oops", crasher_oops },
	{ "spin", crasher_spin },
	{ "linger", crasher_linger },
	{ "nothing", crasher_nothing },
};

static void (*die)(void);

/* Where it dies; a number, or the name of a function. */
static unsigned int cpu;
static char function[64];

/* The contexts. */

static int die_in_task(void)
{
	die();
	return 0;
}

static int kthread_dies(void *unused)
{
	die();
	return 0;
}

static int run_on_cpu(int (*thread)(void *), const char *name, unsigned int number)
{
	struct task_struct *task = kthread_create(thread, NULL, "%s", name);

	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, number);
	wake_up_process(task);
	return 0;
}

static int die_in_kthread(void)
{
	return run_on_cpu(kthread_dies, "crasher", cpu);
}

static void ipi_dies(void *unused)
{
	die();
}

static int die_in_ipi(void)
{
	return smp_call_function_single(cpu, ipi_dies, NULL, false);
}

/* All CPUs at once: the others in an interrupt, this one in the task. */
static int die_on_all_cpus(void)
{
	preempt_disable();
	smp_call_function(ipi_dies, NULL, false);
	die();
	preempt_enable();
	return 0;
}

static void irq_work_dies(struct irq_work *work)
{
	die();
}

static struct irq_work irq_work = IRQ_WORK_INIT_HARD(irq_work_dies);

static void queue_irq_work(void *unused)
{
	irq_work_queue(&irq_work);
}

static int die_in_irq_work(void)
{
	return smp_call_function_single(cpu, queue_irq_work, NULL, false);
}

/* An interrupt over the idle task: it is sent until it finds that one. */
static void idle_dies(void *found)
{
	if (current->pid)
		return;
	die();
}

static int idle_finder(void *unused)
{
	for (;;) {
		smp_call_function_single(cpu, idle_dies, NULL, true);
		msleep(20);
	}
	return 0;
}

static int die_in_idle(void)
{
	/* Another CPU sends it. */
	return run_on_cpu(idle_finder, "idle_finder", cpumask_any_but(cpu_online_mask, cpu));
}

static void tasklet_dies(struct tasklet_struct *unused)
{
	die();
}

static DECLARE_TASKLET(tasklet, tasklet_dies);

static void schedule_the_tasklet(void *unused)
{
	tasklet_schedule(&tasklet);
}

static int die_in_softirq(void)
{
	return smp_call_function_single(cpu, schedule_the_tasklet, NULL, false);
}

static void timer_dies(struct timer_list *unused)
{
	die();
}

static DEFINE_TIMER(timer, timer_dies);

static int die_in_timer(void)
{
	timer.expires = jiffies + 1;
	add_timer_on(&timer, cpu);
	return 0;
}

static void work_dies(struct work_struct *unused)
{
	die();
}

static DECLARE_WORK(work, work_dies);

static int die_in_kworker(void)
{
	schedule_work_on(cpu, &work);
	return 0;
}

/* Work that goes on for ever, with interrupts enabled, and work that waits for its turn after it. */
static void work_stays(struct work_struct *unused)
{
	preempt_disable();
	for (;;)
		cpu_relax();
}

static DECLARE_WORK(staying_work, work_stays);

static int stall_a_workqueue(void)
{
	schedule_work_on(cpu, &staying_work);
	schedule_work_on(cpu, &work);
	return 0;
}

static unsigned long count_objects(struct shrinker *unused, struct shrink_control *control)
{
	return 1;
}

static unsigned long reclaim_dies(struct shrinker *unused, struct shrink_control *control)
{
	die();
	return SHRINK_STOP;
}

static int die_in_reclaim(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "crasher");

	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = count_objects;
	shrinker->scan_objects = reclaim_dies;
	shrinker_register(shrinker);
	return 0;
}

static int panic_notifier_dies(struct notifier_block *block, unsigned long event, void *message)
{
	die();
	return NOTIFY_DONE;
}

static struct notifier_block panic_notifier = { .notifier_call = panic_notifier_dies };

static int die_in_panic_notifier(void)
{
	return atomic_notifier_chain_register(&panic_notifier_list, &panic_notifier);
}

static int reboot_dies(struct notifier_block *block, unsigned long event, void *command)
{
	die();
	return NOTIFY_DONE;
}

static struct notifier_block reboot_notifier = { .notifier_call = reboot_dies };

static int die_in_reboot(void)
{
	return register_reboot_notifier(&reboot_notifier);
}

static int cpu_comes(unsigned int number)
{
	if (number == cpu)
		die();
	return 0;
}

static int cpu_goes(unsigned int number)
{
	if (number == cpu)
		die();
	return 0;
}

static int die_with_a_cpu_that_comes(void)
{
	return min(0, cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "crasher", cpu_comes, NULL));
}

static int die_with_a_cpu_that_goes(void)
{
	return min(0, cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "crasher", NULL, cpu_goes));
}

static int probe_dies(struct kprobe *probe, struct pt_regs *regs)
{
	die();
	return 0;
}

static struct kprobe probe = { .symbol_name = function, .pre_handler = probe_dies };

static int die_in_function(void)
{
	return register_kprobe(&probe);
}

#ifdef CONFIG_X86
static int nmi_dies(unsigned int kind, struct pt_regs *regs)
{
	die();
	return NMI_HANDLED;
}

static int die_in_nmi(void)
{
	return register_nmi_handler(NMI_LOCAL, nmi_dies, 0, "crasher");
}
#endif

/* What holds or damages something, and lets others find that. */

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static atomic_t holders = ATOMIC_INIT(2);

static void lock_crosswise(struct mutex *one, struct mutex *other)
{
	mutex_lock(one);
	atomic_dec(&holders);
	while (atomic_read(&holders) > 0)
		msleep(1);
	mutex_lock(other);
}

static int lock_first(void *unused)
{
	lock_crosswise(&first, &second);
	return 0;
}

static int lock_second(void *unused)
{
	lock_crosswise(&second, &first);
	return 0;
}

static int lock_two_mutexes_crosswise(void)
{
	return run_on_cpu(lock_first, "first_second", 0) ?:
	       run_on_cpu(lock_second, "second_first", 0);
}

static struct completion console_is_held;

static int hold_console(void *unused)
{
	console_lock();
	complete(&console_is_held);
	set_current_state(TASK_IDLE);
	schedule();
	return 0;
}

static int hold_the_console(void)
{
	int status;

	init_completion(&console_is_held);
	status = run_on_cpu(hold_console, "console_holder", cpu);
	if (!status)
		wait_for_completion(&console_is_held);
	return status;
}

static int flood_console(void *unused)
{
	for (unsigned long line = 0;; line++) {
		pr_emerg("crasher: line %lu\n", line);
		cond_resched();
	}
	return 0;
}

static int flood_the_console(void)
{
	return run_on_cpu(flood_console, "console_flood", cpu);
}

static int smash_stack_end(void *unused)
{
	*end_of_stack(current) = 0;
	schedule();
	return 0;
}

static int smash_the_end_of_a_stack(void)
{
	return run_on_cpu(smash_stack_end, "stack_smasher", cpu);
}

static const struct {
	const char *name;
	int (*enter)(void);
} contexts[] = {
	{ "task", die_in_task },
	{ "kthread", die_in_kthread },
	{ "ipi", die_in_ipi },
	{ "all_cpus", die_on_all_cpus },
	{ "irq_work", die_in_irq_work },
	{ "idle", die_in_idle },
	{ "softirq", die_in_softirq },
	{ "timer", die_in_timer },
	{ "kworker", die_in_kworker },
	{ "reclaim", die_in_reclaim },
	{ "panic_notifier", die_in_panic_notifier },
	{ "reboot", die_in_reboot },
	{ "cpu_comes", die_with_a_cpu_that_comes },
	{ "cpu_goes", die_with_a_cpu_that_goes },
	{ "function", die_in_function },
#ifdef CONFIG_X86
	{ "nmi", die_in_nmi },
#endif
	{ "workqueue_stall", stall_a_workqueue },
	{ "crosswise", lock_two_mutexes_crosswise },
	{ "console_held", hold_the_console },
	{ "console_flood", flood_the_console },
	{ "stack_end", smash_the_end_of_a_stack },
};

static int set_crash(const char *value, const struct kernel_param *parameter)
{
	char context[32], death[32];
	int words = sscanf(value, "%31s %31s %63s", context, death, function);

	if (words < 2)
		return -EINVAL;
	if (words < 3 || kstrtouint(function, 0, &cpu))
		cpu = raw_smp_processor_id();
	for (int i = 0; i < ARRAY_SIZE(deaths); i++) {
		if (sysfs_streq(death, deaths[i].name))
			die = deaths[i].die;
	}
	for (int i = 0; i < ARRAY_SIZE(contexts); i++) {
		if (sysfs_streq(context, contexts[i].name))
			return contexts[i].enter();
	}
	return -EINVAL;
}

static const struct kernel_param_ops crash_ops = { .set = set_crash };
module_param_cb(crash, &crash_ops, NULL, 0200);
MODULE_PARM_DESC(crash, "CONTEXT DEATH [CPU|FUNCTION]");

MODULE_DESCRIPTION("Kills the kernel of a test guest in a context that is asked for");
MODULE_LICENSE("GPL");
