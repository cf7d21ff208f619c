// SPDX-License-Identifier: Apache-2.0
/*
 * remote_priv: between the engine, the keys elsewhere, and the provider that shows them
 * to OpenSSL.
 */
#pragma once

#include <openssl/core.h>

#include "pki/ossl.h"
#include "tls/remote.h"

/* What the parameter that carries a remote_key is called. */
#define REMOTE_HANDLE "sekisho-handle"

/* Whether the private half of key is elsewhere. */
MUST_USE bool remote_is(const EVP_PKEY *key);
/* The ask whose fibre is about to pause; only inside SSL's async callback. */
struct remote_ask *remote_asking(void);
MUST_USE bool remote_is_answered(const struct remote_ask *ask);
/* ERR_NONE, or why there is no signature. */
enum err_code remote_outcome(const struct remote_ask *ask);
/* An owner that lets every ask wait: for engines that are being freed. */
extern struct remote_owner remote_nobody;

/* Pauses the running fibre until the ask is settled. Whether it was answered. */
MUST_USE bool remote_wait(struct remote_ask *ask);

/* The provider's way in, see remote_provider.c. */
int remote_provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **provider);
