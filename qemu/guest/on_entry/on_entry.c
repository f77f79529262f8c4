// SPDX-License-Identifier: GPL-2.0
/*
 * insmod on_entry.ko function=SYMBOL: the kernel panics when this function is entered. With
 * flip=ADDRESS, the byte at this physical address changes instead, which is done past the kernel's
 * map of all RAM, as a device would. User space cannot hit such a moment. In C, because the `kernel`
 * crate has no kprobes.
 */

#include <linux/io.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/panic.h>
#include <linux/vmalloc.h>

static char *function;
module_param(function, charp, 0400);
MODULE_PARM_DESC(function, "the function's symbol");

static unsigned long flip;
module_param(flip, ulong, 0400);
MODULE_PARM_DESC(flip, "physical address of a byte to flip; 0 panics");

static void *page_of_byte;

static int entered(struct kprobe *probe, struct pt_regs *regs)
{
	u8 *byte;

	if (!page_of_byte)
		panic("a chosen function is entered");
	byte = page_of_byte + offset_in_page(flip);
	*byte ^= 1;
	return 0;
}

static struct kprobe probe = { .pre_handler = entered };

static int __init on_entry_init(void)
{
	struct page *page = pfn_to_page(PHYS_PFN(flip));
	int error;

	if (flip) {
		page_of_byte = vmap(&page, 1, VM_MAP, PAGE_KERNEL);
		if (!page_of_byte)
			return -ENOMEM;
	}
	probe.symbol_name = function;
	error = register_kprobe(&probe);
	if (error)
		vunmap(page_of_byte);
	return error;
}

static void __exit on_entry_exit(void)
{
	unregister_kprobe(&probe);
	vunmap(page_of_byte);
}

module_init(on_entry_init);
module_exit(on_entry_exit);

MODULE_DESCRIPTION("Panics, or changes a byte, when a function of a test guest is entered");
MODULE_LICENSE("GPL");
