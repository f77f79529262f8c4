// SPDX-License-Identifier: GPL-2.0
/* UEFI: the kernel's structure has types that bindgen would need all of, and its tests are inline. */

#include <linux/efi.h>

#include "../../sys/bindings.h"

bool rust_kexec_efi_enabled(int feature)
{
	return efi_enabled(feature);
}

unsigned long rust_kexec_efi_acpi(void)
{
	return efi.acpi;
}

unsigned long rust_kexec_efi_acpi20(void)
{
	return efi.acpi20;
}

unsigned long rust_kexec_efi_smbios(void)
{
	return efi.smbios;
}

const struct efi_memory_map *rust_kexec_efi_memory_map(void)
{
	return &efi.memmap;
}
