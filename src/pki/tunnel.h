// SPDX-License-Identifier: Apache-2.0
/*
 * tunnel: the small CA that lets an edge and a key server know each other.
 *
 * A directory with ca.crt and ca.key, and per end NAME.crt and NAME.key (0400). The CA
 * signs nothing else and is trusted by nobody else.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum { TUNNEL_CA_DAYS = 3650, TUNNEL_DAYS = 365 };

/* Makes dir (0700), ca.crt and ca.key. Refuses to overwrite. ERR_PKI_AUTHORITY. */
MUST_USE bool tunnel_make(const char *dir, struct err *err);

enum tunnel_end { TUNNEL_SERVER, TUNNEL_CLIENT };

struct tunnel_wish {
	const char *file; /* base name of the two files, and the commonName */
	enum tunnel_end end;
	const char *const *names; /* DNS names and addresses as text */
	size_t n_names;
	unsigned days; /* 0: TUNNEL_DAYS */
};

/* Issues a P-256 certificate; refuses to overwrite. */
MUST_USE bool tunnel_issue(
	const char *dir, const struct tunnel_wish *wish, struct err *err);
