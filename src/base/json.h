// SPDX-License-Identifier: Apache-2.0
/*
 * json: writing JSON, and reading it with bounds (RFC 8259).
 *
 * The writer puts commas and quotes; strings that are not UTF-8 have their bad octets
 * replaced by U+FFFD, so the output is always valid. The reader makes a tree in an
 * arena; depth and number of nodes are bounded, duplicate keys are refused.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct json_out {
	char *p; /* owned; grows up to limit */
	size_t n;
	size_t cap;
	size_t limit;
	uint64_t arrays; /* bit per depth: 1 array, 0 object */
	unsigned depth;
	bool comma; /* one is due before the next value */
	bool cut;   /* the limit was hit; the text is not complete */
	bool pretty;
};

/* limit bounds the text. Ended by json_fini(). */
void json_init(struct json_out *j, size_t limit);
void json_fini(struct json_out *j);
/* Back to empty, memory kept. */
void json_reset(struct json_out *j);
/* Valid until the next call. */
struct span json_text(const struct json_out *j);

/* key is NULL in arrays and at the top. At most 60 levels. */
void json_object(struct json_out *j, const char *key);
void json_array(struct json_out *j, const char *key);
void json_end(struct json_out *j); /* of the innermost object or array */
void json_span(struct json_out *j, const char *key, struct span s);
void json_str(struct json_out *j, const char *key, const char *s); /* NULL gives null */
void json_int(struct json_out *j, const char *key, int64_t v);
void json_uint(struct json_out *j, const char *key, uint64_t v);
void json_real(struct json_out *j, const char *key, double v);
void json_bool(struct json_out *j, const char *key, bool v);
void json_null(struct json_out *j, const char *key);

enum json_type {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json {
	enum json_type type;
	struct span key;    /* in an object; unescaped */
	struct span text;   /* string unescaped to UTF-8; number as written */
	struct json *first; /* of array or object, in order */
	struct json *next;
	size_t n; /* members */
};

/* Everything lies in the arena, whose limit bounds the whole. Depth at most 64. */
MUST_USE bool json_parse(
	struct span s, struct arena *a, struct json **out, struct err *err);
/* Member by name, or NULL; NULL in, NULL out, so that calls nest. */
const struct json *json_get(const struct json *j, const char *key);
/* The string's text, or the empty span. */
struct span json_string(const struct json *j);
/* A number that is a whole one in range. */
MUST_USE bool json_integer(const struct json *j, int64_t *out);
/* True only for `true`. */
MUST_USE bool json_truth(const struct json *j);
