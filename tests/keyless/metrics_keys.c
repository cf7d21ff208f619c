// SPDX-License-Identifier: Apache-2.0
#include "keyless/metrics.h"

#include "tests/test.h"

static struct metrics m;
static char space[METRICS_TEXT];

static void
count(uint8_t op, unsigned key, enum wire_error result, uint64_t took_us)
{
	uint8_t ski[WIRE_SKI] = {(uint8_t)(key >> 8), (uint8_t)key, 0xab};
	struct answer_call call = {.req.op = op, .req.ski = span_of(ski, WIRE_SKI)};
	struct answer_audit a = {.call = &call, .result = result, .took_us = took_us};

	metrics_count(&m, &a);
}

static bool
is_written(const struct metrics *from, struct span line)
{
	struct text t = text_to(space, sizeof(space));

	metrics_write(from, NULL, &t);
	CHECK(!t.cut);
	return span_find(text_span(&t), line) < t.n;
}

#define KEY7 "key=\"0007ab0000000000000000000000000000000000\""

static void
each_key_has_operations_results_and_times(void)
{
	m = (struct metrics){0};
	count(WIRE_ECDSA_SHA256, 7, WIRE_OK, 90);
	count(WIRE_ECDSA_SHA256, 7, WIRE_OK, 150);
	count(WIRE_ECDSA_SHA256, 7, WIRE_CRYPTO, 1000000);
	count(WIRE_ECDSA_SHA384, 7, WIRE_OK, 10);
	CHECK(is_written(&m,
		SPAN("sekisho_keyless_key_answers_total{" KEY7
		     ",op=\"ecdsa-sha256\",result=\"ok\"} 2\n")));
	CHECK(is_written(&m,
		SPAN(KEY7 ",op=\"ecdsa-sha256\",result=\"cryptography-error\"} 1\n")));
	CHECK(is_written(&m, SPAN(KEY7 ",op=\"ecdsa-sha384\",result=\"ok\"} 1\n")));
	CHECK(is_written(&m, SPAN(KEY7 ",op=\"ecdsa-sha256\",le=\"0.0001\"} 1\n")));
	CHECK(is_written(&m, SPAN(KEY7 ",op=\"ecdsa-sha256\",le=\"0.0002\"} 2\n")));
	CHECK(is_written(&m, SPAN(KEY7 ",op=\"ecdsa-sha256\",le=\"+Inf\"} 3\n")));
	CHECK(is_written(&m, SPAN("_sum{" KEY7 ",op=\"ecdsa-sha256\"} 1.000240\n")));
}

/* An edge may name any key; only what was signed with makes a row. */
static void
keys_that_are_not_there_make_no_rows(void)
{
	m = (struct metrics){0};
	for (unsigned i = 0; i < 1000; i++) {
		count(WIRE_ECDSA_SHA256, i, WIRE_NO_KEY, 10);
		count(WIRE_ECDSA_SHA256, i, WIRE_INTERNAL, 10); /* over its rate */
	}
	CHECK(!is_written(&m, SPAN("key_answers_total{")));
	count(WIRE_PING, 1, WIRE_OK, 10);
	CHECK(!is_written(&m, SPAN("key_answers_total{")));
}

static void
what_has_no_row_left_is_counted_together(void)
{
	m = (struct metrics){0};
	for (unsigned i = 0; i < 2 * METRICS_KEYS; i++)
		count(WIRE_PSS_SHA256, i, WIRE_OK, 10);
	CHECK(is_written(&m, SPAN("{" KEY7 ",op=\"pss-sha256\",result=\"ok\"} 1\n")));
	CHECK(is_written(&m, SPAN("{key=\"other\",op=\"other\",result=\"ok\"} 65\n")));
}

static void
processes_are_added_key_by_key(void)
{
	static struct metrics sum;
	static struct metrics first;

	m = (struct metrics){0};
	count(WIRE_ECDSA_SHA256, 1, WIRE_OK, 10);
	count(WIRE_ECDSA_SHA256, 7, WIRE_OK, 10);
	first = m;
	m = (struct metrics){0};
	for (unsigned i = 0; i < METRICS_KEYS + 5; i++)
		count(WIRE_ECDSA_SHA256, i + 7, WIRE_OK, 10);
	metrics_add(&sum, &first);
	metrics_add(&sum, &m);
	CHECK(is_written(&sum, SPAN(KEY7 ",op=\"ecdsa-sha256\",result=\"ok\"} 2\n")));
	CHECK(is_written(&sum, SPAN(KEY7 ",op=\"ecdsa-sha256\",le=\"0.0001\"} 2\n")));
	CHECK(is_written(&sum, SPAN("{key=\"other\",op=\"other\",result=\"ok\"} 7\n")));
}

TESTS(each_key_has_operations_results_and_times, keys_that_are_not_there_make_no_rows,
	what_has_no_row_left_is_counted_together, processes_are_added_key_by_key)
