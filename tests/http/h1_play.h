// SPDX-License-Identifier: Apache-2.0
/*
 * h1_play: feeds octets to a reader in pieces and writes down what it said, as text
 * that tests compare: "HEAD GET a.example /x length 3|BODY abc|END|MORE".
 */
#pragma once

#include "base/text.h"
#include "http/h1_read.h"

struct h1_play {
	enum h1_role role;
	enum http_method asked; /* of each response */
	bool upgrade;
	bool eof;     /* after the last octet */
	size_t piece; /* octets given at a time, 0 for all */
	size_t first; /* octets of the first piece, when not 0 */
	size_t limit; /* of the buf, 0 for 64 KiB */
	struct err err;
	char said[1024];
	struct text t;
	bool in_body;
	bool over; /* failed */
};

static const char *const h1_play_kinds[] = {"none", "length", "chunked", "close"};

static inline void
h1_play_fields(struct h1_play *p, const struct http_fields *f)
{
	for (uint32_t i = 0; i < f->n; i++) {
		text_add(&p->t, " ");
		text_put_safe(&p->t, f->v[i].name);
		text_add(&p->t, "=");
		text_put_safe(&p->t, f->v[i].value);
	}
}

static inline void
h1_play_say_head(struct h1_play *p, const char *what, const struct http_head *head)
{
	text_add(&p->t, "%s ", what);
	if (head->status != 0) {
		text_add(&p->t, "%u", head->status);
	} else {
		text_put(&p->t, head->method_name);
		text_add(&p->t, " ");
		text_put(&p->t, head->authority);
		text_add(&p->t, " ");
		text_put(&p->t, head->path);
	}
	text_add(&p->t, " %s", h1_play_kinds[head->body.kind]);
	if (head->body.kind == BODY_LENGTH)
		text_add(&p->t, " %llu", (unsigned long long)head->body.length);
	if (head->close)
		text_add(&p->t, " closes");
	if (head->protocol.n > 0) {
		text_add(&p->t, " to ");
		text_put(&p->t, head->protocol);
	}
	text_add(&p->t, "|");
}

/* Body pieces are joined, so that the text does not depend on segments. */
static inline void
h1_play_leave_body(struct h1_play *p)
{
	if (p->in_body)
		text_add(&p->t, "|");
	p->in_body = false;
}

static inline void
h1_play_say_body(struct h1_play *p, struct span body)
{
	if (!p->in_body)
		text_add(&p->t, "BODY ");
	p->in_body = true;
	for (size_t i = 0; i < body.n; i++) /* a letter's octets may come apart */
		text_put_safe(&p->t, span_slice(body, i, i + 1));
}

/* Goes on until the reader wants more or has nothing more to say; false then ends. */
static inline bool
h1_play_turn(
	struct h1_play *p, struct h1_reader *r, struct buf *in, struct http_head *head)
{
	struct span body = {0};
	enum h1_step step = h1_read(r, in, head, &body, &p->err);

	if (step != H1_BODY && step != H1_MORE)
		h1_play_leave_body(p);
	switch (step) {
	case H1_MORE:
		return false;
	case H1_HEAD:
		h1_play_say_head(p, "HEAD", head);
		return true;
	case H1_INFORM:
		h1_play_say_head(p, "INFORM", head);
		return true;
	case H1_BODY:
		h1_play_say_body(p, body);
		h1_took(r, in, body.n);
		return true;
	case H1_TRAILERS:
		text_add(&p->t, "TRAILERS");
		h1_play_fields(p, &head->trailers);
		text_add(&p->t, "|");
		return true;
	case H1_END:
		text_add(&p->t, "END|");
		if (p->role == H1_REQUESTS)
			h1_next_request(r);
		else
			h1_next_response(r, p->asked, p->upgrade);
		return true;
	case H1_TUNNEL:
		text_add(&p->t, "TUNNEL ");
		text_put_safe(&p->t, buf_peek(in));
		return false;
	case H1_CLOSED:
		text_add(&p->t, "CLOSED");
		return false;
	case H1_FAILED:
		text_add(&p->t, "FAILED");
		p->over = true;
		return false;
	}
	return false;
}

static inline void
h1_play_feed(
	struct h1_play *p, struct h1_reader *r, struct http_head *head, struct span s)
{
	struct buf in;
	size_t take = p->first > 0 ? p->first : p->piece;

	buf_init(&in, p->limit > 0 ? p->limit : 65536);
	bool ended = false;
	while (!ended) {
		struct span next = take > 0 ? span_first(s, take) : s;
		next = span_first(next, buf_room(&in));
		(void)!buf_put(&in, next);
		s = span_from(s, next.n);
		take = p->piece;
		if (s.n == 0 && p->eof)
			h1_eof(r);
		while (h1_play_turn(p, r, &in, head))
			continue;
		ended = s.n == 0 || next.n == 0 || p->over;
	}
	h1_play_leave_body(p);
	buf_fini(&in);
}

/* Returns what was said. */
static inline const char *
h1_play(struct h1_play *p, struct span s)
{
	struct h1_reader r;
	struct http_head head;
	struct arena a;

	arena_init(&a, 1024 * 1024);
	http_head_init(&head, &a);
	p->err = (struct err){0};
	p->t = text_to(p->said, sizeof(p->said));
	p->in_body = false;
	p->over = false;
	h1_reader_init(&r, p->role, NULL);
	if (p->role == H1_RESPONSES)
		h1_next_response(&r, p->asked, p->upgrade);
	h1_play_feed(p, &r, &head, s);
	arena_fini(&a);
	return p->said;
}
