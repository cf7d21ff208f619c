// SPDX-License-Identifier: Apache-2.0
/* Output of any program: always a class of the table, and a host that is text. */
#include "base/must.h"
#include "doctor/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct explanation e;

	explain_text(span_of(p, n), SPAN(""), &e);
	must(e.class && e.n_also <= EXPLAIN_ALSO);
	must(!e.nothing || e.hidden);
	must(text_is_utf8(span_str(e.host)));
	return 0;
}
