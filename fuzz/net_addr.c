// SPDX-License-Identifier: Apache-2.0
/* Addresses with ports, as clients write them: what is accepted reads back the same. */
#include "base/must.h"
#include "net/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = span_of(p, n);
	struct span host;
	struct addr a;
	struct addr b;
	char again[ADDR_TEXT];
	uint16_t port = 0;

	if (addr_split(text, 443, &host, &port))
		must(host.n > 0 && host.p >= p && host.p + host.n <= p + n &&
			port != 0);
	if (addr_parse(text, &a)) {
		bool same = addr_parse(span_str(addr_text(again, &a)), &b);
		must(same && addr_eq(&a, &b));
	}
	return 0;
}
