// SPDX-License-Identifier: GPL-2.0
/*
 * insmod hold_memory.ko start=ADDRESS len=BYTES: requests physical memory, as a driver does that owns it.
 * In C, because the `kernel` crate of 6.12 cannot request memory.
 */

#include <linux/ioport.h>
#include <linux/module.h>

static ulong start, len;
module_param(start, ulong, 0);
MODULE_PARM_DESC(start, "the first physical address");
module_param(len, ulong, 0);
MODULE_PARM_DESC(len, "how many bytes");

static int __init hold_memory_init(void)
{
	return request_mem_region(start, len, "hold_memory") ? 0 : -EBUSY;
}
module_init(hold_memory_init);

static void __exit hold_memory_exit(void)
{
	release_mem_region(start, len);
}
module_exit(hold_memory_exit);

MODULE_DESCRIPTION("Requests physical memory");
MODULE_LICENSE("GPL");
