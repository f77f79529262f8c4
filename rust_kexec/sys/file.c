// SPDX-License-Identifier: GPL-2.0
/* Credentials: inline functions and macros, in some versions or all. */

#include <linux/cred.h>

#include "bindings.h"

const struct cred *rust_kexec_override_creds(struct cred *credentials)
{
	return override_creds(credentials);
}

void rust_kexec_revert_creds(const struct cred *credentials)
{
	revert_creds(credentials);
}

void rust_kexec_put_cred(struct cred *credentials)
{
	put_cred(credentials);
}
