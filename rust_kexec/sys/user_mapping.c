// SPDX-License-Identifier: GPL-2.0
/* Mappings: inline functions and macros, and a type that differs between versions. */

#include <linux/mm.h>
#ifdef HAS_PFN_T
#include <linux/pfn_t.h>
#endif

#include "bindings.h"

/* Inline. */

void rust_kexec_vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
	vm_flags_mod(vma, set, clear);
}

void rust_kexec_set_pte(struct mm_struct *mm, unsigned long address, pte_t *entry,
			unsigned long frame, pgprot_t protection)
{
	set_pte_at(mm, address, entry, pte_mkspecial(pfn_pte(frame, protection)));
}

/* Macros. */

unsigned long rust_kexec_zero_frame(void)
{
	return page_to_pfn(ZERO_PAGE(0));
}

/* The frame's type differs between versions. */
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
vm_fault_t rust_kexec_insert_large_page(struct vm_fault *vmf, u64 address)
{
#ifdef HAS_PFN_T
	return vmf_insert_pfn_pmd(vmf, phys_to_pfn_t(address, 0), false);
#else
	return vmf_insert_pfn_pmd(vmf, PHYS_PFN(address), false);
#endif
}
#endif
