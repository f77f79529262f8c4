// SPDX-License-Identifier: GPL-2.0
/*
 * The steps of a reboot into another kernel, which the kernel exports to nobody. They are called by static
 * calls, for the reason in kexec.c.
 */

#include <linux/cpu.h>
#include <linux/kmsg_dump.h>
#include <linux/static_call.h>

#include "bindings.h"

static void prepare_nothing(char *command)
{
}

static void do_nothing(void)
{
}

static void keep_nothing(enum kmsg_dump_reason reason, const char *description)
{
}

DEFINE_STATIC_CALL(prepare_restart, prepare_nothing);
DEFINE_STATIC_CALL(move_to_reboot_cpu, do_nothing);
DEFINE_STATIC_CALL(shut_down_core, do_nothing);
DEFINE_STATIC_CALL(shut_down_machine, do_nothing);
DEFINE_STATIC_CALL(keep_log, keep_nothing);

void rust_kexec_set_prepare_restart(void *function)
{
	static_call_update(prepare_restart, function);
}

void rust_kexec_set_move_to_reboot_cpu(void *function)
{
	static_call_update(move_to_reboot_cpu, function);
}

void rust_kexec_set_shut_down_core(void *function)
{
	static_call_update(shut_down_core, function);
}

void rust_kexec_set_shut_down_machine(void *function)
{
	static_call_update(shut_down_machine, function);
}

void rust_kexec_set_keep_log(void *function)
{
	static_call_update(keep_log, function);
}

void rust_kexec_prepare_restart(void)
{
	static_call(prepare_restart)("kexec reboot");
}

void rust_kexec_move_to_reboot_cpu(void)
{
	static_call(move_to_reboot_cpu)();
}

void rust_kexec_shut_down_core(void)
{
	static_call(shut_down_core)();
}

void rust_kexec_shut_down_machine(void)
{
	static_call(shut_down_machine)();
}

void rust_kexec_keep_log(void)
{
	static_call(keep_log)(KMSG_DUMP_SHUTDOWN, NULL);
}

/* Inline without HOTPLUG_CPU. */
void rust_kexec_enable_cpu_hotplug(void)
{
	cpu_hotplug_enable();
}

/* The field is in a union in some versions. */
void *rust_kexec_show_of(const struct kobj_attribute *attribute)
{
	return attribute->show;
}
