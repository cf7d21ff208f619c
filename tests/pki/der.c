// SPDX-License-Identifier: Apache-2.0
#include "pki/der.h"
#include "tests/test.h"

static struct read
of(struct span s)
{
	return read_from(s);
}

static void
only_shortest_definite_lengths_are_read(void)
{
	static const struct span bad[] = {SPAN_INIT("\x04\x80xx\x00\x00"),
		SPAN_INIT("\x04\x81\x02xx"), SPAN_INIT("\x04\x82\x00\x02xx"),
		SPAN_INIT("\x04\x03xx"), SPAN_INIT("\x04"), SPAN_INIT("\x1f\x04\x02xx"),
		SPAN_INIT("\x04\x85\x00\x00\x00\x00\x02xx"), SPAN_INIT("\x00\x00")};
	struct read good = of(SPAN("\x04\x02xx"));

	CHECK_SPAN(der_take(&good, DER_OCTETS).left, "xx");
	CHECK(read_done(&good));
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct read r = of(bad[i]);
		(void)der_any(&r);
		CHECK(r.bad);
	}
}

static void
integers_are_minimal_and_counts_bounded(void)
{
	struct read r = of(SPAN("\x02\x01\x05\x02\x02\x00\x80\x02\x01\xff"));

	CHECK_INT(der_count(&r, DER_INTEGER, 5), 5);
	CHECK_INT(der_count(&r, DER_INTEGER, 255), 128);
	CHECK_SPAN(der_integer(&r), "\xff");
	CHECK(read_done(&r));

	static const struct span bad[] = {SPAN_INIT("\x02\x02\x00\x05"),
		SPAN_INIT("\x02\x00"), SPAN_INIT("\x02\x01\xff"),
		SPAN_INIT("\x02\x01\x06")};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		r = of(bad[i]);
		(void)der_count(&r, DER_INTEGER, 5);
		CHECK(r.bad);
	}
}

static void
booleans_are_all_ones_or_absent(void)
{
	struct read r = of(SPAN("\x01\x01\xff\x04\x00"));
	CHECK(der_flag(&r));
	CHECK(!der_flag(&r)); /* absent */
	CHECK(!r.bad);
	r = of(SPAN("\x01\x01\x01"));
	(void)der_flag(&r);
	CHECK(r.bad);
}

static void
bits_beyond_the_end_are_zero(void)
{
	unsigned unused = 0;
	struct read r = of(SPAN("\x03\x02\x05\xa0"));
	CHECK_SPAN(der_bits(&r, &unused), "\xa0");
	CHECK_INT(unused, 5);
	r = of(SPAN("\x03\x02\x05\xa1"));
	(void)der_bits(&r, &unused);
	CHECK(r.bad);
	r = of(SPAN("\x03\x02\x08\x00"));
	(void)der_bits(&r, &unused);
	CHECK(r.bad);
}

static void
times_are_those_of_rfc_5280(void)
{
	static const struct {
		const char *text;
		bool general;
		int64_t wall; /* −1: refused */
	} rows[] = {{"700101000000Z", false, 0}, {"491231235959Z", false, 2524607999},
		{"500101000000Z", false, -631152000},
		{"20500101000000Z", true, 2524608000}, {"9912312359Z", false, -1},
		{"991231235959+0100", false, -1}, {"990229000000Z", false, -1},
		{"000229000000Z", false, 951782400}, {"991301000000Z", false, -1},
		{"991231245959Z", false, -1}, {"20500101000000.5Z", true, -1},
		{"99123123595 Z", false, -1}};

	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint8_t buf[40];
		struct write w = write_to(buf, sizeof buf);
		struct span text = span_str(rows[i].text);
		write_be(&w, rows[i].general ? DER_GENERAL_TIME : DER_UTC_TIME, 1);
		write_be(&w, (uint32_t)text.n, 1);
		write_span(&w, text);
		struct read r = of(write_done(&w));
		int64_t got = der_time(&r);
		CHECK(r.bad ? rows[i].wall == -1 : got == rows[i].wall);
	}
}

TESTS(only_shortest_definite_lengths_are_read, integers_are_minimal_and_counts_bounded,
	booleans_are_all_ones_or_absent, bits_beyond_the_end_are_zero,
	times_are_those_of_rfc_5280)
