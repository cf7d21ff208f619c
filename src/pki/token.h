// SPDX-License-Identifier: Apache-2.0
/*
 * token: private keys in hardware, or in what behaves like it, through PKCS#11.
 *
 * We talk to the module's own functions: no engine and no provider is between, so it
 * works the same with every OpenSSL. The key never comes out; its public half is read
 * so that signatures can be checked and the key be found by its SKI. Operations block;
 * modules are loaded, and used, in the process that is made for that.
 */
#pragma once

#include "pki/key.h"
#include "pki/token_uri.h"

enum { TOKEN_PIN_MAX = 129 };

struct token;     /* one key */
struct token_box; /* the modules that were loaded and the sessions that are open */

/* module is loaded for names that do not say which, and may be NULL; borrowed. */
struct token_box *token_box_new(const char *module);
/* Ends all sessions; its keys are gone before. NULL does nothing. */
void token_box_free(struct token_box *b);

/* The PIN that a name itself says or leads to: pin-value, or the first line of the file
 * or descriptor of pin-source; "" when it has neither. The holder wipes dst. Files must
 * be private. ERR_PKI_TOKEN, ERR_FILE_READ. */
MUST_USE bool token_read_pin(
	const struct token_uri *uri, char dst[TOKEN_PIN_MAX], struct err *err);
/* The same from a file. */
MUST_USE bool token_load_pin(
	const char *path, char dst[TOKEN_PIN_MAX], struct err *err);

/*
 * Finds the private key that uri names, logging in where it needs to; without object
 * and id it is the only one there is. pin: when the name has none itself; may be empty.
 * Names that fit several keys fit none. NULL with ERR_PKI_TOKEN; a wrong PIN is not
 * tried twice.
 */
struct token *token_open(struct token_box *b, const struct token_uri *uri,
	struct span pin, struct err *err);
void token_free(struct token *t); /* NULL does nothing */

/* The public half; borrowed. */
EVP_PKEY *token_public(const struct token *t);

/* As signer_sign() and signer_raw(), with ERR_PKI_TOKEN when the token will not. A
 * session that was lost is opened again, once. */
MUST_USE bool token_sign(struct token *t, const struct key_job *job, uint8_t *dst,
	size_t *n, struct err *err);
MUST_USE bool token_raw(
	struct token *t, struct span input, uint8_t *dst, size_t *n, struct err *err);
