// SPDX-License-Identifier: GPL-2.0
/* Hooks by kprobes: inline functions. */

#include <linux/kprobes.h>
#include <linux/ptrace.h>

#include "../bindings.h"

unsigned long rust_kexec_probe_address(struct pt_regs *regs)
{
	return instruction_pointer(regs);
}

unsigned long rust_kexec_probe_argument(struct pt_regs *regs)
{
	return regs_get_kernel_argument(regs, 0);
}

void rust_kexec_probe_jump(struct pt_regs *regs, unsigned long address)
{
	instruction_pointer_set(regs, address);
}

/* On x86 a breakpoint is reported behind itself, which unwinders take for another place. */
void rust_kexec_probe_frame(struct pt_regs *regs, struct pt_regs *frame)
{
	*frame = *regs;
#ifdef CONFIG_X86
	instruction_pointer_set(frame, instruction_pointer(regs) - sizeof(kprobe_opcode_t));
#endif
}
