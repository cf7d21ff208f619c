// SPDX-License-Identifier: Apache-2.0
/* A message to the scribe: its records, and the JSON of each. */
#include "base/json.h"
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct event_view v;
	struct event_batch b;
	struct err err = {0};
	struct json_out j;

	if (!event_batch_read(span_of(p, n), &b, &err))
		b.records = span_of(p, n);
	json_init(&j, 1 << 16);
	while (event_read(&b.records, &v, &err)) {
		json_reset(&j);
		event_json(&j, &v);
		if (j.cut || json_text(&j).n < 2)
			__builtin_trap();
	}
	json_fini(&j);
	return 0;
}
