// SPDX-License-Identifier: GPL-2.0
/*
 * The jump: the annotation of an indirect jump is a macro that differs between versions. The jump
 * lands on an ENDBR64, for when indirect-branch tracking is on.
 */

#include <asm/nospec-branch.h>

#include "../../sys/bindings.h"

void rust_kexec_jump(u64 top_table, u64 purgatory, u64 table)
{
	asm volatile("mov %0, %%cr3\n\t"
		     ANNOTATE_RETPOLINE_SAFE "\n\t"
		     "jmp *%1\n\t"
		     : : "r" (top_table), "r" (purgatory), "D" (table) : "memory");
	unreachable();
}
