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
#include <linux/crash_core.h>
#include <linux/crash_dump.h>
#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/efi.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/ima.h>
#include <linux/kexec.h>
#include <linux/kprobes.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/mount.h>
#include <linux/panic_notifier.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/security.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/verification.h>
#include <linux/vmalloc.h>
#include <linux/vmcore_info.h>
#include <linux/zlib.h>
#include <linux/zstd.h>
#ifdef CONFIG_X86_64
#include <asm/hypervisor.h>
#include <asm/set_memory.h>
#include <asm/tsc.h>
#endif
#ifdef CONFIG_ARM64
#include <linux/arm-smccc.h>
#include <linux/of.h>
#include <asm/memory.h>
#include <uapi/linux/arm_sdei.h>
#include <uapi/linux/psci.h>
#endif

#ifdef __BINDGEN__
/* Macros whose values bindgen does not see by itself; the prefix is taken off. */
#define RUST_CONST(type, name, value) static const type RUST_KEXEC_CONST_##name = value
#define RUST_MACRO(type, name) static const type RUST_KEXEC_CONST_##name = (type)name
RUST_MACRO(int, SB_KERNMOUNT);
RUST_MACRO(size_t, VMCOREINFO_NOTE_SIZE);
RUST_MACRO(unsigned long, VERIFY_USE_SECONDARY_KEYRING);
RUST_MACRO(unsigned long, VERIFY_USE_PLATFORM_KEYRING);
RUST_CONST(vm_flags_t, VM_WRITE_OR_EXEC, VM_WRITE | VM_EXEC);
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
#endif

#ifndef __BINDGEN__
/* Rust, called by C. */
ssize_t rust_kexec_vmcore_read_iter(const void *vmcore, struct kiocb *iocb, struct iov_iter *iter);
s64 rust_kexec_vmcore_seek(const void *vmcore, u64 offset, bool hole);
int rust_kexec_vmcore_mmap(const void *vmcore, struct vm_area_struct *vma);
u64 rust_kexec_vmcore_alignment(const void *vmcore, u64 offset, u64 len);
vm_fault_t rust_kexec_vmcore_page_fault(const void *vmcore, struct vm_fault *fault, u64 offset);
vm_fault_t rust_kexec_vmcore_large_page_fault(const void *vmcore, struct vm_fault *fault,
					      u64 offset);
bool rust_kexec_region_is_claimed(void);
void rust_kexec_crash_kexec_entered(struct pt_regs *here, struct pt_regs *oops);
void rust_kexec_crash_smp_send_stop_entered(void);
void rust_kexec_self_stop_entered(struct pt_regs *frame);
void rust_kexec_run_crash_ipi_callback_entered(struct pt_regs *frame);
void rust_kexec_memory_changed(void);
int rust_kexec_cpu_comes(unsigned int cpu);
int rust_kexec_set_policy(const char *value, size_t len);
const char *rust_kexec_policy_name(int *len);

/* C, called by C: the address of a function of the kernel's that can be probed, or 0. */
unsigned long rust_kexec_address_of(const char *function);
int rust_kexec_mmap(struct file *file, struct vm_area_struct *vma);
unsigned long rust_kexec_get_unmapped_area(struct file *file, unsigned long address,
					   unsigned long len, unsigned long page,
					   unsigned long flags);
#endif

/* sys/cpu.c */
unsigned int rust_kexec_current_cpu(void);
int rust_kexec_current_pid(void);
unsigned int rust_kexec_cpu_ids(void);
void rust_kexec_delay_microseconds(unsigned int microseconds);
bool rust_kexec_cpu_is_possible(unsigned int cpu);
bool rust_kexec_cpu_is_present(unsigned int cpu);
bool rust_kexec_cpu_is_online(unsigned int cpu);
bool rust_kexec_cpu_is_active(unsigned int cpu);
const struct attribute *const *rust_kexec_attributes(const struct attribute_group *group);

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

/* sys/hotplug.c */
int rust_kexec_follow_memory(void);
void rust_kexec_unfollow_memory(void);
int rust_kexec_follow_cpus(void);
void rust_kexec_unfollow_cpus(int state);

/* sys/iomem.c */
bool rust_kexec_memory_is_online(u64 address);

/* sys/kexec.c */
void rust_kexec_set_load_permitted(void *function);
void rust_kexec_set_crash_memory_size(void *function);
bool rust_kexec_load_permitted(int kexec_image_type);
ssize_t rust_kexec_crash_memory_size(void);

/* sys/memory.c */
bool rust_kexec_memory_is_encrypted(void);
unsigned long rust_kexec_ram_pages(void);

/* sys/module_reference.c */
struct module *rust_kexec_this_module(void);
bool rust_kexec_try_module_get(struct module *module);
void rust_kexec_module_put(struct module *module);

/* sys/parameters.c */
const char *rust_kexec_exclude(void);

/* sys/physical.c */
u64 rust_kexec_virt_to_phys(const void *address);
void *rust_kexec_phys_to_virt(u64 address);
bool rust_kexec_page_is_in_use(u64 address);
void *rust_kexec_ioremap_cache(u64 address, size_t len);

/* sys/rate_limit.c */
bool rust_kexec_may_log(void);

/* sys/secure_boot.c */
#ifdef CONFIG_EFI
bool rust_kexec_secure_boot(void);
#endif

/* sys/sha256.c */
void rust_kexec_sha256(const u8 *data, unsigned int len, u8 *out);

/* compat/helpers.c */
#ifndef kernel_miscdevice
typedef long rust_kexec_ioctl(struct file *file, unsigned int command, unsigned long argument);
int rust_kexec_register_device(const char *name, rust_kexec_ioctl *ioctl);
void rust_kexec_unregister_device(void);
#endif

/* sys/proc_file.c */
struct proc_dir_entry *rust_kexec_create_vmcore(const char *name, u64 size, void *contents);
size_t rust_kexec_iter_count(const struct iov_iter *iter);
bool rust_kexec_pause(void);
void rust_kexec_remove_vmcore(struct proc_dir_entry *entry);

/* sys/user_mapping.c */
void rust_kexec_vma_keep_read_only_mixed(struct vm_area_struct *vma);
void rust_kexec_vma_keep_read_only_memory(struct vm_area_struct *vma);
bool rust_kexec_vma_has_large_pages(const struct vm_area_struct *vma);
void rust_kexec_set_pte(struct mm_struct *mm, unsigned long address, pte_t *entry,
			unsigned long frame, pgprot_t protection);
unsigned long rust_kexec_zero_frame(void);
vm_fault_t rust_kexec_insert_large_page(struct vm_fault *vmf, u64 address);

/* sys/ftrace.c */
int rust_kexec_hook_crash_kexec(void);
bool rust_kexec_crash_kexec_hook_works(void);
void rust_kexec_unhook_crash_kexec(void);
int rust_kexec_hook_panic(void);
void rust_kexec_unhook_panic(void);
int rust_kexec_guard_region(void);
void rust_kexec_unguard_region(void);
void rust_kexec_wait_for_guarded_calls(void);

/* The architecture's part. */
#ifdef CONFIG_X86_64
/* The registers at the entry of a function that ftrace hooks. */
static inline struct pt_regs *rust_kexec_frame(struct ftrace_regs *fregs, struct pt_regs *partial)
{
	return ftrace_get_regs(fregs);
}

#ifndef __BINDGEN__
/* Rust, called by C. */
bool rust_kexec_stop_nmi(struct pt_regs *regs);
void rust_kexec_before_stop_other_cpus(void);
#endif

/* C, called by Rust. */
int rust_kexec_register_stop_nmi(void);
void rust_kexec_unregister_stop_nmi(void);
void rust_kexec_send_stop_nmi(void);
void rust_kexec_hook_stop_other_cpus(void);
void rust_kexec_unhook_stop_other_cpus(void);
void rust_kexec_leave_vmx(void);
void rust_kexec_set_global_interrupt_flag(void);
bool rust_kexec_has_svm(void);
bool rust_kexec_has_processor_trace(void);
bool rust_kexec_has_legacy_interrupts(void);
bool rust_kexec_hypervisor_is(enum x86_hypervisor_type type);
void rust_kexec_call_on_all_cpus(void (*function)(void *unused));
#ifdef CONFIG_EFI
bool rust_kexec_efi_enabled(int feature);
unsigned long rust_kexec_efi_acpi(void);
unsigned long rust_kexec_efi_acpi20(void);
unsigned long rust_kexec_efi_smbios(void);
const struct efi_memory_map *rust_kexec_efi_memory_map(void);
#endif
void rust_kexec_jump(u64 top_table, u64 purgatory, u64 table);
#endif

#ifdef CONFIG_ARM64
/* ftrace saves the arguments, the frame, the link and the stack pointer only. */
static inline struct pt_regs *rust_kexec_frame(struct ftrace_regs *fregs, struct pt_regs *partial)
{
	return ftrace_partial_regs(fregs, partial);
}

#ifndef __BINDGEN__
/* Rust, called by C. */
void rust_kexec_stop_call(struct pt_regs *interrupted);
#endif

/* C, called by Rust. */
int rust_kexec_probe_crash_kexec(void);
void rust_kexec_unprobe_crash_kexec(void);
void rust_kexec_prepare_signal(void);
void rust_kexec_signal_others(void);
void rust_kexec_send_nmi(unsigned int number, unsigned int cpu);
void rust_kexec_leave_streaming_mode(void);
unsigned int rust_kexec_irq_count(void);
void rust_kexec_of_node_put(struct device_node *node);
u64 rust_kexec_executable_page_attributes(void);
u64 rust_kexec_device_page_attributes(void);
unsigned int rust_kexec_page_shift(void);
int rust_kexec_split_kernel_mapping(unsigned long start, unsigned long end);
u64 *rust_kexec_new_table(void);
u64 rust_kexec_table_address(const u64 *table);
u64 *rust_kexec_map_table_again(u64 address);
void rust_kexec_unmap_table(u64 *table);
unsigned int rust_kexec_online_cpus(void);
int rust_kexec_on_all_cpus(int (*function)(void *argument), void *argument);
#endif

#endif
