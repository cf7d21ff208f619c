// SPDX-License-Identifier: Apache-2.0
/*
 * msg: one model of an HTTP message head for every version (RFC 9110).
 *
 * Readers fill it, rules look at it, the exchange changes it, writers serialise it;
 * head bytes of a peer are never copied through. What concerns one connection only
 * (framing, persistence, upgrade) is a fact of its own, and the fields that carried it
 * are kept for looking at but are not written again.
 *
 * All spans lie in the arena given to http_head_init() and die with it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "http/body.h"

enum http_version { HTTP_NONE, HTTP_1_0, HTTP_1_1, HTTP_2 };

/* Methods something here treats specially; all others are HTTP_OTHER. */
enum http_method {
	HTTP_OTHER,
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_CONNECT,
	HTTP_OPTIONS,
	HTTP_TRACE,
	HTTP_PATCH,
};

/* HTTP_NAME_HOST and so on; see name_list.h. Comparing these beats comparing names. */
enum http_name {
	HTTP_NAME_OTHER,
#define NAME(id, text, flags) HTTP_NAME_##id,
#include "http/name_list.h"
#undef NAME
	HTTP_NAME_COUNT
};

struct http_field {
	struct span name;  /* as sent; lower case in HTTP/2 */
	struct span value; /* without blanks around it */
	enum http_name id;
};

/* What a peer may send in one head. */
struct http_limits {
	size_t head_bytes;     /* start line and fields, without body */
	size_t line_bytes;     /* request target */
	uint32_t fields;       /* their number, also in trailers */
	uint32_t informs;      /* 1xx heads before one response */
	uint32_t chunk_extras; /* octets of extensions in one chunk line */
};
/* 64 KiB, 16 KiB, 200, 32, 256. */
extern const struct http_limits http_limits_default;

struct http_fields {
	struct arena *arena; /* borrowed */
	struct http_field *v;
	uint32_t n;
	uint32_t cap;
	uint64_t ids; /* of those ever added, a bit each: what is not there is not
		       * looked for */
};

struct http_head {
	enum http_version version; /* it came in, or HTTP_NONE when made here */

	/* request */
	enum http_method method;
	struct span method_name; /* as sent, case matters */
	struct span scheme;      /* "https", lower case; empty in origin form */
	struct span authority;   /* host[:port] as sent, from the target or Host */
	struct span path;        /* with query, as sent; "*"; empty for plain CONNECT */

	/* response */
	unsigned status;    /* 100 to 599, 0 in a request */
	struct span reason; /* HTTP/1 only, as sent, may be empty */

	/* both */
	struct http_body body;
	struct span
		protocol;    /* what Upgrade, or :protocol (RFC 8441), asks or grants */
	bool close;          /* the connection ends after this message */
	bool takes_trailers; /* TE: trailers */
	bool expects_continue; /* Expect: 100-continue */

	struct http_fields fields;
	struct http_fields trailers; /* once the body has ended */
};

/* Empties it; a is where everything about the message will lie. */
void http_head_init(struct http_head *head, struct arena *a);

/* A request or response made here: fills the parts and copies them. version stays
 * HTTP_NONE. The body is BODY_NONE until set. Texts must be valid (they are ours). */
void http_request_make(struct http_head *head, struct arena *a, enum http_method method,
	struct span authority, struct span path);
void http_response_make(struct http_head *head, struct arena *a, unsigned status);

/* Value of the first field of this name, without regard to case; p is NULL when there
 * is none. Values may be empty. */
struct span http_get(const struct http_fields *f, struct span name);
/* The same by id, which is faster. */
struct span http_get_id(const struct http_fields *f, enum http_name id);
/* The next field of this name behind `after` (NULL to start), or NULL. */
const struct http_field *http_next(
	const struct http_fields *f, struct span name, const struct http_field *after);
const struct http_field *http_next_id(
	const struct http_fields *f, enum http_name id, const struct http_field *after);
/* Values of all fields of this name, in order, at most cap; returns how many exist. */
size_t http_get_all(
	const struct http_fields *f, struct span name, struct span *values, size_t cap);

/* Adds at the end, copying both. Refuses a name that is no token or a value that could
 * end a line, and what the arena has no room for. */
MUST_USE bool http_add(
	struct http_fields *f, struct span name, struct span value, struct err *err);
/* As http_remove() and http_add(), but in the place of the first one. */
MUST_USE bool http_set(
	struct http_fields *f, struct span name, struct span value, struct err *err);
/* Removes all fields of this name; returns how many. Order of the others stays. */
size_t http_remove(struct http_fields *f, struct span name);
size_t http_remove_id(struct http_fields *f, enum http_name id);
/* Removes all fields whose name begins so; '_' in a name counts as '-', because
 * gateways behind us cannot tell them apart. For identity fields a client invented. */
size_t http_remove_prefix(struct http_fields *f, struct span prefix);
/* Adds without copying or checking: for readers, which have done both. False when the
 * arena has no room. */
MUST_USE bool http_push(struct http_fields *f, struct span name, struct span value);
/* The same for a name whose id is known. */
MUST_USE bool http_push_known(struct http_fields *f, const struct http_field *field);

/* Copies everything into another arena: for a request that must be sent again. */
MUST_USE bool http_head_copy(struct http_head *dst, const struct http_head *src,
	struct arena *a, struct err *err);

enum http_method http_method_find(struct span name); /* case matters */
struct span http_method_text(enum http_method m);    /* empty for HTTP_OTHER */
enum http_name http_name_find(struct span name);     /* case does not */
struct span http_name_text(enum http_name id);       /* lower case */
const char *http_version_text(enum http_version v);  /* "HTTP/1.1", "HTTP/2", "" */
struct span http_reason(unsigned status);            /* "Not Found"; may be empty */
/* What RFC 9110 §9.2.2 calls idempotent: may be sent again on a new connection. */
MUST_USE bool http_method_repeats(enum http_method m);
/* The status to answer a request with that failed so: 400, 413, 414, 431, 501, 505. */
unsigned http_error_status(enum err_code code);

/* Character classes (RFC 9110 §5.6.2, §5.5). */
MUST_USE bool http_is_token(struct span s); /* at least one tchar, nothing else */
MUST_USE bool http_is_value(struct span s); /* no control octets but tab */

/* What name_list.h says of a name. */
enum http_name_flag { HTTP_HOP = 1, HTTP_GUARD = 2, HTTP_NO_TRAIL = 4 };
MUST_USE unsigned http_name_flags(enum http_name id);
