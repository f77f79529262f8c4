/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The C side's functions, of which bindgen makes declarations for Rust with what bindings.parameters
 * names of the headers below. C functions are defined beside the Rust files that call them.
 */
#ifndef RUST_KEXEC_BINDINGS_H
#define RUST_KEXEC_BINDINGS_H

#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/ftrace.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/panic_notifier.h>
#include <linux/proc_fs.h>
#include <linux/ptrace.h>
#include <linux/random.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>
#ifdef CONFIG_X86_64
#include <asm/set_memory.h>
#include <asm/tsc.h>
#endif
#ifdef CONFIG_ARM64
#include <asm/memory.h>
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

/* C, called by Rust. */
bool rust_kexec_acpi_is_enabled(void);
const void *rust_kexec_acpi_get_table(const char *signature, u32 *len);
void rust_kexec_acpi_put_table(const void *table);
unsigned int rust_kexec_current_cpu(void);
int rust_kexec_current_pid(void);
unsigned int rust_kexec_cpu_ids(void);
bool rust_kexec_cpu_is_possible(unsigned int cpu);
bool rust_kexec_cpu_is_present(unsigned int cpu);
bool rust_kexec_cpu_was_running(unsigned int cpu);
ssize_t rust_kexec_show_cpu_attribute(unsigned int cpu, const char *name, char *page);
void rust_kexec_delay_microseconds(unsigned int microseconds);
int rust_kexec_mount(const char *file_system, struct vfsmount **mount);
void rust_kexec_unmount(struct vfsmount *mount);
ssize_t rust_kexec_read_file(struct vfsmount *mount, const char *path, void *buffer, size_t len);
int rust_kexec_follow_memory(void);
void rust_kexec_unfollow_memory(void);
int rust_kexec_follow_cpus(void);
void rust_kexec_unfollow_cpus(int state);
bool rust_kexec_memory_is_online(u64 address);
u64 rust_kexec_memory_section_len(void);
bool rust_kexec_memory_is_encrypted(void);
u64 rust_kexec_total_memory(void);
bool rust_kexec_try_get_module(void);
void rust_kexec_put_module(void);
const char *rust_kexec_exclude(void);
u64 rust_kexec_virt_to_phys(const void *address);
void *rust_kexec_phys_to_virt(u64 address);
bool rust_kexec_has_system_ram(u64 address, size_t len);
bool rust_kexec_page_is_in_use(u64 address);
void *rust_kexec_ioremap_cache(u64 address, size_t len);
typedef int rust_kexec_view_content(void *context, const void *content, size_t len,
				    size_t header_len);
int rust_kexec_verify_pkcs7(const void *data, size_t len, const void *message, size_t message_len,
			    rust_kexec_view_content *view, void *context);
void rust_kexec_ima_measure_critical_data(const char *label, const char *name, const void *data,
					  size_t len);
bool rust_kexec_is_binary_blacklisted(const u8 *hash, size_t len);
void *rust_kexec_digest_new(const char *algorithm);
int rust_kexec_digest_update(void *digest, const u8 *data, unsigned int len);
int rust_kexec_digest_final(void *digest, u8 *out, unsigned int len);
void rust_kexec_digest_free(void *digest);
int rust_kexec_inflate(u8 *out, unsigned int capacity, const u8 *data, unsigned int len);
long rust_kexec_unzstd(u8 *out, size_t capacity, const u8 *data, size_t len);
bool rust_kexec_crc32_fits(const u8 *data, size_t len, u32 expected);
bool rust_kexec_kexec_sig_force(void);
bool rust_kexec_kexec_sig_enforced_by_secure_boot(void);
bool rust_kexec_efi_secure_boot(void);
bool rust_kexec_kexec_is_locked_down(void);
bool rust_kexec_may_log(void);
void rust_kexec_sha256(const u8 *data, unsigned int len, u8 *out);
u64 rust_kexec_vmcoreinfo_address(void);
unsigned int rust_kexec_vmcoreinfo_len(void);
bool rust_kexec_kernel_image_loaded(void);
u64 rust_kexec_elfcorehdr_address(void);
#ifndef kernel_miscdevice
typedef long rust_kexec_ioctl(struct file *file, unsigned int command, unsigned long argument);
int rust_kexec_register_device(const char *name, rust_kexec_ioctl *ioctl);
void rust_kexec_unregister_device(void);
#endif
struct proc_dir_entry *rust_kexec_create_vmcore(const char *name, u64 size, void *contents);
size_t rust_kexec_iter_count(const struct iov_iter *iter);
bool rust_kexec_pause(void);
void rust_kexec_remove_vmcore(struct proc_dir_entry *entry);
u64 rust_kexec_vma_start(const struct vm_area_struct *vma);
u64 rust_kexec_vma_len(const struct vm_area_struct *vma);
u64 rust_kexec_vma_first_page(const struct vm_area_struct *vma);
bool rust_kexec_vma_is_writable_or_executable(const struct vm_area_struct *vma);
void rust_kexec_vma_keep_read_only_mixed(struct vm_area_struct *vma);
void rust_kexec_vma_keep_read_only_memory(struct vm_area_struct *vma);
bool rust_kexec_vma_has_large_pages(const struct vm_area_struct *vma);
int rust_kexec_vma_map_memory(struct vm_area_struct *vma, u64 at, u64 address, u64 len);
int rust_kexec_vma_map_zeros(struct vm_area_struct *vma, u64 at, u64 len);
int rust_kexec_vma_map_page(struct vm_area_struct *vma, u64 at, const void *page);
vm_fault_t rust_kexec_fault_insert_page(struct vm_fault *vmf, u64 address);
vm_fault_t rust_kexec_fault_insert_zeros(struct vm_fault *vmf);
vm_fault_t rust_kexec_fault_insert_large_page(struct vm_fault *vmf, u64 address);
int rust_kexec_hook_crash_kexec(void);
bool rust_kexec_crash_kexec_hook_works(void);
void rust_kexec_unhook_crash_kexec(void);
int rust_kexec_hook_panic(void);
void rust_kexec_unhook_panic(void);
int rust_kexec_guard_region(void);
void rust_kexec_unguard_region(void);
void rust_kexec_wait_for_guarded_calls(void);
int rust_kexec_find_kexec(void);
bool rust_kexec_kexec_load_permitted(void);
bool rust_kexec_kexec_is_idle(void);

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
const char *rust_kexec_hypervisor_to_tell(void);
void rust_kexec_call_on_all_cpus(void (*function)(void *unused));
/* KernelsView of arch/x86_64/efi.rs. */
struct rust_kexec_efi {
	u64 acpi_rsdp;
	u64 smbios;
	const void *memory_map;
	u64 memory_map_len;
	u64 descriptor_len;
};
static_assert(sizeof(struct rust_kexec_efi) == 40);
void rust_kexec_read_efi(struct rust_kexec_efi *view);
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
unsigned int rust_kexec_find_nmi(void);
void rust_kexec_send_nmi(unsigned int number, unsigned int cpu);
unsigned int rust_kexec_psci_conduit(void);
void rust_kexec_psci_cpu_off(unsigned int conduit);
unsigned int rust_kexec_sdei_conduit(void);
void rust_kexec_sdei_mask(unsigned int conduit);
void rust_kexec_leave_streaming_mode(void);
void rust_kexec_silence_interrupts(void);
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
