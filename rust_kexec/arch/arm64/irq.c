// SPDX-License-Identifier: GPL-2.0
/* Interrupts: how many there are is a variable in some versions, a function in others. */

#include <linux/irqnr.h>

#include "../../sys/bindings.h"

unsigned int rust_kexec_irq_count(void)
{
	unsigned int number, count = 0;

	for_each_irq_nr(number)
		count = number + 1;
	return count;
}
