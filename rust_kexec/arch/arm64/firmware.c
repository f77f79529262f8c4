// SPDX-License-Identifier: GPL-2.0
/* The device tree: inline in kernels whose tree does not change. */

#include <linux/of.h>

#include "../../sys/bindings.h"

void rust_kexec_of_node_put(struct device_node *node)
{
	of_node_put(node);
}
