// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"
#include "cli/log_priv.h"
#include "tests/test.h"

static struct event e;
static struct event_view v;
static struct log_row row;

static void
begin(enum event_kind kind, const char *action)
{
	struct ip ip = ip_v4(0x0a010203);
	event_init(&e, kind);
	event_ip(&e, EVENT_CLIENT, &ip);
	event_cstr(&e, EVENT_HOST, "a.example");
	event_cstr(&e, EVENT_ACTION, action);
}

static void
make(void)
{
	struct err err = {0};
	struct span s = event_bytes(&e);
	CHECK_OK(event_read(&s, &v, &err), &err);
	log_row_make(&row, &v);
}

static void
a_request_is_its_method_host_and_path(void)
{
	begin(EVENT_KIND_REQUEST, "allow");
	event_cstr(&e, EVENT_METHOD, "GET");
	event_cstr(&e, EVENT_SCHEME, "https");
	event_cstr(&e, EVENT_PATH, "/x");
	event_cstr(&e, EVENT_QUERY, "q=1");
	event_int(&e, EVENT_STATUS, 200);
	event_int(&e, EVENT_BYTES_RESPONSE, 2048);
	event_int(&e, EVENT_US_TOTAL, 1234);
	make();
	CHECK_STR(row.did, "inspected");
	CHECK_STR(row.client, "10.1.2.3");
	CHECK_STR(row.status, "200");
	CHECK_STR(row.size, "2.0 KiB");
	CHECK_STR(row.took, "1.2 ms");
	CHECK_STR(row.target, "GET a.example/x?q=1");
	CHECK_STR(row.why, "");
	CHECK(!row.bad);
}

static void
what_was_blocked_tells_rule_and_reason(void)
{
	begin(EVENT_KIND_REQUEST, "block");
	event_cstr(&e, EVENT_RULE, "bad");
	event_cstr(&e, EVENT_WHY, "known to be harmful");
	event_cstr(&e, EVENT_ERR, "gate.blocked");
	make();
	CHECK_STR(row.did, "blocked");
	CHECK_STR(row.why, "rule bad; known to be harmful");
	CHECK(row.bad);
}

static void
a_client_that_does_not_trust_us_is_told_by_its_alert(void)
{
	begin(EVENT_KIND_SESSION, "inspect");
	event_int(&e, EVENT_PORT, 8443);
	event_cstr(&e, EVENT_ERR, "tls.alert");
	event_cstr(&e, EVENT_ERR_TEXT, "received alert 48");
	event_cstr(&e, EVENT_ALERT, "unknown_ca");
	event_cstr(&e, EVENT_ALERT_BY, "client");
	make();
	CHECK_STR(row.target, "a.example:8443");
	CHECK_STR(row.why, "client sent alert unknown_ca");
	CHECK(row.bad);
}

static void
an_untrusted_origin_is_told_by_its_class(void)
{
	begin(EVENT_KIND_SESSION, "block");
	event_cstr(&e, EVENT_ORIGIN_VERDICT, "expired");
	event_cstr(&e, EVENT_ERR, "gate.untrusted");
	event_cstr(&e, EVENT_ERR_TEXT, "ended on 2026-11-18");
	make();
	CHECK_STR(row.why, "certificate expired; ended on 2026-11-18");
}

static void
nothing_commands_the_terminal(void)
{
	begin(EVENT_KIND_REQUEST, "\x1b[31m");
	event_str(&e, EVENT_METHOD, SPAN("\x1b[2J"));
	event_str(&e, EVENT_PATH, SPAN("/\x9b\r\n"));
	event_str(&e, EVENT_RULE, SPAN("\x1b]0;x\x07"));
	make();
	const char *const texts[] = {row.did, row.target, row.why};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		for (const char *c = texts[i]; *c; c++)
			CHECK((uint8_t)*c >= ' ' && (uint8_t)*c < 0x7f);
	}
}

static void
durations_have_three_digits_and_a_unit(void)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {{0, "0 us"}, {999, "999 us"}, {1000, "1.0 ms"}, {99999, "99 ms"},
		{1500000, "1.5 s"}, {75000000, "1m15s"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		begin(EVENT_KIND_SESSION, "bypass");
		event_int(&e, EVENT_US_TOTAL, rows[i].us);
		make();
		CHECK_STR(row.took, rows[i].text);
	}
}

TESTS(a_request_is_its_method_host_and_path, what_was_blocked_tells_rule_and_reason,
	a_client_that_does_not_trust_us_is_told_by_its_alert,
	an_untrusted_origin_is_told_by_its_class, nothing_commands_the_terminal,
	durations_have_three_digits_and_a_unit)
