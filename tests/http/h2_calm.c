// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks by frames that cost the sender nothing: how many are borne before the
 * connection ends with ENHANCE_YOUR_CALM. The bounds are printed.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "http/h2_priv.h"
#include "tests/http/h2_frames.h"

#define GET                    \
	"\x82\x87\x84\x41\x09" \
	"a.example"
#define POST                   \
	"\x83\x87\x84\x41\x09" \
	"a.example"

enum { CALM = 11 };

/* One step of an attack; n counts from 0. */
typedef void (*attack)(struct h2_frames *f, uint32_t n);

static void
reset_rapidly(struct h2_frames *f, uint32_t n)
{
	h2_frames_add(f, FRAME_HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, SPAN(GET));
	h2_frames_add(f, FRAME_RST_STREAM, 0, 2 * n + 1, SPAN("\0\0\0\x08"));
}

/* CVE-2025-8671: a window of zero makes us reset a stream that is at work. */
static void
make_us_reset(struct h2_frames *f, uint32_t n)
{
	h2_frames_add(f, FRAME_HEADERS, END_HEADERS | END_STREAM, 2 * n + 1, SPAN(GET));
	h2_frames_add(f, FRAME_WINDOW_UPDATE, 0, 2 * n + 1, SPAN("\x7f\xff\xff\xff"));
}

static void
send_malformed(struct h2_frames *f, uint32_t n)
{
	h2_frames_add(f, FRAME_HEADERS, END_HEADERS | END_STREAM, 2 * n + 1,
		SPAN("\x82\x87\x84"));
}

static void
flood_settings(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_SETTINGS, 0, 0, SPAN("\0\x04\0\0\x80\0"));
}

static void
flood_pings(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_PING, 0, 0, SPAN("12345678"));
}

static void
flood_priorities(struct h2_frames *f, uint32_t n)
{
	h2_frames_add(f, FRAME_PRIORITY, 0, 2 * (n % 1000) + 1, SPAN("\0\0\0\0\x10"));
}

static void
flood_priority_updates(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, 0x10, 0, 0, SPAN("\0\0\0\x01u=1"));
}

static void
flood_windows(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_WINDOW_UPDATE, 0, 0, SPAN("\0\0\0\x01"));
}

static void
flood_empty_data(struct h2_frames *f, uint32_t n)
{
	if (n == 0)
		h2_frames_add(f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	h2_frames_add(f, FRAME_DATA, 0, 1, SPAN(""));
}

static void
flood_unknown(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, 0x42, 0, 1, SPAN(""));
}

static void
flood_continuations(struct h2_frames *f, uint32_t n)
{
	if (n == 0)
		h2_frames_add(f, FRAME_HEADERS, 0, 1, SPAN(""));
	h2_frames_add(f, FRAME_CONTINUATION, 0, 1, SPAN(""));
}

static const struct {
	const char *name;
	attack step;
	uint32_t most; /* steps that may be borne */
} attacks[] = {
	{"rapid reset", reset_rapidly, 303},
	{"made-you-reset", make_us_reset, 303},
	{"malformed requests", send_malformed, 303},
	{"SETTINGS", flood_settings, 2001},
	{"PING", flood_pings, 2001},
	{"PRIORITY", flood_priorities, 2001},
	{"PRIORITY_UPDATE", flood_priority_updates, 2001},
	{"WINDOW_UPDATE", flood_windows, 2001},
	{"empty DATA", flood_empty_data, 2001},
	{"unknown frames", flood_unknown, 2001},
	{"CONTINUATION", flood_continuations, 16},
};

/* What a gate does with a stream that has news: takes its head, lets go when it is
 * told that the client left. */
static void
serve(struct h2_frames *f)
{
	struct http_head *head;
	struct span body;
	struct err err;
	struct h2_stream *x = NULL;

	while ((x = h2_ready(&f->h2))) {
		enum h2_step step = h2_step(x, &head, &body, &err);
		if (step == H2_FAILED)
			h2_release(x);
	}
}

static uint32_t
count_borne(attack step)
{
	struct h2_frames f;
	uint32_t n = 0;

	clock_fake(1000, 0);
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	for (; n < 10000 && !f.over; n++) {
		step(&f, n);
		h2_frames_run(&f);
		serve(&f);
	}
	CHECK(f.over);
	CHECK_INT(f.err.code, ERR_H2_FLOOD);
	CHECK_INT(f.goaway, CALM + 1);
	h2_frames_close(&f);
	clock_real();
	return n;
}

static void
floods_end_with_enhance_your_calm(void)
{
	for (size_t i = 0; i < COUNT_OF(attacks); i++) {
		uint32_t n = count_borne(attacks[i].step);
		print_message("# %s: %u borne\n", attacks[i].name, n);
		CHECK(n <= attacks[i].most);
	}
}

static void
the_same_over_time_is_borne(void)
{
	struct h2_frames f;

	clock_fake(1000, 0);
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	for (uint32_t n = 0; n < 3000; n++) {
		clock_fake(1000 + 50 * (uint64_t)n, 0);
		reset_rapidly(&f, n);
		flood_pings(&f, n);
		h2_frames_run(&f);
		serve(&f);
	}
	CHECK(!f.over);
	h2_frames_close(&f);
	clock_real();
}

static void
work_pays_for_acknowledgements(void)
{
	uint8_t block[512] = {0};
	struct h2_frames f;

	clock_fake(1000, 0);
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	for (uint32_t n = 0; n < 5000; n++) {
		struct http_head *head;
		struct span body;
		struct err err;
		h2_frames_add(&f, FRAME_DATA, 0, 1, span_of(block, sizeof(block)));
		flood_windows(&f, n);
		flood_pings(&f, n);
		h2_frames_run(&f);
		struct h2_stream *x = h2_ready(&f.h2);
		while (x && h2_step(x, &head, &body, &err) != H2_BODY)
			continue;
		if (x)
			h2_took(x, body.n);
	}
	CHECK(!f.over);
	h2_frames_close(&f);
	clock_real();
}

/* RFC 7541: one octet may stand for a field of 4 KiB. */
static void
compressed_bombs_are_cut_at_the_limit(void)
{
	uint8_t *block = mem_alloc(16384);
	uint8_t *big = block + 8192;
	struct h2_frames f;
	struct write w = write_to(block, 8192);

	for (size_t i = 0; i < 4000; i++)
		big[i] = 'a';
	write_span(&w,
		SPAN(GET "\x40\x01"
			 "b"
			 "\x7f\xa1\x1e"));
	write_span(&w, span_of(big, 4000));
	for (unsigned i = 0; i < 4000; i++)
		write_be(&w, 0xbe, 1); /* the field just added */
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, write_done(&w));
	h2_frames_run(&f);
	struct h2_stream *x = h2_ready(&f.h2);
	CHECK(x != NULL);
	CHECK_INT(x->err.code, ERR_HTTP_TOO_LARGE);
	CHECK(x->arena.used < 128 * 1024);
	print_message(
		"# HPACK bomb of %zu octets: %zu octets kept\n", w.n, x->arena.used);
	h2_frames_close(&f);
	mem_free(block);
}

TESTS(floods_end_with_enhance_your_calm, the_same_over_time_is_borne,
	work_pays_for_acknowledgements, compressed_bombs_are_cut_at_the_limit)
