// SPDX-License-Identifier: Apache-2.0
/*
 * call: asking a running master something over its control socket (control_priv.h).
 */
#pragma once

#include "base/err.h"

/* Sends a word ("status", "reload", "drain") and waits for the answer, one JSON object.
 * *answer is the caller's to mem_free(). ERR_PROC_CONTROL. */
MUST_USE bool call_master(
	const char *path, struct span word, struct span *answer, struct err *err);
