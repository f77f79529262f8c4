// SPDX-License-Identifier: GPL-2.0
/* A limit for messages: a macro that defines a static structure. */

#include <linux/ratelimit.h>

#include "bindings.h"

bool rust_kexec_may_log(void)
{
	static DEFINE_RATELIMIT_STATE(refusals, DEFAULT_RATELIMIT_INTERVAL,
				      DEFAULT_RATELIMIT_BURST);

	return __ratelimit(&refusals);
}
