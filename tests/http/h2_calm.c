// SPDX-License-Identifier: Apache-2.0
/*
 * Attacks by frames that cost the sender nothing, by a client and by an origin: how
 * many are borne before the connection ends with ENHANCE_YOUR_CALM, and what is held
 * for a peer that sends all it may. The bounds are printed.
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

/* Octets that count against the window and say nothing. */
static void
dribble_data(struct h2_frames *f, uint32_t n)
{
	if (n == 0)
		h2_frames_add(f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	h2_frames_add(f, FRAME_DATA, PADDED, 1,
		SPAN("\x01"
		     "\0"));
}

static void
flood_interim_heads(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_HEADERS, END_HEADERS, 1,
		SPAN("\x48\x03"
		     "103"));
}

static void
flood_empty_answer(struct h2_frames *f, uint32_t n)
{
	if (n == 0)
		h2_frames_add(f, FRAME_HEADERS, END_HEADERS, 1, SPAN("\x88"));
	h2_frames_add(f, FRAME_DATA, 0, 1, SPAN(""));
}

static void
flood_goodbyes(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_GOAWAY, 0, 0, SPAN("\0\0\0\x01\0\0\0\0"));
}

static void
flood_resets(struct h2_frames *f, uint32_t n)
{
	(void)n;
	h2_frames_add(f, FRAME_RST_STREAM, 0, 1, SPAN("\0\0\0\x08"));
}

/* Rules broken where the library forgives. */
static void
flood_behind_the_end(struct h2_frames *f, uint32_t n)
{
	if (n == 0) {
		h2_frames_add(
			f, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN("\x88"));
	}
	h2_frames_add(f, FRAME_DATA, 0, 1, SPAN("x"));
}

/* A stream that we have reset for what it did. */
static void
flood_what_is_reset(struct h2_frames *f, uint32_t n)
{
	if (n == 0) {
		h2_frames_add(f, FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
		h2_frames_add(f, FRAME_WINDOW_UPDATE, 0, 1, SPAN("\x7f\xff\xff\xff"));
	}
	h2_frames_add(f, FRAME_DATA, 0, 1, SPAN("x"));
}

static const struct attack_row {
	const char *name;
	attack step;
	enum h2_role on;
	uint32_t most; /* steps that may be borne */
} attacks[] = {
	{"rapid reset", reset_rapidly, H2_SERVER, 303},
	{"made-you-reset", make_us_reset, H2_SERVER, 303},
	{"malformed requests", send_malformed, H2_SERVER, 303},
	{"SETTINGS", flood_settings, H2_SERVER, 2001},
	{"PING", flood_pings, H2_SERVER, 2001},
	{"PRIORITY", flood_priorities, H2_SERVER, 2001},
	{"PRIORITY_UPDATE", flood_priority_updates, H2_SERVER, 2001},
	{"WINDOW_UPDATE", flood_windows, H2_SERVER, 2001},
	{"empty DATA", flood_empty_data, H2_SERVER, 2001},
	{"DATA that is all padding", dribble_data, H2_SERVER, 2001},
	{"DATA behind our reset", flood_what_is_reset, H2_SERVER, 2001},
	{"unknown frames", flood_unknown, H2_SERVER, 2001},
	{"CONTINUATION", flood_continuations, H2_SERVER, 16},
	{"SETTINGS of an origin", flood_settings, H2_CLIENT, 2001},
	{"PING of an origin", flood_pings, H2_CLIENT, 2001},
	{"PRIORITY of an origin", flood_priorities, H2_CLIENT, 2001},
	{"WINDOW_UPDATE of an origin", flood_windows, H2_CLIENT, 2001},
	{"empty DATA of an origin", flood_empty_answer, H2_CLIENT, 2001},
	{"GOAWAY of an origin", flood_goodbyes, H2_CLIENT, 2001},
	{"RST_STREAM of an origin", flood_resets, H2_CLIENT, 2001},
	{"DATA behind the end, of an origin", flood_behind_the_end, H2_CLIENT, 2001},
	{"unknown frames of an origin", flood_unknown, H2_CLIENT, 2001},
	{"CONTINUATION of an origin", flood_continuations, H2_CLIENT, 16},
};

/* What a gate does with a stream that has news: takes its head, lets go when it is
 * told that the peer left. */
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

static void
ask(struct h2_frames *f, struct h2_user *user)
{
	struct http_head head;
	struct arena a;
	struct err err;

	arena_init(&a, 4096);
	http_request_make(&head, &a, HTTP_GET, SPAN("a.example"), SPAN("/"));
	CHECK(h2_request(&f->h2, &head, user, &err) != NULL);
	arena_fini(&a);
	h2_frames_run(f); /* it has gone out */
}

static uint32_t
count_borne(const struct attack_row *row)
{
	struct h2_frames f;
	struct h2_user user;
	uint32_t n = 0;

	clock_fake(1000, 0);
	h2_frames_open(&f, row->on);
	h2_frames_greet(&f);
	if (row->on == H2_CLIENT)
		ask(&f, &user);
	for (; n < 10000 && !f.over; n++) {
		row->step(&f, n);
		h2_frames_run(&f);
		serve(&f);
	}
	if (f.err.code != ERR_H2_FLOOD)
		print_error("%s: %u borne, %s\n", row->name, n, f.err.text);
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
		uint32_t n = count_borne(&attacks[i]);
		print_message("# %s: %u borne\n", attacks[i].name, n);
		CHECK(n <= attacks[i].most);
	}
}

/* Each may cost us memory; the stream ends, not the connection. */
static void
interim_heads_come_to_an_end(void)
{
	struct h2_frames f;
	struct h2_user user;
	struct http_head *head;
	struct span body;
	uint32_t n = 0;

	h2_frames_open(&f, H2_CLIENT);
	h2_frames_greet(&f);
	ask(&f, &user);
	while (n < 1000 && user.stream->err.code == ERR_NONE) {
		flood_interim_heads(&f, n++);
		h2_frames_run(&f);
	}
	print_message("# 103 of an origin: %u borne\n", n);
	CHECK(n <= f.h2.config.limits.informs + 1U);
	while (h2_step(user.stream, &head, &body, &f.err) == H2_INFORM)
		continue;
	CHECK_INT(f.err.code, ERR_HTTP_TOO_LARGE);
	CHECK(!f.over);
	h2_frames_close(&f);
}

/* A head of nearly 64 KiB and a full window of body. */
static void
fill_stream(struct h2_frames *f, uint32_t id)
{
	static uint8_t value[16006] = "\x00\x01"
				      "a"
				      "\x7f\x81\x7c"; /* 16,000 octets follow */

	for (size_t i = 6; i < sizeof(value); i++)
		value[i] = 'a';
	h2_frames_add(f, FRAME_HEADERS, 0, id, SPAN(POST));
	for (unsigned i = 0; i < 4; i++) {
		h2_frames_add(f, FRAME_CONTINUATION, i == 3 ? END_HEADERS : 0, id,
			span_of(value, sizeof(value)));
	}
	for (unsigned i = 0; i < 4; i++)
		h2_frames_add(f, FRAME_DATA, 0, id, span_of(value, 16000));
}

/* As many streams as it may have, each with all it may send: docs/operating.md states
 * it. */
static void
what_a_peer_can_make_us_hold_is_bounded(void)
{
	struct h2_frames f;
	size_t heads = 0;
	size_t bodies = 0;

	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	for (uint32_t i = 0; i < f.h2.config.streams; i++)
		fill_stream(&f, 2 * i + 1);
	h2_frames_run(&f);
	CHECK(!f.over);
	for (struct h2_stream *x = h2_ready(&f.h2); x; x = h2_ready(&f.h2)) {
		CHECK(x->arena.used <= H2_STREAM_ARENA);
		heads += x->arena.used;
		bodies += buf_len(&x->body);
	}
	print_message("# %u streams: %zu octets of heads, %zu of bodies\n",
		h2_open_streams(&f.h2), heads, bodies);
	CHECK_INT(h2_open_streams(&f.h2), f.h2.config.streams);
	CHECK(heads >= 6000000 && heads <= (size_t)100 * H2_STREAM_ARENA);
	CHECK(bodies == 6400000 && bodies <= f.h2.config.budget);
	h2_frames_close(&f);
}

/* Bodies wait with whoever writes them: a client whose windows stay shut makes us queue
 * nothing, however often it asks. */
static void
a_shut_window_makes_us_hold_nothing(void)
{
	struct http_head answer;
	struct h2_frames f;
	struct arena a;
	struct h2_stream *x = NULL;

	arena_init(&a, 65536);
	h2_frames_open(&f, H2_SERVER);
	h2_frames_greet(&f);
	h2_frames_add(&f, FRAME_SETTINGS, 0, 0, SPAN("\0\x04\0\0\0\0"));
	for (uint32_t i = 0; i < f.h2.config.streams; i++) {
		h2_frames_add(&f, FRAME_HEADERS, END_HEADERS | END_STREAM, 2 * i + 1,
			SPAN(GET));
	}
	h2_frames_run(&f);
	http_response_make(&answer, &a, 200);
	answer.body.kind = BODY_CHUNKED;
	while ((x = h2_ready(&f.h2)) && !x->head_written) {
		CHECK_INT(h2_write_head(x, &answer, &f.err), H2_WROTE);
		CHECK_INT(h2_write_body(x, SPAN("never goes")), 0);
	}
	h2_frames_run(&f);
	CHECK_INT(f.heads, f.h2.config.streams);
	CHECK(!h2_wants_flush(&f.h2));
	h2_frames_close(&f);
	arena_fini(&a);
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
	CHECK(x->arena.used < (size_t)128 * 1024);
	print_message(
		"# HPACK bomb of %zu octets: %zu octets kept\n", w.n, x->arena.used);
	h2_frames_close(&f);
	mem_free(block);
}

TESTS(floods_end_with_enhance_your_calm, interim_heads_come_to_an_end,
	what_a_peer_can_make_us_hold_is_bounded, a_shut_window_makes_us_hold_nothing,
	the_same_over_time_is_borne, work_pays_for_acknowledgements,
	compressed_bombs_are_cut_at_the_limit)
