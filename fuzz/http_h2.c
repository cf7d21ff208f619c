// SPDX-License-Identifier: Apache-2.0
/*
 * fuzz http_h2: a peer of ours that sends anything, in either role; what it says is
 * also passed on in HTTP/1 and, of a client's request, in HTTP/2 again. The first octet
 * chooses role and pieces; a valid preface is put before a client's octets, so that the
 * frames begin at once.
 */
#include "base/must.h"
#include "http/h1_write.h"
#include "http/h2.h"
#include "http/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* A head that was accepted can be written in both versions, or is refused in words. */
static void
pass_on(const struct http_head *head)
{
	struct http_fields list = {0};
	struct h1_writer w;
	struct buf out;
	struct arena a;
	struct err err = {0};

	arena_init(&a, 1024 * 1024);
	list.arena = &a;
	buf_init(&out, 1024 * 1024);
	h1_writer_init(&w);
	enum h1_wrote wrote = h1_write_head(&w, head, &out, &err);
	must(wrote == H1_WROTE || err.code != ERR_NONE);
	must(translate_out(head, &list, &err) || err.code != ERR_NONE);
	buf_fini(&out);
	arena_fini(&a);
}

static void
answer(struct h2_stream *x)
{
	struct http_head head;
	struct arena a;
	struct err err;

	if (x->h2->config.role != H2_SERVER || x->head_written || x->closed)
		return;
	arena_init(&a, 65536);
	http_response_make(&head, &a, 200);
	head.body.kind = BODY_CHUNKED;
	if (h2_write_head(x, &head, &err) == H2_WROTE) {
		(void)h2_write_body(x, SPAN("hello"));
		(void)h2_write_end(x, NULL, &err);
	}
	arena_fini(&a);
}

static void
serve(struct h2_stream *x)
{
	struct http_head *head = NULL;
	struct span body = {0};
	struct err err = {0};
	enum h2_step step = H2_MORE;

	do {
		step = h2_step(x, &head, &body, &err);
		if (step == H2_HEAD || step == H2_INFORM)
			pass_on(head);
		if (step == H2_BODY)
			h2_took(x, body.n);
	} while (step != H2_MORE && step != H2_END && step != H2_FAILED);
	if (step == H2_END)
		answer(x);
	if (step == H2_END || step == H2_FAILED)
		h2_release(x);
}

static void
ask(struct h2 *h2, struct h2_user *users, size_t n)
{
	struct arena a;
	struct err err;

	arena_init(&a, 65536);
	for (size_t i = 0; i < n; i++) {
		struct http_head head;
		http_request_make(&head, &a, i % 2 ? HTTP_HEAD : HTTP_GET,
			SPAN("a.example"), SPAN("/"));
		(void)h2_request(h2, &head, &users[i], &err);
	}
	arena_fini(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct h2_config config;
	struct h2_user users[3] = {0};
	struct h2_stream *x = NULL;
	struct h2 h2;
	struct buf in;
	struct buf out;
	struct err err;

	if (n < 1)
		return 0;
	h2_config_init(&config, p[0] & 1 ? H2_CLIENT : H2_SERVER);
	config.connect_protocol = true;
	buf_init(&in, 1024 * 1024);
	buf_init(&out, 64 * 1024);
	h2_init(&h2, &config, &out);
	if (config.role == H2_SERVER)
		must(buf_put(&in, SPAN(PREFACE)));
	else
		ask(&h2, users, COUNT_OF(users));
	struct span s = span_of(p + 1, n - 1);
	size_t piece = p[0] >> 1 == 0 ? n : p[0] >> 1;
	while (s.n > 0) {
		bool fits = buf_put(&in, span_first(s, piece));
		s = span_from(s, piece);
		if (!fits || !h2_read(&h2, &in, &err))
			break;
		while ((x = h2_ready(&h2)))
			serve(x);
		h2_flush(&h2);
		buf_drop(&out, buf_len(&out) / 2); /* a slow wire */
	}
	h2_eof(&h2);
	while ((x = h2_ready(&h2)))
		serve(x);
	h2_fini(&h2);
	buf_fini(&in);
	buf_fini(&out);
	return 0;
}
