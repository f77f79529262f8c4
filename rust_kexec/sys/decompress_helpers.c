// SPDX-License-Identifier: GPL-2.0
/*
 * Decompression: kernels without these options lack the functions. The logic is in decompress.rs.
 */

#include <linux/crc32.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/vmalloc.h>
#include <linux/zlib.h>
#include <linux/zstd.h>

#include "bindings.h"

int rust_kexec_inflate(u8 *out, unsigned int capacity, const u8 *data, unsigned int len)
{
#if IS_ENABLED(CONFIG_ZLIB_INFLATE)
	return zlib_inflate_blob(out, capacity, data, len);
#else
	return -ENOPKG;
#endif
}

bool rust_kexec_crc32_fits(const u8 *data, size_t len, u32 expected)
{
#if IS_ENABLED(CONFIG_CRC32)
	return ~crc32_le(~0, data, len) == expected;
#else
	return true;
#endif
}

long rust_kexec_unzstd(u8 *out, size_t capacity, const u8 *data, size_t len)
{
#if IS_ENABLED(CONFIG_ZSTD_DECOMPRESS)
	size_t workspace_len = zstd_dctx_workspace_bound(), result;
	void *workspace = vmalloc(workspace_len);
	zstd_dctx *context;

	if (!workspace)
		return -ENOMEM;
	context = zstd_init_dctx(workspace, workspace_len);
	result = context ? zstd_decompress_dctx(context, out, capacity, data, len) : 0;
	vfree(workspace);
	if (!context)
		return -EINVAL;
	if (zstd_is_error(result))
		return zstd_get_error_code(result) == ZSTD_error_dstSize_tooSmall ? -ENOSPC : -EINVAL;
	return result;
#else
	return -ENOPKG;
#endif
}
