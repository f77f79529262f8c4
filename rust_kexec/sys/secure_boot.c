// SPDX-License-Identifier: GPL-2.0
/* Secure Boot: inline functions, which call the firmware. */

#include <linux/efi.h>

#include "bindings.h"

bool rust_kexec_secure_boot(void)
{
	return efi_enabled(EFI_BOOT) && efi_rt_services_supported(EFI_RT_SUPPORTED_GET_VARIABLE) &&
	       efi_get_secureboot_mode(efi.get_variable) == efi_secureboot_mode_enabled;
}
