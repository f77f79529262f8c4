// SPDX-License-Identifier: GPL-2.0
/* A directory below /sys/module/rust_kexec: sysfs's structure for a file has unions in some versions. */

#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "bindings.h"

static struct kobj_attribute files[DIRECTORY_FILES_MAX];
static ssize_t (*contents)(size_t number, char *page);

static ssize_t show(struct kobject *directory, struct kobj_attribute *file, char *page)
{
	return contents(file - files, page);
}

struct kobject *rust_kexec_create_directory(const char *name, ssize_t (*show_file)(size_t, char *))
{
	contents = show_file;
	return kobject_create_and_add(name, &THIS_MODULE->mkobj.kobj);
}

int rust_kexec_create_file(struct kobject *directory, size_t number, const char *name, u16 mode)
{
	files[number] = (struct kobj_attribute){
		.attr = { .name = name, .mode = mode },
		.show = show,
	};
	return sysfs_create_file(directory, &files[number].attr);
}
