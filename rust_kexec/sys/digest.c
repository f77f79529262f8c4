// SPDX-License-Identifier: GPL-2.0
/* Digests: functions that are inline in some versions or all. */

#include <crypto/hash.h>

#include "bindings.h"

unsigned int rust_kexec_shash_state_len(struct crypto_shash *shash)
{
	return crypto_shash_descsize(shash);
}

unsigned int rust_kexec_shash_digest_len(struct crypto_shash *shash)
{
	return crypto_shash_digestsize(shash);
}

int rust_kexec_shash_init(struct shash_desc *state)
{
	return crypto_shash_init(state);
}

int rust_kexec_shash_update(struct shash_desc *state, const u8 *data, unsigned int len)
{
	return crypto_shash_update(state, data, len);
}

int rust_kexec_shash_final(struct shash_desc *state, u8 *out)
{
	return crypto_shash_final(state, out);
}

void rust_kexec_free_shash(struct crypto_shash *shash)
{
	crypto_free_shash(shash);
}
