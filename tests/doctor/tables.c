// SPDX-License-Identifier: Apache-2.0
#include <regex.h>
#include <string.h>

#include "base/span.h"
#include "doctor/tables.h"
#include "tests/test.h"

static bool
compiles(const char *pattern)
{
	regex_t re;
	bool ok = regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) == 0;
	if (ok)
		regfree(&re);
	return ok;
}

static void
every_message_has_a_class_and_a_pattern_that_compiles(void)
{
	size_t n = 0;
	for (const struct error_row *r = error_rows; r->client; r++, n++) {
		CHECK(r->client[0] && r->match[0] && r->class[0] && r->fix[0]);
		if (span_starts(span_str(r->match), SPAN("re:")))
			CHECK(compiles(r->match + 3));
	}
	CHECK(n > 250);
}

static void
every_issuer_pattern_compiles(void)
{
	size_t n = 0;
	for (const struct issuer_row *r = issuer_rows; r->product; r++, n++)
		CHECK(r->product[0] && r->field[0] && compiles(r->regex));
	CHECK(n > 80);
}

static void
every_trust_row_names_its_effect(void)
{
	size_t n = 0;
	for (const struct trust_row *r = trust_rows; r->client; r++, n++)
		CHECK(r->client[0] && r->kind[0] && r->name[0] && r->effect[0]);
	CHECK(n > 180);
}

TESTS(every_message_has_a_class_and_a_pattern_that_compiles,
	every_issuer_pattern_compiles, every_trust_row_names_its_effect)
