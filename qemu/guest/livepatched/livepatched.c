// SPDX-License-Identifier: GPL-2.0
/*
 * insmod livepatched.ko: sysrq's crash is a livepatch's, of another message. A kernel without livepatches
 * does not take the module. In C, because a livepatch is.
 */

#include <linux/livepatch.h>
#include <linux/module.h>
#include <linux/panic.h>

#if IS_ENABLED(CONFIG_LIVEPATCH)
static void livepatched_handle_crash(u8 key)
{
	panic("livepatched: sysrq");
}

static struct klp_func functions[] = {
	{ .old_name = "sysrq_handle_crash", .new_func = livepatched_handle_crash },
	{}
};

/* Without a name, the functions are the kernel's own. */
static struct klp_object objects[] = { { .funcs = functions }, {} };

static struct klp_patch patch = { .mod = THIS_MODULE, .objs = objects };

static int __init livepatched_init(void)
{
	return klp_enable_patch(&patch);
}

MODULE_INFO(livepatch, "Y");
#else
static int __init livepatched_init(void)
{
	return -EOPNOTSUPP;
}
#endif

static void __exit livepatched_exit(void)
{
}

module_init(livepatched_init);
module_exit(livepatched_exit);

MODULE_DESCRIPTION("Has sysrq's crash patched in a running test guest");
MODULE_LICENSE("GPL");
