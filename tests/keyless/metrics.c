// SPDX-License-Identifier: Apache-2.0
#include "keyless/metrics.h"

#include "tests/test.h"

static void
buckets_double_and_add_up(void)
{
	static struct metrics m;
	static char space[METRICS_TEXT];
	struct text t = text_to(space, sizeof(space));
	struct answer_call call = {.req.op = WIRE_ECDSA_SHA256};
	struct answer_audit a = {.call = &call, .took_us = 100};

	metrics_count(&m, &a);
	a.took_us = 101;
	metrics_count(&m, &a);
	a.took_us = UINT32_MAX;
	a.result = WIRE_NO_KEY;
	metrics_count(&m, &a);
	call.req.op = 0x99;
	metrics_count(&m, &a);
	CHECK_INT(m.took[WIRE_KEY_EC][0], 1);
	CHECK_INT(m.took[WIRE_KEY_EC][1], 1);
	CHECK_INT(m.took[WIRE_KEY_EC][METRICS_BUCKETS - 1], 1);
	metrics_write(&m, NULL, &t);
	CHECK(!t.cut);

	static const struct span lines[] = {
		SPAN_INIT("sekisho_keyless_requests_total{op=\"ecdsa-sha256\"} 3\n"),
		SPAN_INIT("sekisho_keyless_requests_total{op=\"unknown\"} 1\n"),
		SPAN_INIT("sekisho_keyless_answers_total{type=\"ecdsa\",result=\"ok\"} "
			  "2\n"),
		SPAN_INIT("answers_total{type=\"ecdsa\",result=\"key-not-found\"} 1\n"),
		SPAN_INIT("_bucket{type=\"ecdsa\",le=\"0.0001\"} 1\n"),
		SPAN_INIT("_bucket{type=\"ecdsa\",le=\"0.0002\"} 2\n"),
		SPAN_INIT("_bucket{type=\"ecdsa\",le=\"+Inf\"} 3\n"),
		SPAN_INIT("_count{type=\"ecdsa\"} 3\n"),
	};
	for (size_t i = 0; i < COUNT_OF(lines); i++)
		CHECK(span_find(text_span(&t), lines[i]) < t.n);
}

TESTS(buckets_double_and_add_up)
