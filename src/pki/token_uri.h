// SPDX-License-Identifier: Apache-2.0
/*
 * token_uri: names of keys in hardware (RFC 7512), read.
 *
 *	pkcs11:token=office;object=shop?module-path=/usr/lib/softhsm/libsofthsm2.so
 *
 * Strict, since it decides which key signs: what the path asks for and nobody here
 * knows is an error, not ignored. A fixed size, no allocation.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

enum {
	TOKEN_URI_TEXT = 512, /* octets of all values together, decoded */
	TOKEN_URI_NAME = 64,  /* of a token's or an object's name */
};

/* Empty means not given. Spans point into bytes[]: not to be moved by copying. */
struct token_uri {
	struct span token;
	struct span serial;
	struct span manufacturer;
	struct span model;
	struct span object; /* label of the key */
	struct span id;     /* CKA_ID, octets */
	uint64_t slot_id;
	bool has_slot_id;
	struct span module_path;
	struct span pin_source; /* path of a file, or "fd:N" */
	struct span pin;        /* pin-value */

	/* Private. */
	size_t n;
	uint8_t bytes[TOKEN_URI_TEXT];
};

/* Whether a text is meant to be one. */
MUST_USE bool token_uri_is(struct span text);
/* ERR_PKI_TOKEN says what is wrong. The holder wipes *out when it holds a PIN. */
MUST_USE bool token_uri_parse(struct span text, struct token_uri *out, struct err *err);
