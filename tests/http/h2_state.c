// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 9113 where a rule spans more than three frames: windows that shrink, streams that
 * were reset, the state of compression, goodbyes.
 */
#include "base/mem.h"
#include "http/h2.h"
#include "tests/http/h2_frames.h"

#define GET                    \
	"\x82\x87\x84\x41\x09" \
	"a.example"
#define POST                   \
	"\x83\x87\x84\x41\x09" \
	"a.example"

enum { PROTOCOL = 1, FLOW = 3, STREAM_CLOSED = 5, SIZE = 6 };

static struct h2_frames f;
static struct arena arena;
static struct h2_user users[4];

static void
open_as(enum h2_role role)
{
	arena_init(&arena, 65536);
	h2_frames_open(&f, role);
	h2_frames_greet(&f);
	h2_frames_run(&f);
}

static void
close_all(void)
{
	h2_frames_close(&f);
	arena_fini(&arena);
}

static void
send_frame(unsigned type, unsigned flags, uint32_t id, struct span s)
{
	h2_frames_add(&f, type, flags, id, s);
	h2_frames_run(&f);
}

/* The stream a client has begun, its head taken. */
static struct h2_stream *
meet(void)
{
	struct http_head *head;
	struct span body;
	struct h2_stream *x = h2_ready(&f.h2);
	CHECK(x != NULL);
	CHECK_INT(h2_step(x, &head, &body, &f.err), H2_HEAD);
	return x;
}

static struct h2_stream *
ask(size_t i, enum http_method method)
{
	struct http_head head;
	http_request_make(&head, &arena, method, SPAN("a.example"), SPAN("/"));
	struct h2_stream *x = h2_request(&f.h2, &head, &users[i], &f.err);
	CHECK_OK(x != NULL, &f.err);
	h2_frames_run(&f);
	return x;
}

static void
begin_answer(struct h2_stream *x)
{
	struct http_head head;
	http_response_make(&head, &arena, 200);
	head.body.kind = BODY_CHUNKED;
	CHECK_INT(h2_write_head(x, &head, &f.err), H2_WROTE);
}

/* RFC 9113 §6.9.2: SETTINGS may take back what was promised. */
static void
a_window_below_zero_is_waited_out(void)
{
	open_as(H2_SERVER);
	send_frame(FRAME_SETTINGS, 0, 0, SPAN("\0\x04\0\0\0\x0a"));
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	struct h2_stream *x = meet();
	begin_answer(x);
	CHECK_INT(h2_write_body(x, SPAN("0123456789abcdef")), 10);
	send_frame(FRAME_SETTINGS, 0, 0, SPAN("\0\x04\0\0\0\x03"));
	CHECK_INT(h2_write_body(x, SPAN("abcdef")), 0); /* -7 */
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\0\0\0\x07"));
	CHECK_INT(h2_write_body(x, SPAN("abcdef")), 0); /* 0 */
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\0\0\0\x01"));
	CHECK(h2_ready(&f.h2) == x);
	CHECK_INT(h2_write_body(x, SPAN("abcdef")), 1);
	send_frame(FRAME_SETTINGS, 0, 0, SPAN("\0\x04\0\0\0\x05"));
	CHECK_INT(h2_write_body(x, SPAN("bcdef")), 2);
	CHECK(!f.over);
	close_all();
}

/* RFC 9113 §6.9: that it is too late to matter does not make it right. */
static void
growth_by_nothing_is_an_error_behind_the_end_too(void)
{
	open_as(H2_SERVER);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	struct h2_stream *x = meet();
	begin_answer(x);
	CHECK_INT(h2_write_end(x, NULL, &f.err), H2_WROTE);
	h2_frames_run(&f);
	h2_release(x);
	f.reset = 0;
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\0\0\0\x01"));
	CHECK_INT(f.goaway + f.reset, 0);
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\x80\0\0\0"));
	CHECK_INT(f.reset, PROTOCOL + 1);
	CHECK(!f.over);
	close_all();
}

/* RFC 9113 §6.9: the connection's window is another one. */
static void
both_windows_must_be_open(void)
{
	uint8_t *big = mem_alloc(70000);
	size_t sent = 0;
	open_as(H2_SERVER);
	send_frame(FRAME_SETTINGS, 0, 0, SPAN("\0\x04\x7f\xff\xff\xff"));
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(GET));
	struct h2_stream *x = meet();
	begin_answer(x);
	for (unsigned i = 0; i < 8; i++) {
		sent += h2_write_body(x, span_of(big, 70000 - sent));
		h2_frames_run(&f);
	}
	CHECK_INT(sent, 65535);
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\0\0\xff\xff"));
	CHECK_INT(h2_write_body(x, span_of(big, 100)), 0);
	send_frame(FRAME_WINDOW_UPDATE, 0, 0, SPAN("\0\0\0\x05"));
	CHECK_INT(h2_write_body(x, span_of(big, 100)), 5);
	mem_free(big);
	close_all();
}

/* RFC 9113 §5.1: what was on its way when we reset is ignored, and still read for the
 * sake of compression. */
static void
a_stream_we_reset_may_go_on_for_a_while(void)
{
	open_as(H2_SERVER);
	send_frame(FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
	struct h2_stream *x = meet();
	h2_reset(x, H2_CANCEL);
	h2_frames_run(&f);
	CHECK_INT(f.reset, H2_CANCEL + 1);
	f.reset = 0;
	send_frame(FRAME_DATA, 0, 1, SPAN("abc"));
	send_frame(FRAME_WINDOW_UPDATE, 0, 1, SPAN("\0\0\0\x05"));
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1,
		SPAN("\x40\x01"
		     "n"
		     "\x01"
		     "v")); /* into the table */
	CHECK_INT(f.goaway + f.reset, 0);
	h2_release(x);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 3,
		SPAN("\x82\x87\x84\x01\x01"
		     "a"
		     "\xbe")); /* out of it */
	CHECK_INT(f.goaway + f.reset, 0);
	x = meet();
	CHECK_SPAN(http_get(&x->head.fields, SPAN("n")), "v");
	close_all();
}

/* RFC 9113 §4.3: a message that is refused has changed the table all the same. */
static void
compression_outlives_a_malformed_message(void)
{
	open_as(H2_SERVER);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1,
		SPAN(GET "\x40\x01"
			 "A"
			 "\x01"
			 "v"
			 "\x40\x01"
			 "n"
			 "\x01"
			 "w"));
	CHECK_INT(f.reset, PROTOCOL + 1);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 3, SPAN(GET "\xbf"));
	CHECK_INT(f.goaway, 0);
	struct h2_stream *x = h2_ready(&f.h2);
	while (x && x->id != 3)
		x = h2_ready(&f.h2);
	CHECK(x != NULL);
	CHECK_SPAN(http_get(&x->head.fields, SPAN("n")), "w");
	close_all();
}

static const struct {
	unsigned type;
	unsigned flags;
	uint32_t id;
	size_t size;
} oversized[] = {
	{FRAME_DATA, END_STREAM, 1, 16385},
	{FRAME_HEADERS, END_HEADERS, 3, 16385},
	{FRAME_SETTINGS, 0, 0, 16386},
	{FRAME_GOAWAY, 0, 0, 16385},
	{0x42, 0, 0, 16385},
};

/* RFC 9113 §4.2 */
static void
no_frame_is_over_the_largest_size(void)
{
	uint8_t *zeros = mem_alloc(16386);
	for (size_t i = 0; i < COUNT_OF(oversized); i++) {
		open_as(H2_SERVER);
		send_frame(FRAME_HEADERS, END_HEADERS, 1, SPAN(POST));
		send_frame(oversized[i].type, oversized[i].flags, oversized[i].id,
			span_of(zeros, oversized[i].size));
		if (f.goaway != SIZE + 1) {
			print_error(
				"type %u: goaway %u\n", oversized[i].type, f.goaway);
		}
		CHECK_INT(f.goaway, SIZE + 1);
		close_all();
	}
	mem_free(zeros);
}

/* RFC 9113 §6.9.1, of an origin. */
static void
an_origin_that_sends_more_than_the_window_is_told(void)
{
	uint8_t *big = mem_alloc(16384);
	open_as(H2_CLIENT);
	(void)ask(0, HTTP_GET);
	send_frame(FRAME_HEADERS, END_HEADERS, 1, SPAN("\x88"));
	for (unsigned i = 0; i < 5; i++)
		send_frame(FRAME_DATA, 0, 1, span_of(big, 16384));
	CHECK(f.goaway == FLOW + 1 || f.reset == FLOW + 1);
	mem_free(big);
	close_all();
}

/* RFC 9113 §8.1.1: what it would have been long, and no body. */
static void
an_answer_to_head_has_a_length_and_no_body(void)
{
	struct http_head *head;
	struct span body;
	open_as(H2_CLIENT);
	struct h2_stream *x = ask(0, HTTP_HEAD);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1,
		SPAN("\x88\x0f\x0d\x03"
		     "123"));
	CHECK_INT(h2_step(x, &head, &body, &f.err), H2_HEAD);
	CHECK_SPAN(http_get(&head->fields, SPAN("content-length")), "123");
	CHECK_INT(head->body.kind, BODY_NONE);
	CHECK_INT(h2_step(x, &head, &body, &f.err), H2_END);
	CHECK_INT(f.goaway + f.reset, 0);
	(void)ask(1, HTTP_HEAD);
	send_frame(FRAME_HEADERS, END_HEADERS, 3, SPAN("\x88"));
	send_frame(FRAME_DATA, END_STREAM, 3, SPAN("abc"));
	CHECK_INT(f.reset, PROTOCOL + 1);
	close_all();
}

/* RFC 9113 §6.8: what is above the last one has not been looked at, what is below goes
 * on. */
static void
a_goodbye_refuses_what_is_above_its_number(void)
{
	struct http_head *head;
	struct span body;
	open_as(H2_CLIENT);
	struct h2_stream *below = ask(0, HTTP_GET);
	struct h2_stream *above = ask(1, HTTP_GET);
	send_frame(FRAME_GOAWAY, 0, 0, SPAN("\0\0\0\x01\0\0\0\0"));
	CHECK_INT(h2_step(above, &head, &body, &f.err), H2_FAILED);
	CHECK_INT(f.err.code, ERR_H2_REFUSED);
	CHECK(!h2_can_open(&f.h2));
	CHECK_INT(h2_step(below, &head, &body, &f.err), H2_MORE);
	send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN("\x88"));
	CHECK_INT(h2_step(below, &head, &body, &f.err), H2_HEAD);
	CHECK_INT(h2_step(below, &head, &body, &f.err), H2_END);
	close_all();
}

/* RFC 9113 §8.4: we never want it, and say so. */
static void
push_is_refused_from_the_beginning(void)
{
	struct h2_frames own;
	h2_frames_open(&own, H2_CLIENT);
	h2_flush(&own.h2);
	CHECK(span_starts(buf_peek(&own.out), SPAN(H2_PREFACE)));
	struct read r =
		read_from(span_from(buf_peek(&own.out), sizeof(H2_PREFACE) - 1));
	uint32_t n = read_be(&r, 3);
	CHECK_INT(read_be(&r, 1), FRAME_SETTINGS);
	read_bytes(&r, 5);
	struct span settings = read_bytes(&r, n);
	CHECK(span_find(settings, SPAN("\0\x02\0\0\0\0")) % 6 == 0);
	CHECK(span_find(settings, SPAN("\0\x02\0\0\0\0")) < settings.n);
	h2_frames_close(&own);
}

/* RFC 9113 §6.7: octet for octet. */
static void
a_ping_is_sent_back_as_it_came(void)
{
	open_as(H2_SERVER);
	h2_frames_add(&f, FRAME_PING, 0, 0,
		SPAN("\0\xff"
		     "abcdef"));
	CHECK(h2_read(&f.h2, &f.in, &f.err));
	h2_flush(&f.h2);
	CHECK(span_eq(buf_peek(&f.out),
		SPAN("\0\0\x08\x06\x01\0\0\0\0\0\xff"
		     "abcdef")));
	buf_drop(&f.out, buf_len(&f.out));
	close_all();
}

/* RFC 9113 §6.8: so that the client knows what it may say again. */
static void
our_goodbye_tells_the_last_stream(void)
{
	open_as(H2_SERVER);
	for (uint32_t id = 1; id <= 5; id += 2)
		send_frame(FRAME_HEADERS, END_HEADERS | END_STREAM, id, SPAN(GET));
	h2_frames_add(&f, FRAME_PING, 0, 0, SPAN("1234"));
	(void)!h2_read(&f.h2, &f.in, &f.err);
	h2_flush(&f.h2);
	struct read r = read_from(buf_peek(&f.out));
	read_bytes(&r, 3);
	CHECK_INT(read_be(&r, 1), FRAME_GOAWAY);
	read_bytes(&r, 5);
	CHECK_INT(read_be(&r, 4), 5);
	CHECK_INT(read_be(&r, 4), SIZE);
	buf_drop(&f.out, buf_len(&f.out));
	close_all();
}

TESTS(a_window_below_zero_is_waited_out, both_windows_must_be_open,
	growth_by_nothing_is_an_error_behind_the_end_too,
	a_stream_we_reset_may_go_on_for_a_while,
	compression_outlives_a_malformed_message, no_frame_is_over_the_largest_size,
	an_origin_that_sends_more_than_the_window_is_told,
	an_answer_to_head_has_a_length_and_no_body,
	a_goodbye_refuses_what_is_above_its_number, push_is_refused_from_the_beginning,
	a_ping_is_sent_back_as_it_came, our_goodbye_tells_the_last_stream)
