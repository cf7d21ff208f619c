// SPDX-License-Identifier: Apache-2.0
/* Any octets as rules of another product; the first octet chooses which. */
#include "base/must.h"
#include "cli/import_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static bool (*const readers[])(struct import *, struct span, struct err *) = {
		import_gateway, import_terraform, import_squid};
	struct import im;
	struct err ignored = {0};
	if (n == 0 || n > 16384)
		return 0;
	import_init(&im);
	(void)!readers[p[0] % 3](&im, span_of(p + 1, n - 1), &ignored);
	import_settle(&im);
	for (const struct import_done *d = im.done; d; d = d->next)
		must((d->fate == IMPORT_REFUSED) == (d->why.n > 0));
	import_fini(&im);
	return 0;
}
