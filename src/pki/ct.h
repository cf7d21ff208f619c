// SPDX-License-Identifier: Apache-2.0
/*
 * ct: whether a certificate was shown to public transparency logs (RFC 6962).
 *
 * Signed timestamps from the certificate and from the handshake are checked against the
 * keys of a log list in the JSON form that browsers' vendors publish.
 */
#pragma once

#include "base/err.h"

enum {
	CT_LIST_MAX = 4 * 1024 * 1024, /* octets of a log list */
	CT_LOGS = 512,
	CT_SCTS = 16, /* looked at per certificate */
};

struct ctlogs;

/* Logs whose timestamps were checked: their places in the list. */
struct ct_seen {
	unsigned n;
	uint16_t logs[CT_SCTS];
};

/* ERR_PKI_CT; NULL on failure. */
struct ctlogs *ctlogs_load(const char *path, struct err *err);
struct ctlogs *ctlogs_read(struct span json, struct err *err);
void ctlogs_free(struct ctlogs *l); /* NULL does nothing */
MUST_USE size_t ctlogs_count(const struct ctlogs *l);
