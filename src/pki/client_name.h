// SPDX-License-Identifier: Apache-2.0
/*
 * client_name: names of clients, between text and structure.
 *
 * To allow one more attribute of a subject: a row in client_name.c.
 */
#pragma once

#include "pki/client_ca.h"

/* A Name from "CN=a,O=b" (RFC 4514: '\' before a special character or two hex digits);
 * NULL with ERR_PKI_CLIENT. At most one value per relative name. */
X509_NAME *client_name_parse(struct span text, struct err *err);
/* The same form of a Name (DER element); false when it holds what cannot be said so. */
MUST_USE bool client_name_text(struct span name, char dst[CLIENT_TEXT]);
/* Adds "email:…", "dns:…", "uri:…" or "ip:…" to names. ERR_PKI_CLIENT. */
MUST_USE bool client_name_add_san(
	GENERAL_NAMES *names, struct span text, struct err *err);
/* The same form of one name of a certificate or a request. */
MUST_USE bool client_san_text(unsigned tag, struct span value, char dst[CLIENT_TEXT]);

/* Where a template's words are filled in: {name} {label} {id}. */
struct client_words {
	struct span name;
	struct span label;
	struct span id; /* {id}: 32 random hex digits, the same in one certificate */
};
/* Fills a subject's template: what comes in is escaped, so that it stays one value. */
MUST_USE bool client_fill_subject(char dst[CLIENT_TEXT], struct span template,
	const struct client_words *words, struct err *err);
MUST_USE bool client_fill_san(char dst[CLIENT_TEXT], struct span template,
	const struct client_words *words, struct err *err);
