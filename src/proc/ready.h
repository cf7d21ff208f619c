// SPDX-License-Identifier: Apache-2.0
/*
 * ready: what must be there before any process is started: the user to become, and a
 * directory for what is kept that this user may write.
 *
 * The master makes it so; `sekisho check` looks, and makes nothing.
 */
#pragma once

#include "base/err.h"

struct settings;
struct owner;

/* Whether the master, started by this same user, could begin with s. ERR_PROC_USER,
 * ERR_PROC_DATA. */
MUST_USE bool ready_check(const struct settings *s, struct err *err);
/* Makes the directory when it is not there. ERR_PROC_DATA, or why it could not be made.
 */
MUST_USE bool ready_make(
	const struct settings *s, const struct owner *owner, struct err *err);
