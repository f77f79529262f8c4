// SPDX-License-Identifier: GPL-2.0
/* Built for kernels whose bindings lack struct miscdevice. */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "../sys/bindings.h"

static struct file_operations operations = {
	.owner = THIS_MODULE,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.fops = &operations,
};

int rust_kexec_register_device(const char *name, rust_kexec_ioctl *ioctl)
{
	device.name = name;
	operations.unlocked_ioctl = ioctl;
	return misc_register(&device);
}

void rust_kexec_unregister_device(void)
{
	misc_deregister(&device);
}
