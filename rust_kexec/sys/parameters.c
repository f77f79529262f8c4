// SPDX-License-Identifier: GPL-2.0
/* The module's parameters: macros, which module! writes for no version that we build for alike. */

#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/sysfs.h>

#include "bindings.h"

/* module! takes `author` in some versions and `authors` in others. */
MODULE_AUTHOR("The rust_kexec developers");

static int set_signatures(const char *value, const struct kernel_param *parameter)
{
	return rust_kexec_set_policy(value, strlen(value));
}

static int get_signatures(char *buffer, const struct kernel_param *parameter)
{
	int len;
	const char *name = rust_kexec_policy_name(&len);

	return sysfs_emit(buffer, "%.*s\n", len, name);
}

static const struct kernel_param_ops signatures_operations = {
	.set = set_signatures,
	.get = get_signatures,
};

module_param_cb(signatures, &signatures_operations, NULL, 0644);
MODULE_PARM_DESC(signatures,
		 "Which kernels may be loaded: off, check-if-signed (default) or require; can only be tightened once the module is loaded");

static char *exclude;
module_param(exclude, charp, 0400);
MODULE_PARM_DESC(exclude, "Memory that /proc/vmcore does not touch and that reads as zeros: START-END[,START-END...], physical addresses, END behind the memory");

const char *rust_kexec_exclude(void)
{
	return exclude;
}
