// SPDX-License-Identifier: Apache-2.0
#include "doctor/look.h"

#include <string.h>

#include "tests/test.h"

static void
every_state_has_words_in_both_languages(void)
{
	for (int s = 0; s < LOOK_STATES; s++) {
		struct look_host h = {.state = (enum look_state)s};
		for (int l = ENGLISH; l <= JAPANESE; l++) {
			char say[LOOK_LINE];
			struct text t = text_to(say, sizeof(say));
			look_sentence(&h, (enum language)l, &t);
			CHECK(t.n > 0 && !t.cut && text_is_utf8(text_span(&t)));
		}
		CHECK(look_id(h.state)[0] != 0);
	}
	CHECK(look_is_finding(LOOK_LAUNDERED) && !look_is_finding(LOOK_BYPASSED));
	CHECK(!look_is_answer(LOOK_UNREACHABLE));
}

/* What ended without a certificate is told by how it ended. */
static enum look_state
judge_end(enum probe_end end, int status)
{
	static struct probe p = {.host = "a.example"};
	struct look_host h = {.probe = &p};
	p.end = end;
	p.status = status;
	struct look_lists lists = {0};
	look_judge(&h, 1, &lists);
	look_fini(&h);
	return h.state;
}

static void
an_end_without_a_certificate_is_told(void)
{
	CHECK_INT(judge_end(PROBE_PLAIN, 302), LOOK_CAPTIVE);
	CHECK_INT(judge_end(PROBE_PROXY, 511), LOOK_CAPTIVE);
	CHECK_INT(judge_end(PROBE_PROXY, 302), LOOK_CAPTIVE);
	CHECK_INT(judge_end(PROBE_PROXY, 403), LOOK_REFUSED);
	CHECK_INT(judge_end(PROBE_HANDSHAKE, 0), LOOK_FAILED);
	CHECK_INT(judge_end(PROBE_NO_NAME, 0), LOOK_UNREACHABLE);
	CHECK_INT(judge_end(PROBE_LATE, 0), LOOK_UNREACHABLE);
}

static void
a_field_of_the_head_is_found_without_case(void)
{
	static const struct probe p = {
		.head = "HTTP/1.1 200 OK\nVia: 1.1 x (squid/5.7)\nServer:y\n"};
	CHECK_SPAN(probe_field(&p, SPAN("via")), "1.1 x (squid/5.7)");
	CHECK_SPAN(probe_field(&p, SPAN("SERVER")), "y");
	CHECK_SPAN(probe_field(&p, SPAN("Age")), "");
}

static void
a_header_names_the_product(void)
{
	struct look_host h = {0};
	static const struct probe p = {
		.head = "HTTP/1.1 200 OK\nVia: 1.1 x (squid/5.7)\n"};
	look_hear(&h, &p);
	CHECK(h.product && strcmp(h.product->product, "Squid") == 0);
}

TESTS(every_state_has_words_in_both_languages, an_end_without_a_certificate_is_told,
	a_field_of_the_head_is_found_without_case, a_header_names_the_product)
