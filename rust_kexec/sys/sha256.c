// SPDX-License-Identifier: GPL-2.0
/* SHA-256: the length's type differs between versions. */

#include <crypto/sha2.h>

#include "bindings.h"

void rust_kexec_sha256(const u8 *data, unsigned int len, u8 *out)
{
	sha256(data, len, out);
}
