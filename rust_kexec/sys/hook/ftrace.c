// SPDX-License-Identifier: GPL-2.0
/* Hooks by ftrace: macros and inline functions. */

#include <linux/ftrace.h>

#include "../bindings.h"

/* Macros, or inline. */

unsigned long rust_kexec_ftrace_argument(struct ftrace_regs *fregs)
{
	return ftrace_regs_get_argument(fregs, 0);
}

void rust_kexec_ftrace_jump(struct ftrace_regs *fregs, unsigned long address)
{
	ftrace_regs_set_instruction_pointer(fregs, address);
}

/* Inline. On arm64 ftrace saves the arguments, the frame, the link and the stack pointer only. */
struct pt_regs *rust_kexec_ftrace_frame(struct ftrace_regs *fregs, struct pt_regs *partial)
{
#ifdef CONFIG_ARM64
	return ftrace_partial_regs(fregs, partial);
#else
	return ftrace_get_regs(fregs);
#endif
}
