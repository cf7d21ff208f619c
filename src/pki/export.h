// SPDX-License-Identifier: Apache-2.0
/*
 * export: an authority's certificate in the form each kind of client takes.
 *
 * Certificates only; no private key ever leaves by this door.
 */
#pragma once

#include "pki/authority.h"
#include "pki/cert.h"

enum export_form {
	EXPORT_PEM,
	EXPORT_DER,
	EXPORT_PKCS12,     /* a truststore, as Java wants it */
	EXPORT_APPLE,      /* configuration profile for macOS and iOS */
	EXPORT_WINDOWS,    /* PowerShell for a group policy's start-up script */
	EXPORT_CHROME,     /* enterprise policy JSON */
	EXPORT_FIREFOX,    /* policies.json */
	EXPORT_KUBERNETES, /* a ConfigMap */
	EXPORT_FORMS,
};

/* "pem", "pkcs12", …; the usual file name's ending; the MIME type. */
const char *export_name(enum export_form form);
const char *export_suffix(enum export_form form);
const char *export_type(enum export_form form);
/* The form of that name, or EXPORT_FORMS. */
enum export_form export_find(struct span name);

/* The file's octets, for the caller to mem_free(). password: for PKCS#12 only, where it
 * protects nothing secret; NULL means "changeit", as Java's own. ERR_PKI_AUTHORITY. */
MUST_USE bool export_root(const struct authority *a, enum export_form form,
	const char *password, struct span *out, struct err *err);

/* The same for any certificate. */
MUST_USE bool export_cert(struct cert *c, enum export_form form, const char *password,
	struct span *out, struct err *err);
/* Many certificates as one truststore for Java (PKCS#12). n > 0. */
MUST_USE bool export_truststore(struct cert *const *certs, size_t n,
	const char *password, struct span *out, struct err *err);
