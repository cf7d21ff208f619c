// SPDX-License-Identifier: Apache-2.0
/* Names of keys in tokens: what is read lies within the structure and names a token. */
#include "base/must.h"
#include "pki/token_uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
check(const struct token_uri *u, struct span s)
{
	must(s.n == 0 || (s.p >= u->bytes && s.p + s.n <= u->bytes + sizeof(u->bytes)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct token_uri u;
	struct err err = {0};

	if (!token_uri_parse(span_of(p, n), &u, &err)) {
		must(err.code == ERR_PKI_TOKEN);
		return 0;
	}
	must(u.token.n > 0 || u.serial.n > 0 || u.has_slot_id);
	must(u.object.n <= TOKEN_URI_NAME && u.id.n <= TOKEN_URI_NAME);
	check(&u, u.token);
	check(&u, u.serial);
	check(&u, u.object);
	check(&u, u.id);
	check(&u, u.module_path);
	check(&u, u.pin);
	check(&u, u.pin_source);
	return 0;
}
