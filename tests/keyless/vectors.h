// SPDX-License-Identifier: Apache-2.0
/*
 * vectors: the recorded exchanges of vectors.json, one after the other.
 *
 * "req" is hex, followed by "req_zeros" zero octets; "resp_items" are [tag, hex]
 * without padding, "resp_total" is the answer's whole length. Three have "resp"
 * instead: there the server closes.
 */
#pragma once

#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "tests/test.h"

struct vectors {
	struct arena arena;
	struct span file;
	const struct json *keys; /* object of objects */
	const struct json *next;
	size_t n; /* seen so far */
};

struct vector {
	const char *name; /* in the arena */
	uint8_t req[1100];
	size_t n_req;
	const struct json *items; /* NULL: the server closes */
	int64_t id;
	int64_t total;
	bool fixed; /* the payload is deterministic */
	uint8_t op;
	uint8_t payload[1100];
	size_t n_payload;
};

static inline void
vectors_open(struct vectors *v)
{
	struct err err = {0};
	struct json *top = NULL;
	char path[512];
	const char *source = getenv("SEKISHO_SOURCE");

	text_format(path, sizeof(path), "%s/tests/keyless/vectors.json",
		source ? source : ".");
	*v = (struct vectors){0};
	arena_init(&v->arena, (size_t)8 << 20);
	CHECK_OK(file_read(path, (size_t)1 << 20, &v->file, &err), &err);
	CHECK_OK(json_parse(v->file, &v->arena, &top, &err), &err);
	v->keys = json_get(top, "keys");
	v->next = json_get(top, "vectors")->first;
}

static inline void
vectors_close(struct vectors *v)
{
	arena_fini(&v->arena);
	mem_free((void *)(uintptr_t)v->file.p);
}

static inline void
vectors_read_answer(const struct json *j, struct vector *out)
{
	out->items = json_get(j, "resp_items");
	CHECK(json_integer(json_get(j, "resp_id"), &out->id));
	CHECK(json_integer(json_get(j, "resp_total"), &out->total));
	for (const struct json *item = out->items->first; item; item = item->next) {
		struct span hex = item->first->next->text;
		size_t n = 0;

		if (span_eq(item->first->text, SPAN("11"))) {
			CHECK(text_unhex(hex, &out->op, 1, &n));
			continue;
		}
		out->fixed = text_unhex(
			hex, out->payload, sizeof(out->payload), &out->n_payload);
	}
	if (!out->items->first->next)
		out->fixed = true; /* no payload at all */
}

static inline bool
vectors_next(struct vectors *v, struct vector *out)
{
	const struct json *j = v->next;
	int64_t zeros = 0;

	if (!j)
		return false;
	*out = (struct vector){
		.name = arena_cstr(&v->arena, json_string(json_get(j, "name")))};
	CHECK(text_unhex(json_string(json_get(j, "req")), out->req, sizeof(out->req),
		&out->n_req));
	CHECK(json_integer(json_get(j, "req_zeros"), &zeros));
	CHECK(zeros >= 0 && out->n_req + (size_t)zeros <= sizeof(out->req));
	out->n_req += (size_t)zeros; /* already zero */
	if (json_get(j, "resp_items"))
		vectors_read_answer(j, out);
	v->next = j->next;
	v->n++;
	return true;
}
