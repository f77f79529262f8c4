// SPDX-License-Identifier: GPL-2.0
/* Reading a file: functions that are inline, or macros. */

#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uio.h>

#include "bindings.h"

size_t rust_kexec_iter_count(const struct iov_iter *iter)
{
	return iov_iter_count(iter);
}

void rust_kexec_cond_resched(void)
{
	cond_resched();
}

bool rust_kexec_is_being_killed(void)
{
	return fatal_signal_pending(current);
}
