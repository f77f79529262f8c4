/* SPDX-License-Identifier: GPL-2.0 */
/*
 * C for Rust: bindgen makes declarations of all that this header declares, and of what
 * bindings.parameters names of the kernel's headers. The functions are defined beside the Rust files
 * that call them.
 */
#ifndef RUST_KEXEC_BINDINGS_H
#define RUST_KEXEC_BINDINGS_H

#include <crypto/hash.h>
#include <keys/system_keyring.h>
#include <linux/acpi.h>
#include <linux/anon_inodes.h>
#include <linux/cpuhotplug.h>
#include <linux/crash_dump.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/efi.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/huge_mm.h>
#include <linux/ima.h>
#include <linux/kdebug.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/lz4.h>
#include <linux/lzo.h>
#include <linux/memory.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mount.h>
#include <linux/panic_notifier.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/range.h>
#include <linux/reboot.h>
#include <linux/security.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/utsname.h>
#include <linux/verification.h>
#include <linux/vmalloc.h>
#include <linux/vmcore_info.h>
#include <linux/xz.h>
#include <linux/zlib.h>
#include <linux/zstd.h>
#ifdef CONFIG_KEXEC_HANDOVER
#include <linux/kexec_handover.h>
#endif
#ifdef CONFIG_X86_64
#include <asm/hypervisor.h>
#include <asm/nmi.h>
#include <asm/set_memory.h>
#include <asm/tsc.h>
#endif
#ifdef CONFIG_ARM64
#include <linux/arm-smccc.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/stop_machine.h>
#include <asm/memory.h>
#include <uapi/linux/arm_sdei.h>
#include <uapi/linux/psci.h>
#endif

#ifdef __BINDGEN__
/* Macros whose values bindgen does not see by itself; the prefix is taken off. */
#define RUST_CONST(type, name, value) static const type RUST_KEXEC_CONST_##name = value
#define RUST_MACRO(type, name) static const type RUST_KEXEC_CONST_##name = (type)name
RUST_MACRO(int, SB_KERNMOUNT);
RUST_MACRO(unsigned int, NMI_MASK);
RUST_MACRO(unsigned int, NMI_OFFSET);
RUST_MACRO(unsigned int, HARDIRQ_MASK);
RUST_MACRO(unsigned int, HARDIRQ_OFFSET);
RUST_MACRO(unsigned int, SOFTIRQ_OFFSET);
RUST_MACRO(size_t, VMCOREINFO_NOTE_SIZE);
RUST_MACRO(unsigned long, VERIFY_USE_SECONDARY_KEYRING);
RUST_MACRO(unsigned long, VERIFY_USE_PLATFORM_KEYRING);
RUST_CONST(unsigned long, MEMORY_ONLINE, MEM_ONLINE);
RUST_CONST(unsigned long, MEMORY_OFFLINE, MEM_OFFLINE);
RUST_MACRO(unsigned long, PMD_SIZE);
RUST_CONST(unsigned int, PMD_ORDER, PMD_SHIFT - PAGE_SHIFT);
RUST_CONST(vm_flags_t, VM_WRITE_OR_EXEC, VM_WRITE | VM_EXEC);
RUST_CONST(vm_flags_t, VM_MAY_WRITE_OR_EXEC, VM_MAYWRITE | VM_MAYEXEC);
/* What remap_pfn_range() sets. */
RUST_CONST(vm_flags_t, VM_OLD_MEMORY, VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP);
RUST_MACRO(vm_flags_t, VM_MIXEDMAP);
/* Memory goes online and offline by whole sections; without sections it does neither. */
#ifdef CONFIG_SPARSEMEM
RUST_CONST(u64, MEMORY_SECTION_LEN, (u64)PAGES_PER_SECTION << PAGE_SHIFT);
#else
RUST_CONST(u64, MEMORY_SECTION_LEN, 1ULL << 63);
#endif
#ifdef CONFIG_ARM64
RUST_MACRO(u32, PSCI_0_2_FN_CPU_OFF);
RUST_MACRO(u32, SDEI_1_0_FN_SDEI_PE_MASK);
#endif
#ifndef CONFIG_CRASH_DUMP
RUST_CONST(size_t, LEN_CRASH_NOTES, sizeof(note_buf_t));
#endif
#ifndef CONFIG_VMCORE_INFO
/* sys/own_vmcoreinfo.rs */
#define RUST_SIZE(name) RUST_CONST(u64, size_##name, sizeof(struct name))
#define RUST_OFFSET(name, member) RUST_CONST(u64, offset_##name##_##member, offsetof(struct name, member))
RUST_SIZE(page);
RUST_SIZE(pglist_data);
RUST_SIZE(zone);
RUST_SIZE(free_area);
RUST_SIZE(list_head);
RUST_CONST(u64, size_nodemask_t, sizeof(nodemask_t));
RUST_OFFSET(uts_namespace, name);
RUST_OFFSET(page, flags);
RUST_OFFSET(page, _refcount);
RUST_OFFSET(page, mapping);
RUST_OFFSET(page, lru);
RUST_OFFSET(page, _mapcount);
RUST_OFFSET(page, private);
RUST_OFFSET(pglist_data, node_zones);
RUST_OFFSET(pglist_data, nr_zones);
RUST_OFFSET(pglist_data, node_start_pfn);
RUST_OFFSET(pglist_data, node_spanned_pages);
RUST_OFFSET(pglist_data, node_id);
RUST_OFFSET(zone, free_area);
RUST_OFFSET(zone, vm_stat);
RUST_OFFSET(zone, spanned_pages);
RUST_OFFSET(free_area, free_list);
RUST_OFFSET(list_head, next);
RUST_OFFSET(list_head, prev);
RUST_MACRO(u64, NR_PAGE_ORDERS);
RUST_CONST(u64, LEN_FREE_LIST, MIGRATE_TYPES);
RUST_CONST(u64, LEN_NODE_DATA, MAX_NUMNODES);
RUST_CONST(long, INDEX_FREE_PAGES, NR_FREE_PAGES);
RUST_CONST(long, BIT_LRU, PG_lru);
RUST_CONST(long, BIT_PRIVATE, PG_private);
RUST_CONST(long, BIT_SWAPCACHE, PG_swapcache);
RUST_CONST(long, BIT_SWAPBACKED, PG_swapbacked);
#ifdef CONFIG_MEMORY_FAILURE
RUST_CONST(long, BIT_HWPOISON, PG_hwpoison);
#endif
RUST_CONST(long, MASK_HEAD, PG_head_mask);
/* The counts that stand for types of pages are made of the types as here. */
RUST_CONST(long, COUNT_SLAB, PGTY_slab << 24);
RUST_CONST(long, COUNT_BUDDY, PGTY_buddy << 24);
RUST_CONST(long, COUNT_HUGETLB, PGTY_hugetlb << 24);
RUST_CONST(long, COUNT_OFFLINE, PGTY_offline << 24);
#ifdef CONFIG_SPARSEMEM
RUST_SIZE(mem_section);
RUST_OFFSET(mem_section, section_mem_map);
RUST_CONST(long, BITS_SECTION_SIZE, SECTION_SIZE_BITS);
#endif
/* Addresses are signed: bindgen knows no constant above the highest signed number. */
#ifdef CONFIG_X86_64
RUST_CONST(long, LINKED_AT, __START_KERNEL);
RUST_CONST(long, LEN_KERNEL_IMAGE, KERNEL_IMAGE_SIZE);
#endif
#ifdef CONFIG_ARM64
RUST_CONST(long, LINKED_AT, KIMAGE_VADDR);
RUST_CONST(long, BITS_ADDRESS, VA_BITS);
RUST_CONST(long, MODULES_START, MODULES_VADDR);
RUST_MACRO(long, MODULES_END);
RUST_MACRO(long, VMEMMAP_END);
#endif
#endif
#else
/* Rust's, for a macro of C's. */
extern const struct kernel_param_ops rust_kexec_signatures;
#endif

/* sys/contiguous.c */
const void *rust_kexec_movable_zone(u64 address);
#ifdef CONFIG_CONTIG_ALLOC
int rust_kexec_take_contiguous(u64 start, u64 end);
#endif

/* sys/cpu.c */
unsigned int rust_kexec_current_cpu(void);
int rust_kexec_current_pid(void);
u64 rust_kexec_current_start(void);
unsigned int rust_kexec_cpu_ids(void);
unsigned int rust_kexec_preempt_count(void);
void rust_kexec_delay_microseconds(unsigned int microseconds);
bool rust_kexec_cpu_is_possible(unsigned int cpu);
bool rust_kexec_cpu_is_present(unsigned int cpu);
bool rust_kexec_cpu_is_online(unsigned int cpu);
bool rust_kexec_cpu_is_active(unsigned int cpu);
unsigned int rust_kexec_online_cpus(void);
const struct attribute *const *rust_kexec_attributes(const struct attribute_group *group);

#ifndef CONFIG_CRASH_DUMP
/* sys/crash_notes.c */
#define CRASH_NOTES_SPACING 512
u64 rust_kexec_crash_notes(unsigned int cpu);
#endif

/* sys/digest.c */
#if IS_ENABLED(CONFIG_CRYPTO_HASH)
unsigned int rust_kexec_shash_state_len(struct crypto_shash *shash);
unsigned int rust_kexec_shash_digest_len(struct crypto_shash *shash);
int rust_kexec_shash_init(struct shash_desc *state);
int rust_kexec_shash_update(struct shash_desc *state, const u8 *data, unsigned int len);
int rust_kexec_shash_final(struct shash_desc *state, u8 *out);
void rust_kexec_free_shash(struct crypto_shash *shash);
#endif

/* sys/file.c */
const struct cred *rust_kexec_override_creds(struct cred *credentials);
void rust_kexec_revert_creds(const struct cred *credentials);
void rust_kexec_put_cred(struct cred *credentials);

/* sys/iomem.c */
bool rust_kexec_memory_is_online(u64 address);

/* sys/kallsyms.c */
void rust_kexec_set_lookup_name(void *function);
unsigned long rust_kexec_lookup_name(const char *name);

/* sys/kexec.c */
void rust_kexec_set_load_permitted(void *function);
void rust_kexec_set_crash_memory_size(void *function);
bool rust_kexec_load_permitted(int kexec_image_type);
ssize_t rust_kexec_crash_memory_size(void);
void rust_kexec_set_shrink_crash_memory(void *function);
int rust_kexec_shrink_crash_memory(unsigned long new_size);

/* sys/memory.c */
bool rust_kexec_memory_is_encrypted(void);
unsigned long rust_kexec_ram_pages(void);

/* sys/module_reference.c */
bool rust_kexec_try_module_get(struct module *module);
void rust_kexec_module_put(struct module *module);

#ifndef CONFIG_VMCORE_INFO
/* sys/own_vmcoreinfo.c */
const char *rust_kexec_release(void);
u64 rust_kexec_node_online_map(void);
u64 rust_kexec_vmalloc_start(void);
#ifdef CONFIG_SPARSEMEM
u64 rust_kexec_mem_section(void);
u64 rust_kexec_section_roots(void);
long rust_kexec_physical_address_bits(void);
#endif
#ifdef CONFIG_SPARSEMEM_VMEMMAP
u64 rust_kexec_vmemmap(void);
#endif
#endif

/* sys/directory.c */
#define DIRECTORY_FILES_MAX 16
struct kobject *rust_kexec_create_directory(const char *name, ssize_t (*show_file)(size_t, char *));
int rust_kexec_create_file(struct kobject *directory, size_t number, const char *name, u16 mode);

/* sys/parameters.c */
extern char *rust_kexec_exclude;
extern char *rust_kexec_reserve;
extern char *rust_kexec_region;

/* sys/physical.c */
u64 rust_kexec_virt_to_phys(const void *address);
void *rust_kexec_phys_to_virt(u64 address);
bool rust_kexec_page_is_in_use(u64 address);
void *rust_kexec_ioremap_cache(u64 address, size_t len);

/* sys/rate_limit.c */
bool rust_kexec_may_log(void);

/* sys/reboot.c */
void rust_kexec_set_prepare_restart(void *function);
void rust_kexec_set_move_to_reboot_cpu(void *function);
void rust_kexec_set_shut_down_core(void *function);
void rust_kexec_set_shut_down_machine(void *function);
void rust_kexec_set_keep_log(void *function);
void rust_kexec_prepare_restart(void);
void rust_kexec_move_to_reboot_cpu(void);
void rust_kexec_shut_down_core(void);
void rust_kexec_shut_down_machine(void);
void rust_kexec_keep_log(void);
void rust_kexec_enable_cpu_hotplug(void);
void *rust_kexec_show_of(const struct kobj_attribute *attribute);

/* sys/remote_call.c */
call_single_data_t *rust_kexec_remote_call(unsigned int cpu);
struct pt_regs *rust_kexec_irq_regs(void);

/* sys/scattered.c */
u64 rust_kexec_take_page(void);
void rust_kexec_give_page_back(u64 address);
struct page *rust_kexec_page_of(u64 address);
void *rust_kexec_map_pages(struct page **pages, unsigned int count);
bool rust_kexec_page_is_sound(u64 address);
bool rust_kexec_page_is_reserved(u64 address);

/* sys/secure_boot.c */
#ifdef CONFIG_EFI
bool rust_kexec_secure_boot(void);
#endif

/* sys/sha256.c */
void rust_kexec_sha256(const u8 *data, unsigned int len, u8 *out);

/* sys/proc_file.c */
size_t rust_kexec_iter_count(const struct iov_iter *iter);
void rust_kexec_cond_resched(void);
bool rust_kexec_is_being_killed(void);

/* sys/user_mapping.c */
void rust_kexec_vm_flags_mod(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear);
void rust_kexec_set_pte(struct mm_struct *mm, unsigned long address, pte_t *entry,
			unsigned long frame, pgprot_t protection);
unsigned long rust_kexec_zero_frame(void);
#ifdef CONFIG_TRANSPARENT_HUGEPAGE
vm_fault_t rust_kexec_insert_large_page(struct vm_fault *vmf, u64 address);
#endif

#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
/* sys/hook/ftrace.c */
unsigned long rust_kexec_ftrace_argument(struct ftrace_regs *fregs);
void rust_kexec_ftrace_jump(struct ftrace_regs *fregs, unsigned long address);
struct pt_regs *rust_kexec_ftrace_frame(struct ftrace_regs *fregs, struct pt_regs *partial);
#else
/* sys/hook/kprobe.c */
unsigned long rust_kexec_probe_address(struct pt_regs *regs);
unsigned long rust_kexec_probe_argument(struct pt_regs *regs);
void rust_kexec_probe_jump(struct pt_regs *regs, unsigned long address);
void rust_kexec_probe_frame(struct pt_regs *regs, struct pt_regs *frame);
#endif

/* sys/hook/region.c */
void rust_kexec_synchronize_rcu_tasks(void);
bool rust_kexec_is_crash_image(const struct kimage *image);

#ifdef CONFIG_X86_64
/* arch/x86_64/handover.c */
void rust_kexec_jump(u64 top_table, u64 purgatory, u64 table);

/* arch/x86_64/hypervisor.c */
bool rust_kexec_hypervisor_is(enum x86_hypervisor_type type);

/* arch/x86_64/kernels_efi.c */
#ifdef CONFIG_EFI
bool rust_kexec_efi_enabled(int feature);
unsigned long rust_kexec_efi_acpi(void);
unsigned long rust_kexec_efi_acpi20(void);
unsigned long rust_kexec_efi_smbios(void);
const struct efi_memory_map *rust_kexec_efi_memory_map(void);
#endif

/* arch/x86_64/protect.c */
void rust_kexec_call_on_all_cpus(void (*function)(void *unused));

/* arch/x86_64/quiesce.c */
bool rust_kexec_has_legacy_interrupts(void);

/* arch/x86_64/stop.c */
void rust_kexec_send_nmi(const struct cpumask *cpus);
void rust_kexec_leave_vmx(void);
void rust_kexec_set_global_interrupt_flag(void);
bool rust_kexec_has_svm(void);
bool rust_kexec_has_processor_trace(void);
#endif

#ifdef CONFIG_ARM64
/* arch/arm64/break_before_make.c */
unsigned long rust_kexec_zeroed_page(void);

/* arch/arm64/firmware.c */
void rust_kexec_of_node_put(struct device_node *node);

/* arch/arm64/handover.c */
u64 rust_kexec_executable_page_attributes(void);
u64 rust_kexec_device_page_attributes(void);

/* arch/arm64/irq.c */
unsigned int rust_kexec_irq_count(void);

#ifndef CONFIG_VMCORE_INFO
/* arch/arm64/own_vmcoreinfo.c */
u64 rust_kexec_vmalloc_end(void);
u64 rust_kexec_vmemmap_start(void);
u64 rust_kexec_physical_offset(void);
bool rust_kexec_authenticates_addresses(void);
#endif

/* arch/arm64/stop.c */
const struct cpumask *rust_kexec_cpumask_of(unsigned int cpu);
struct pt_regs *rust_kexec_irq_regs_of(unsigned int cpu);
int rust_kexec_pid_on(unsigned int cpu);
bool rust_kexec_supports_streaming_mode(void);
void rust_kexec_leave_streaming_mode(void);
#endif

#endif
