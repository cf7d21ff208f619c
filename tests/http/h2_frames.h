// SPDX-License-Identifier: Apache-2.0
/*
 * h2_frames: raw frames for a peer that breaks rules, and what was said to it.
 */
#pragma once

#include "base/read.h"
#include "http/h2.h"
#include "tests/test.h"

enum h2_frame_type {
	FRAME_DATA,
	FRAME_HEADERS,
	FRAME_PRIORITY,
	FRAME_RST_STREAM,
	FRAME_SETTINGS,
	FRAME_PUSH_PROMISE,
	FRAME_PING,
	FRAME_GOAWAY,
	FRAME_WINDOW_UPDATE,
	FRAME_CONTINUATION,
};

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8, PRIORITY = 32 };

#define H2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

/* One side of ours and the octets on both wires. */
struct h2_frames {
	struct h2 h2;
	struct buf in;
	struct buf out;
	bool over;
	struct err err;
	/* what it said */
	uint32_t goaway; /* code + 1 of GOAWAY, 0: none */
	uint32_t reset;  /* code + 1 of the last RST_STREAM */
	int32_t reset_id;
	unsigned settings_acks;
	unsigned pongs;
	unsigned heads;
};

static inline void
h2_frames_open(struct h2_frames *f, enum h2_role role)
{
	struct h2_config config;

	*f = (struct h2_frames){0};
	h2_config_init(&config, role);
	config.connect_protocol = true;
	buf_init(&f->in, 1 << 24);
	buf_init(&f->out, 1 << 20);
	h2_init(&f->h2, &config, &f->out);
}

static inline void
h2_frames_close(struct h2_frames *f)
{
	h2_fini(&f->h2);
	buf_fini(&f->in);
	buf_fini(&f->out);
}

static inline void
h2_frames_raw(struct h2_frames *f, struct span s)
{
	CHECK(buf_put(&f->in, s));
}

static inline void
h2_frames_add(
	struct h2_frames *f, unsigned type, unsigned flags, uint32_t id, struct span s)
{
	uint8_t head[9];
	struct write w = write_to(head, sizeof(head));

	write_be(&w, (uint32_t)s.n, 3);
	write_be(&w, type, 1);
	write_be(&w, flags, 1);
	write_be(&w, id, 4);
	h2_frames_raw(f, write_done(&w));
	h2_frames_raw(f, s);
}

static inline void
h2_frames_learn(struct h2_frames *f, uint32_t type, uint32_t flags, uint32_t id,
	struct read body)
{
	if (type == FRAME_GOAWAY) {
		(void)read_be(&body, 4);
		f->goaway = read_be(&body, 4) + 1;
	}
	if (type == FRAME_RST_STREAM) {
		f->reset = read_be(&body, 4) + 1;
		f->reset_id = (int32_t)id;
	}
	f->settings_acks += type == FRAME_SETTINGS && (flags & ACK);
	f->pongs += type == FRAME_PING && (flags & ACK);
	f->heads += type == FRAME_HEADERS;
}

/* Lets it read all that was added, and looks at what it says. */
static inline void
h2_frames_run(struct h2_frames *f)
{
	if (!h2_read(&f->h2, &f->in, &f->err))
		f->over = true;
	h2_flush(&f->h2);
	if (span_starts(buf_peek(&f->out), SPAN(H2_PREFACE)))
		buf_drop(&f->out, sizeof(H2_PREFACE) - 1);
	struct read r = read_from(buf_peek(&f->out));
	while (read_more(&r)) {
		uint32_t n = read_be(&r, 3);
		uint32_t type = read_be(&r, 1);
		uint32_t flags = read_be(&r, 1);
		uint32_t id = read_be(&r, 4);
		h2_frames_learn(f, type, flags, id, read_from(read_bytes(&r, n)));
	}
	CHECK(read_done(&r));
	buf_drop(&f->out, buf_len(&f->out));
}

/* Opening octets of an honest peer. */
static inline void
h2_frames_greet(struct h2_frames *f)
{
	if (f->h2.config.role == H2_SERVER)
		h2_frames_raw(f, SPAN(H2_PREFACE));
	h2_frames_add(f, FRAME_SETTINGS, 0, 0, SPAN(""));
	h2_frames_run(f);
	h2_frames_add(f, FRAME_SETTINGS, ACK, 0, SPAN(""));
}
