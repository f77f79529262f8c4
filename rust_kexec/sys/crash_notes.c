// SPDX-License-Identifier: GPL-2.0
/* Buffers for the registers of each CPU, in a kernel that has none: per-CPU data. */

#include <linux/build_bug.h>
#include <linux/kexec.h>
#include <linux/mm.h>
#include <linux/percpu.h>

#include "bindings.h"

/* Aligned so that none crosses a page. */
static DEFINE_PER_CPU(note_buf_t, notes) __aligned(CRASH_NOTES_SPACING);
static_assert(sizeof(note_buf_t) <= CRASH_NOTES_SPACING);

/* Readers of the dump look for the registers by this name (drgn 0.3.0). */
note_buf_t __percpu *crash_notes = &notes;

u64 rust_kexec_crash_notes(unsigned int cpu)
{
	void *address = per_cpu_ptr(crash_notes, cpu);

	if (!is_vmalloc_addr(address))
		return virt_to_phys(address);
	return page_to_phys(vmalloc_to_page(address)) + offset_in_page(address);
}
