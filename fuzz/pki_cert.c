// SPDX-License-Identifier: Apache-2.0
/* A certificate from a stranger: read, shown, held against names, searched from. */
#include "base/must.h"
#include "pki/cert.h"
#include "pki/trust.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
show(const struct cert *c)
{
	static char buf[256 * 1024];
	struct text t = text_to(buf, sizeof buf);
	struct json_out j;

	cert_print(c, &t);
	cert_pem(c, &t);
	json_init(&j, 1024 * 1024);
	cert_json(c, &j, NULL);
	json_fini(&j);
}

/* As its own root, its constraints and policies are run as well. */
static void
verify(struct span der)
{
	struct chain chain = {0};
	struct err err = {0};
	struct verdict v = {0};

	if (!chain_add(&chain, der, &err))
		return;
	struct trust *t = trust_new_chain(&chain, &err);
	if (t) {
		struct trust_ask ask = {.chain = &chain,
			.host = SPAN("a.example"),
			.now = 1700000000,
			.options = trust_options_default()};
		trust_check(t, &ask, &v);
		must(v.n_path <= TRUST_PATH);
		verdict_fini(&v);
		trust_free(t);
	}
	chain_fini(&chain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span der = {p, n};
	struct err err = {0};
	struct cert *c = cert_parse(der, &err);
	struct cert_san san;

	if (!c)
		return 0;
	must(span_eq(c->der, der));
	struct read it = cert_sans(c);
	while (cert_next_san(&it, &san))
		must(san.value.n <= n);
	show(c);
	verify(der);
	cert_put(c);
	cert_cache_limit(64 * 1024);
	return 0;
}
