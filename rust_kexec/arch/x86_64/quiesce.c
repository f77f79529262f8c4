// SPDX-License-Identifier: GPL-2.0
/* Interrupts: an inline function. */

#include <asm/i8259.h>

#include "../../sys/bindings.h"

bool rust_kexec_has_legacy_interrupts(void)
{
	return nr_legacy_irqs() > 0;
}
