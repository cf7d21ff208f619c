// SPDX-License-Identifier: Apache-2.0
/*
 * apple_priv: Apple's configuration profiles; between export and client_export.
 *
 * The same certificate gives the same identifiers, so that a new export replaces the
 * older one on the device.
 */
#pragma once

#include "base/err.h"
#include "base/text.h"

enum { APPLE_HASH = 32 };

/* One payload: a root to be trusted. */
void apple_write_root(struct text *t, const char *name, struct span der,
	const uint8_t hash[APPLE_HASH]);

/* Two payloads: the identity (PKCS#12) and the authority it comes from. */
struct apple_identity {
	const char *name;
	struct span pkcs12;
	struct span root;         /* DER */
	uint8_t hash[APPLE_HASH]; /* of the certificate */
};
/* *out holds what pkcs12 holds: the caller wipes and frees. ERR_PKI_CLIENT. */
MUST_USE bool apple_write_identity(
	const struct apple_identity *who, struct span *out, struct err *err);
