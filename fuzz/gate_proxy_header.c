// SPDX-License-Identifier: Apache-2.0
#include "gate/proxy_header.h"

#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct proxy_header h = {0};
	struct err err = {0};
	if (proxy_header_read(span_of(p, n), &h, &err) == PROXY_READY)
		must(h.used <= n && h.used >= 12);
	return 0;
}
