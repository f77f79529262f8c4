// SPDX-License-Identifier: GPL-2.0
/*
 * The dump mapped into processes: structures whose fields are in unnamed unions, static tables of
 * operations, inline functions and macros. The logic is in user_mapping.rs and page_fault.rs, and in
 * the files of vmcore/ that use these.
 */

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/sizes.h>
#ifdef HAS_PFN_T
#include <linux/pfn_t.h>
#endif

#include "bindings.h"

/* What the Rust side takes for a large page. */
#if defined(CONFIG_TRANSPARENT_HUGEPAGE) && PMD_SIZE == SZ_2M
#define LARGE_PAGES 1
#else
#define LARGE_PAGES 0
#endif

/* The operations. */

static void *dump_of(const struct file *file)
{
	return pde_data(file_inode(file));
}

/*
 * What a mapping has in place of the file below /proc, which owns no module: as long as such a file
 * is there the kernel itself keeps the module, and lets it go when none of its code runs any more.
 */
static const struct file_operations mapped_operations = {
	.owner = THIS_MODULE,
};

static int replace_file(struct vm_area_struct *vma, void *dump)
{
	struct file *mapped;

	/* -ENOENT: the module is being removed. */
	mapped = anon_inode_getfile("[vmcore]", &mapped_operations, dump, O_RDONLY);
	if (IS_ERR(mapped))
		return PTR_ERR(mapped);
	vma_set_file(vma, mapped);
	fput(mapped);
	return 0;
}

/* Without operations a mapping would take faults for anonymous memory's. */
static const struct vm_operations_struct filled_operations = {};

static vm_fault_t page_fault(struct vm_fault *vmf)
{
	return rust_kexec_vmcore_page_fault(vmf->vma->vm_file->private_data, vmf,
					    (u64)vmf->pgoff << PAGE_SHIFT);
}

#if LARGE_PAGES
static vm_fault_t large_page_fault(struct vm_fault *vmf, unsigned int order)
{
	const struct vm_area_struct *vma = vmf->vma;
	unsigned long address = ALIGN_DOWN(vmf->address, PMD_SIZE);

	if (order != PMD_ORDER || address < vma->vm_start || vma->vm_end - address < PMD_SIZE)
		return VM_FAULT_FALLBACK;
	return rust_kexec_vmcore_large_page_fault(vma->vm_file->private_data, vmf,
						  ((u64)vma->vm_pgoff << PAGE_SHIFT) +
						  (address - vma->vm_start));
}
#endif

static const struct vm_operations_struct memory_operations = {
	.fault = page_fault,
#if LARGE_PAGES
	.huge_fault = large_page_fault,
#endif
};

int rust_kexec_mmap(struct file *file, struct vm_area_struct *vma)
{
	void *dump = dump_of(file);
	int result = replace_file(vma, dump);

	return result ? result : rust_kexec_vmcore_mmap(dump, vma);
}

#ifdef CONFIG_TRANSPARENT_HUGEPAGE
/* An address that fits the memory where the file's offset does not. */
unsigned long rust_kexec_get_unmapped_area(struct file *file, unsigned long address,
					   unsigned long len, unsigned long page,
					   unsigned long flags)
{
	u64 fitting = rust_kexec_vmcore_alignment(dump_of(file), (u64)page << PAGE_SHIFT, len);

	return thp_get_unmapped_area(file, address, len, fitting >> PAGE_SHIFT, flags);
}
#endif

/* user_mapping.rs */

/* What remap_pfn_range() sets. */
#define OLD_MEMORY (VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP)

/* Mixed: pages of our own, and memory that has no struct page. */
void rust_kexec_vma_keep_read_only_mixed(struct vm_area_struct *vma)
{
	vm_flags_mod(vma, OLD_MEMORY | VM_MIXEDMAP, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &filled_operations;
}

void rust_kexec_vma_keep_read_only_memory(struct vm_area_struct *vma)
{
	vm_flags_mod(vma, OLD_MEMORY, VM_MAYWRITE | VM_MAYEXEC);
	vma->vm_ops = &memory_operations;
}

bool rust_kexec_vma_has_large_pages(const struct vm_area_struct *vma)
{
	return LARGE_PAGES && vma->vm_ops == &memory_operations;
}

/* Inline. */

void rust_kexec_set_pte(struct mm_struct *mm, unsigned long address, pte_t *entry,
			unsigned long frame, pgprot_t protection)
{
	set_pte_at(mm, address, entry, pte_mkspecial(pfn_pte(frame, protection)));
}

/* A macro. */
unsigned long rust_kexec_zero_frame(void)
{
	return page_to_pfn(ZERO_PAGE(0));
}

/* page_fault.rs: the frame's type differs between versions. */
vm_fault_t rust_kexec_insert_large_page(struct vm_fault *vmf, u64 address)
{
#if !LARGE_PAGES
	return VM_FAULT_FALLBACK;
#elif defined(HAS_PFN_T)
	return vmf_insert_pfn_pmd(vmf, phys_to_pfn_t(address, 0), false);
#else
	return vmf_insert_pfn_pmd(vmf, PHYS_PFN(address), false);
#endif
}
