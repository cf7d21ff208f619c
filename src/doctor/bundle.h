// SPDX-License-Identifier: Apache-2.0
/*
 * bundle: the files that settings point to: the organisation's certificates alone, and
 * together with the public roots of the system.
 *
 * Most variables replace a program's list instead of adding to it, so a file with one
 * certificate breaks every host that is not inspected. The combined file is made from
 * parsed certificates, one clean PEM block each, and made anew when the system's list
 * or the organisation's CA changes: a stale copy would miss new and withdrawn roots.
 */
#pragma once

#include "doctor/home.h"
#include "doctor/pem.h"

/* What there is to trust. */
struct bundle {
	struct pem_list os;  /* the system's list */
	struct pem_list org; /* the organisation's, roots before others */
	const char *os_path; /* the file it came from, or NULL */
	bool os_has_org;     /* every one of org is in os */
};

/* Reads the system's list. Never fails: without one, os is empty. */
void bundle_open(struct bundle *b, struct home *h);
void bundle_close(struct bundle *b);

/*
 * Takes the CA from a file that the user names: PEM or DER. ERR_DOCTOR_CA with the
 * reason when one is no CA, has expired, has a key too weak to trust, or when a private
 * key lies beside it.
 */
MUST_USE bool bundle_take(
	struct bundle *b, struct home *h, const char *path, struct err *err);
/* What doctor took before; false without a word when there is nothing. */
bool bundle_take_kept(struct bundle *b, struct home *h);
/* Why this certificate must not be trusted, or NULL. now: wall seconds. */
const char *bundle_refuses(const struct cert *c, int64_t now);

/* Paths, whether or not they exist; in the arena. */
const char *bundle_org_path(struct home *h);
const char *bundle_all_path(struct home *h);
const char *bundle_java_path(struct home *h);

/* The contents, for the caller to mem_free(). */
struct span bundle_org_text(const struct bundle *b);
struct span bundle_all_text(const struct bundle *b);
/* PKCS#12 as Java reads it, password "changeit". ERR_PKI_AUTHORITY. */
MUST_USE bool bundle_java(const struct bundle *b, struct span *out, struct err *err);

/* Whether the combined file differs from what would be written now. */
MUST_USE bool bundle_stale(const struct bundle *b, struct home *h);
