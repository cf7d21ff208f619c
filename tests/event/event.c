// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "tests/test.h"

static struct event e;
static struct event_view v;

/* Reads e back into v. */
static void
read_back(void)
{
	struct err err = {0};
	struct span s = event_bytes(&e);
	CHECK_OK(event_read(&s, &v, &err), &err);
	CHECK_INT(s.n, 0);
}

static void
what_was_set_reads_back(void)
{
	struct ip ip = ip_v4(0x7f000001);
	clock_fake(5, 1700000000123);
	event_init(&e, EVENT_KIND_REQUEST);
	event_id(&e, EVENT_SESSION, 0x0123456789abcdef);
	event_str(&e, EVENT_HOST, SPAN("a.example"));
	event_int(&e, EVENT_STATUS, 200);
	event_int(&e, EVENT_US_TOTAL, -5);
	event_ip(&e, EVENT_CLIENT, &ip);
	event_flag(&e, EVENT_ORIGIN_REUSED, true);
	clock_real();
	read_back();
	CHECK_INT(v.kind, EVENT_KIND_REQUEST);
	CHECK_INT(v.time, 1700000000123);
	CHECK_INT(v.v[EVENT_SESSION].i, 0x0123456789abcdef);
	CHECK_SPAN(v.v[EVENT_HOST].s, "a.example");
	CHECK_INT(v.v[EVENT_STATUS].i, 200);
	CHECK_INT(v.v[EVENT_US_TOTAL].i, -5);
	CHECK(ip_eq(&v.v[EVENT_CLIENT].ip, &ip));
	CHECK(v.v[EVENT_ORIGIN_REUSED].set && !v.v[EVENT_METHOD].set);
}

static void
nothing_is_recorded_for_nothing(void)
{
	struct ip none = {0};
	event_init(&e, EVENT_KIND_SESSION);
	size_t before = event_bytes(&e).n;
	event_str(&e, EVENT_HOST, SPAN(""));
	event_cstr(&e, EVENT_SNI, NULL);
	event_flag(&e, EVENT_ECH, false);
	event_ip(&e, EVENT_CLIENT, &none);
	event_id(&e, EVENT_SESSION, 0);
	event_err(&e, &(struct err){0});
	CHECK_INT(event_bytes(&e).n, before);
	read_back();
}

static void
the_first_set_counts_and_a_redacted_field_never(void)
{
	event_init(&e, EVENT_KIND_REQUEST);
	event_redact(&e, EVENT_PATH);
	event_str(&e, EVENT_PATH, SPAN("/secret"));
	event_str(&e, EVENT_RULE, SPAN("one"));
	event_str(&e, EVENT_RULE, SPAN("two"));
	CHECK(event_has(&e, EVENT_RULE) && !event_has(&e, EVENT_PATH));
	struct span s = event_bytes(&e);
	CHECK_INT(span_find(s, SPAN("secret")), s.n);
	read_back();
	CHECK_SPAN(v.v[EVENT_RULE].s, "one");
	CHECK(!v.v[EVENT_PATH].set && !e.cut);
}

static void
long_strings_are_cut_between_characters(void)
{
	static uint8_t text[5000];
	static const uint8_t kan[] = {0xe9, 0x96, 0xa2};
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = kan[i % sizeof(kan)];
	for (size_t n = EVENT_STR_LIMIT - 4; n < EVENT_STR_LIMIT + 8; n++) {
		event_init(&e, EVENT_KIND_REQUEST);
		event_str(&e, EVENT_PATH, span_of(text, n));
		read_back();
		struct span s = v.v[EVENT_PATH].s;
		CHECK_INT(e.cut, n > EVENT_STR_LIMIT);
		CHECK(s.n <= EVENT_STR_LIMIT);
		CHECK(!e.cut || (span_ends(s, SPAN("…")) && s.n % 3 == 0));
		CHECK(e.cut || s.n == n);
	}
}

static void
a_full_record_stays_within_its_bounds(void)
{
	static uint8_t text[3000];
	memset(text, 'x', sizeof(text));
	event_init(&e, EVENT_KIND_SESSION);
	for (int f = 0; f < EVENT_FIELDS; f++) {
		if (event_field_type((enum event_field)f) == EVENT_TYPE_STR) {
			event_str(&e, (enum event_field)f, span_of(text, sizeof(text)));
		} else if (event_field_type((enum event_field)f) == EVENT_TYPE_INT) {
			event_int(&e, (enum event_field)f, f);
		}
	}
	CHECK(e.cut);
	CHECK(event_bytes(&e).n <= EVENT_BYTES);
	read_back();
}

/* A record with a field of every type. */
static void
make_mixed(void)
{
	struct ip ip;
	CHECK(ip_parse(SPAN("2001:db8::1"), &ip));
	event_init(&e, EVENT_KIND_SESSION);
	event_id(&e, EVENT_SESSION, 7);
	event_str(&e, EVENT_SNI, SPAN("b\xff\"\n.example"));
	event_int(&e, EVENT_BYTES_UP, 1);
	event_flag(&e, EVENT_ECH, true);
	event_ip(&e, EVENT_CLIENT, &ip);
}

static void
every_truncation_is_refused(void)
{
	make_mixed();
	struct span whole = event_bytes(&e);
	for (size_t n = 0; n < whole.n; n++) {
		struct err err = {0};
		struct span s = span_first(whole, n);
		CHECK(!event_read(&s, &v, &err));
		CHECK_INT(err.code, ERR_EVENT_RECORD);
	}
}

static void
every_changed_octet_is_refused_or_read(void)
{
	make_mixed();
	uint8_t copy[200];
	struct span whole = event_bytes(&e);
	for (size_t at = 0; at < whole.n; at++) {
		for (int x = 1; x < 256; x++) {
			struct err err = {0};
			memcpy(copy, whole.p, whole.n);
			copy[at] ^= (uint8_t)x;
			struct span s = span_of(copy, whole.n);
			CHECK(event_read(&s, &v, &err) || err.code == ERR_EVENT_RECORD);
		}
	}
}

static void
json_is_valid_whatever_was_recorded(void)
{
	struct json_out j;
	clock_fake(1, 1700000000123);
	make_mixed();
	clock_real();
	read_back();
	json_init(&j, 10000);
	event_json(&j, &v);
	CHECK_SPAN(json_text(&j),
		"{\"time\":\"2023-11-14T22:13:20.123Z\",\"kind\":\"session\","
		"\"session\":\"0000000000000007\",\"client\":\"2001:db8::1\","
		"\"sni\":\"b\xef\xbf\xbd\\\"\\n.example\",\"ech\":true,\"bytes_up\":"
		"1}");
	json_fini(&j);
}

static void
ids_differ_and_tell_their_time(void)
{
	char text[EVENT_ID_TEXT];
	uint64_t back = 0;
	clock_fake(0, 1700000000123);
	uint64_t a = event_id_new();
	uint64_t b = event_id_new();
	clock_fake(0, 1700000000124);
	uint64_t c = event_id_new();
	clock_real();
	CHECK(a != b && c > a && c > b);
	CHECK_INT(event_id_time(a), 1700000000123);
	CHECK(event_id_parse(span_str(event_id_text(text, a)), &back));
	CHECK_INT(back, a);
	CHECK(!event_id_parse(SPAN("123"), &back));
	CHECK(!event_id_parse(SPAN("000000000000000g"), &back));
}

static void
tables_find_their_names(void)
{
	for (int i = 0; i < EVENT_FIELDS; i++) {
		enum event_field f = (enum event_field)i;
		CHECK_INT(event_field_find(span_str(event_field_name(f))), f);
		CHECK(event_field_help(f)[0] != 0);
		bool any = false;
		for (int k = 0; k < EVENT_KINDS; k++)
			any = any || event_field_in(f, (enum event_kind)k);
		CHECK(any);
	}
	CHECK_INT(event_field_find(SPAN("nonsense")), EVENT_FIELDS);
	CHECK_INT(event_kind_find(SPAN("dns")), EVENT_KIND_DNS);
	CHECK_INT(event_kind_find(SPAN("")), EVENT_KINDS);
}

TESTS(what_was_set_reads_back, nothing_is_recorded_for_nothing,
	the_first_set_counts_and_a_redacted_field_never,
	long_strings_are_cut_between_characters, a_full_record_stays_within_its_bounds,
	every_truncation_is_refused, every_changed_octet_is_refused_or_read,
	json_is_valid_whatever_was_recorded, ids_differ_and_tell_their_time,
	tables_find_their_names)
