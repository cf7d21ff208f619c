// SPDX-License-Identifier: Apache-2.0
/* Any octets as a list file in each form; the first octet chooses. */
#include "base/must.h"
#include "rule/list_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const enum type types[] = {TYPE_NONE, TYPE_STRING, TYPE_INT, TYPE_IP};
	if (n == 0)
		return 0;
	struct list_body body = {0};
	struct list_reader r = {.body = &body,
		.type = types[p[0] / 8 % 4],
		.format = (enum list_format)(p[0] % 6),
		.column = p[0] % 6 == LIST_CSV ? SPAN("a") : (struct span){0}};
	if (!list_read(&r, span_of(p + 1, n - 1)))
		must(r.why != NULL && r.line > 0);
	list_body_seal(&body);
	list_body_fini(&body);
	return 0;
}
