// SPDX-License-Identifier: Apache-2.0
/* token_priv: modules and sessions, for the files of this subject. */
#pragma once

#include <p11-kit-1/p11-kit/pkcs11.h>

#include "base/list.h"
#include "pki/token.h"

struct token_module {
	struct list in;
	CK_FUNCTION_LIST *f;
	char path[256];
};

/* A token that we are logged in to; shared by its keys. */
struct token_slot {
	struct list in;
	struct token_module *module;
	CK_SLOT_ID id;
	CK_SESSION_HANDLE session;
	CK_TOKEN_INFO info;
	char pin[TOKEN_PIN_MAX]; /* wiped; "" when none is needed */
	unsigned session_number; /* rises with each new session */
};

struct token_box {
	struct list modules;
	struct list slots;
	const char *module; /* borrowed; or NULL */
};

/* The slot a name means, with a session. NULL with ERR_PKI_TOKEN. */
struct token_slot *token_slot_open(struct token_box *b, const struct token_uri *uri,
	struct span pin, struct err *err);
/* After a session was lost. */
MUST_USE bool token_slot_again(struct token_slot *s, struct err *err);
/* Sets "C_Sign: CKR_…"; false. */
bool token_fail(struct err *err, const char *call, CK_RV rv);
/* The SubjectPublicKeyInfo's key of a private object; NULL with ERR_PKI_TOKEN. */
EVP_PKEY *token_read_public(
	const struct token_slot *s, CK_OBJECT_HANDLE key, struct err *err);
