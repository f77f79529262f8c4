// SPDX-License-Identifier: GPL-2.0
/*
 * Signatures and digests: kernels without these options lack the functions, some of the rest is
 * inline or a macro. One flat function for each; the logic is in the Rust files named below.
 */

#include <crypto/hash.h>
#include <keys/system_keyring.h>
#include <linux/efi.h>
#include <linux/err.h>
#include <linux/ima.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/ratelimit.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/verification.h>

#include "bindings.h"

/* keyring.rs: keyrings are named by pointers that are numbers. */

int rust_kexec_verify_pkcs7(const void *data, size_t len, const void *message, size_t message_len,
			    rust_kexec_view_content *view, void *context)
{
#ifdef CONFIG_SYSTEM_DATA_VERIFICATION
	enum key_being_used_for usage = view ? VERIFYING_KEXEC_PE_SIGNATURE :
					       VERIFYING_UNSPECIFIED_SIGNATURE;
	int result = verify_pkcs7_signature(data, len, message, message_len,
					    VERIFY_USE_SECONDARY_KEYRING, usage, view, context);

	if (result == -ENOKEY)
		result = verify_pkcs7_signature(data, len, message, message_len,
						VERIFY_USE_PLATFORM_KEYRING, usage, view, context);
	return result;
#else
	return -ENOPKG;
#endif
}

bool rust_kexec_is_binary_blacklisted(const u8 *hash, size_t len)
{
	return is_binary_blacklisted(hash, len) != 0;
}

/* ima.rs: without IMA the function is inline. */

void rust_kexec_ima_measure_critical_data(const char *label, const char *name, const void *data,
					  size_t len)
{
	ima_measure_critical_data(label, name, data, len, false, NULL, 0);
}

/* digest.rs */

void *rust_kexec_digest_new(const char *algorithm)
{
#if IS_ENABLED(CONFIG_CRYPTO_HASH)
	struct crypto_shash *shash = crypto_alloc_shash(algorithm, 0, 0);
	struct shash_desc *digest;

	if (IS_ERR(shash))
		return NULL;
	digest = kzalloc(sizeof(*digest) + crypto_shash_descsize(shash), GFP_KERNEL);
	if (digest) {
		digest->tfm = shash;
		if (!crypto_shash_init(digest))
			return digest;
		kfree(digest);
	}
	crypto_free_shash(shash);
#endif
	return NULL;
}

int rust_kexec_digest_update(void *digest, const u8 *data, unsigned int len)
{
#if IS_ENABLED(CONFIG_CRYPTO_HASH)
	return crypto_shash_update(digest, data, len);
#else
	return -ENOPKG;
#endif
}

int rust_kexec_digest_final(void *digest, u8 *out, unsigned int len)
{
#if IS_ENABLED(CONFIG_CRYPTO_HASH)
	struct shash_desc *desc = digest;
	int result;

	if (crypto_shash_digestsize(desc->tfm) != len)
		return -EINVAL;
	result = crypto_shash_final(desc, out);
	return result ? result : crypto_shash_init(desc);
#else
	return -ENOPKG;
#endif
}

void rust_kexec_digest_free(void *digest)
{
#if IS_ENABLED(CONFIG_CRYPTO_HASH)
	struct shash_desc *desc = digest;

	crypto_free_shash(desc->tfm);
	kfree_sensitive(desc);
#endif
}

/* policy.rs: module! takes no parameters in 6.12. */

bool rust_kexec_kexec_sig_force(void)
{
	return IS_ENABLED(CONFIG_KEXEC_SIG_FORCE);
}

bool rust_kexec_kexec_sig_enforced_by_secure_boot(void)
{
	return IS_ENABLED(CONFIG_KEXEC_SIG) && IS_ENABLED(CONFIG_IMA_ARCH_POLICY);
}

bool rust_kexec_efi_secure_boot(void)
{
#ifdef CONFIG_EFI
	return efi_enabled(EFI_BOOT) && efi_rt_services_supported(EFI_RT_SUPPORTED_GET_VARIABLE) &&
	       efi_get_secureboot_mode(efi.get_variable) == efi_secureboot_mode_enabled;
#else
	return false;
#endif
}

bool rust_kexec_kexec_is_locked_down(void)
{
	return security_locked_down(LOCKDOWN_KEXEC) != 0;
}

static int set_signatures(const char *value, const struct kernel_param *parameter)
{
	return rust_kexec_set_policy(value, strlen(value));
}

static int get_signatures(char *buffer, const struct kernel_param *parameter)
{
	int len;
	const char *name = rust_kexec_policy_name(&len);

	return sysfs_emit(buffer, "%.*s\n", len, name);
}

static const struct kernel_param_ops signatures_operations = {
	.set = set_signatures,
	.get = get_signatures,
};

module_param_cb(signatures, &signatures_operations, NULL, 0644);
MODULE_PARM_DESC(signatures,
		 "Which kernels may be loaded: off, check-if-signed (default) or require; can only be tightened once the module is loaded");

/* refusal.rs: a caller who is refused over and over must not drown the log. */

bool rust_kexec_may_log(void)
{
	static DEFINE_RATELIMIT_STATE(refusals, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	return __ratelimit(&refusals);
}
