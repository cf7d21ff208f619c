// SPDX-License-Identifier: Apache-2.0
/* PEM bundles, and lists of certificates on the wire. */
#include "base/mem.h"
#include "base/must.h"
#include "pki/chain.h"
#include "pki/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = {p, n};
	struct chain c = {0};
	struct err err = {0};
	static uint8_t wire[CHAIN_BYTES + 3 * CHAIN_MAX];
	size_t written = 0;

	if (chain_read(&c, in, &err)) {
		must(chain_wire_size(&c) == n);
		must(chain_write(&c, wire, sizeof wire, &written) && written == n);
	}
	chain_fini(&c);
	if (chain_add_text(&c, in, &err))
		must(c.n > 0 && c.n <= CHAIN_MAX && c.bytes <= CHAIN_BYTES);
	chain_fini(&c);
	if (chain_add_issuers(&c, in, &err))
		must(c.n > 0 && c.n <= CHAIN_MAX && c.bytes <= CHAIN_BYTES);
	else
		must(c.n == 0);
	chain_fini(&c);
	EVP_PKEY_free(key_from_pem(in, (struct span){0}, &err));
	return 0;
}
