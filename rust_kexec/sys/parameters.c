// SPDX-License-Identifier: GPL-2.0
/* The module's parameters: macros. */

#include <linux/module.h>
#include <linux/moduleparam.h>

#include "bindings.h"

/* module! takes `author` in some versions and `authors` in others. */
MODULE_AUTHOR("The rust_kexec developers");

/* module! has parameters in some versions, and none that can be changed. */

char *rust_kexec_exclude;
module_param_named(exclude, rust_kexec_exclude, charp, 0400);
MODULE_PARM_DESC(exclude, "Memory that /proc/vmcore does not touch and that reads as zeros: START-END[,START-END...], physical addresses, END just after the memory");

char *rust_kexec_reserve;
module_param_named(reserve, rust_kexec_reserve, charp, 0400);
MODULE_PARM_DESC(reserve, "Memory that is taken from the running kernel for a capture kernel, such as 192M, where crashkernel= has reserved none");

char *rust_kexec_region;
module_param_named(region, rust_kexec_region, charp, 0400);
MODULE_PARM_DESC(region, "Memory for a capture kernel that the command line or firmware has kept free: SIZE@START[,SIZE@START...], where crashkernel= has reserved none");

module_param_cb(signatures, &rust_kexec_signatures, NULL, 0644);
MODULE_PARM_DESC(signatures,
		 "Which kernels may be loaded: off, check-if-signed (default) or require; can only be tightened once the module is loaded");
