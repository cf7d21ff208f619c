// SPDX-License-Identifier: Apache-2.0
#include "tls/slim_priv.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/attr.h"
#include "base/span.h"

enum {
	DISPATCH_MAX = 32,
	DECODERS_MAX = 16,
	KEYS_MAX = 64,
};

/* OpenSSL keeps its registries per process, and so this is one. */
static struct {
	bool tried;
	OSSL_LIB_CTX *lib;       /* NULL: not to be had */
	OSSL_PROVIDER *original; /* the default context's default provider */
	OSSL_DISPATCH functions[DISPATCH_MAX];
	OSSL_ALGORITHM decoders[DECODERS_MAX + 1];
	OSSL_ALGORITHM keys[KEYS_MAX + 1];
} slim;

/* Keys that a certificate in TLS can have. To add one: its first name in OpenSSL. */
static const struct span key_types[] = {SPAN_INIT("RSA"), SPAN_INIT("RSA-PSS"),
	SPAN_INIT("EC"), SPAN_INIT("ED25519"), SPAN_INIT("ED448"),
	SPAN_INIT("ML-DSA-44"), SPAN_INIT("ML-DSA-65"), SPAN_INIT("ML-DSA-87")};

/* Kinds of keys that no TLS connection has; each found is one to walk past. Whatever is
 * not named here stays, such as key agreements to come. */
static const struct span useless[] = {SPAN_INIT("DHX"), SPAN_INIT("DSA"),
	SPAN_INIT("SM2"), SPAN_INIT("SCRYPT"), SPAN_INIT("SIPHASH"),
	SPAN_INIT("POLY1305"), SPAN_INIT("CMAC"), SPAN_INIT("LMS")};

static struct span
first_name(const OSSL_ALGORITHM *a)
{
	struct span names = span_str(a->algorithm_names);

	return span_first(names, span_chr(names, ':'));
}

static bool
is_useless(const OSSL_ALGORITHM *a)
{
	struct span name = first_name(a);

	for (size_t i = 0; i < COUNT_OF(useless); i++) {
		if (span_eq(name, useless[i]))
			return true;
	}
	return span_starts(name, SPAN("SLH-DSA"));
}

static bool
is_wanted(const OSSL_ALGORITHM *a)
{
	struct span first = first_name(a);

	if (!strstr(a->property_definition, "input=der") ||
		!strstr(a->property_definition, "structure=SubjectPublicKeyInfo"))
		return false;
	for (size_t i = 0; i < COUNT_OF(key_types); i++) {
		if (span_eq(first, key_types[i]))
			return true;
	}
	return false;
}

static void
choose_decoders(void)
{
	int no_store = 0;
	size_t n = 0;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		slim.original, OSSL_OP_DECODER, &no_store);

	for (; all && all->algorithm_names && n < DECODERS_MAX; all++) {
		if (is_wanted(all))
			slim.decoders[n++] = *all;
	}
}

static void
choose_keys(void)
{
	int no_store = 0;
	size_t n = 0;
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		slim.original, OSSL_OP_KEYMGMT, &no_store);

	for (; all && all->algorithm_names && n < KEYS_MAX; all++) {
		if (!is_useless(all))
			slim.keys[n++] = *all;
	}
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_store)
{
	(void)provider;
	*no_store = 0;
	switch (operation) {
	case OSSL_OP_DECODER:
		return slim.decoders;
	case OSSL_OP_KEYMGMT:
		return slim.keys;
	case OSSL_OP_ENCODER:
	case OSSL_OP_STORE:
		return NULL;
	default: /* everything else as it is */
		return OSSL_PROVIDER_query_operation(
			slim.original, operation, no_store);
	}
}

/* The default provider's functions, but for those that would end it or answer for us.
 */
static bool
take_functions(void)
{
	const OSSL_DISPATCH *f = OSSL_PROVIDER_get0_dispatch(slim.original);
	size_t n = 0;

	for (; f && f->function_id != 0; f++) {
		if (f->function_id == OSSL_FUNC_PROVIDER_TEARDOWN ||
			f->function_id == OSSL_FUNC_PROVIDER_QUERY_OPERATION ||
			f->function_id == OSSL_FUNC_PROVIDER_UNQUERY_OPERATION)
			continue;
		if (n + 2 >= DISPATCH_MAX)
			return false;
		slim.functions[n++] = *f;
	}
	slim.functions[n++] = (OSSL_DISPATCH){
		OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query};
	slim.functions[n] = (OSSL_DISPATCH){0, NULL};
	return true;
}

static int
init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
	void **provider)
{
	(void)core;
	(void)in;
	*out = slim.functions;
	*provider = OSSL_PROVIDER_get0_provider_ctx(slim.original);
	return *provider != NULL;
}

/* OpenSSL 3.5 seeds no generator through functions that are another context's. */
static bool
has_random(OSSL_LIB_CTX *lib)
{
	unsigned char octet;
	return RAND_bytes_ex(lib, &octet, 1, 0) == 1 &&
		RAND_priv_bytes_ex(lib, &octet, 1, 0) == 1;
}

static OSSL_LIB_CTX *
make(void)
{
	slim.original = OSSL_PROVIDER_load(NULL, "default");
	if (!slim.original || !take_functions())
		return NULL;
	choose_decoders();
	choose_keys();
	OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
	OSSL_PROVIDER *ours = NULL;
	/* Not as "default": that name means the whole one, whatever is added. */
	if (lib && OSSL_PROVIDER_add_builtin(lib, "sekisho-slim", init) == 1)
		ours = OSSL_PROVIDER_load(lib, "sekisho-slim");
	if (ours && has_random(lib))
		return lib;
	ERR_clear_error();
	if (ours)
		OSSL_PROVIDER_unload(ours);
	OSSL_LIB_CTX_free(lib);
	return NULL;
}

OSSL_LIB_CTX *
slim_context(void)
{
	if (!slim.tried)
		slim.lib = make();
	slim.tried = true;
	return slim.lib;
}
