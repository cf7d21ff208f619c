// SPDX-License-Identifier: Apache-2.0
/* What a worker states to the vault: any octets; what is read is written the same. */
#include "base/must.h"
#include "pki/leaf.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t again[LEAF_FACTS];
	struct leaf_facts f = {0};
	struct err err = {0};
	struct arena a;
	size_t written = 0;

	arena_init(&a, 64 * 1024);
	if (leaf_facts_read((struct span){p, n}, &a, &f, &err)) {
		must(f.n_names + f.n_ips > 0);
		must(leaf_facts_write(&f, again, sizeof again, &written));
		must(written == n);
	}
	arena_fini(&a);
	return 0;
}
