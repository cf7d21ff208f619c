// SPDX-License-Identifier: Apache-2.0
#include "pki/token_uri.h"

#include "base/text.h"

/* An attribute and where its value goes. To add one: a field, a row. */
struct attribute {
	const char *name;
	size_t field; /* offset of a span, or NOWHERE */
	size_t most;  /* octets */
};

#define NOWHERE SIZE_MAX

static const struct attribute path_attributes[] = {
	{"token", offsetof(struct token_uri, token), 32},
	{"serial", offsetof(struct token_uri, serial), 16},
	{"manufacturer", offsetof(struct token_uri, manufacturer), 32},
	{"model", offsetof(struct token_uri, model), 16},
	{"object", offsetof(struct token_uri, object), TOKEN_URI_NAME},
	{"id", offsetof(struct token_uri, id), TOKEN_URI_NAME},
	{"type", (size_t)NOWHERE, 16},
	{"slot-id", (size_t)NOWHERE, 20},
};

static const struct attribute query_attributes[] = {
	{"module-path", offsetof(struct token_uri, module_path), 255},
	{"pin-source", offsetof(struct token_uri, pin_source), 255},
	{"pin-value", offsetof(struct token_uri, pin), 128},
};

static const struct attribute *
find_attribute(const struct attribute *all, size_t n, struct span name)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq(name, span_str(all[i].name)))
			return &all[i];
	}
	return NULL;
}

/* The octet at i, an escape of RFC 3986 §2.1 or itself; steps over it. Negative when a
 * percent sign is no escape. */
static int
next_octet(struct span text, size_t *i)
{
	struct span hex = span_slice(text, *i + 1, *i + 3);
	int octet = text.p[(*i)++];

	if (octet != '%')
		return octet;
	int high = hex.n == 2 ? ascii_hex(hex.p[0]) : -1;
	int low = hex.n == 2 ? ascii_hex(hex.p[1]) : -1;
	*i += 2;
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Into the structure's own octets; false when it does not fit. A NUL would end a path
 * early: none is taken but in an id. */
static bool
decode(struct token_uri *u, struct span text, bool any_octet, struct span *out)
{
	size_t begin = u->n;

	for (size_t i = 0; i < text.n;) {
		int octet = next_octet(text, &i);

		if (octet < 0 || u->n == sizeof(u->bytes) || (octet == 0 && !any_octet))
			return false;
		u->bytes[u->n++] = (uint8_t)octet; /* two hex digits, or an octet */
	}
	*out = span_of(u->bytes + begin, u->n - begin);
	return true;
}

static bool
take_special(struct token_uri *u, const char *name, struct span value)
{
	if (span_eq(span_str(name), SPAN("type")))
		return span_eq(value, SPAN("private"));
	u->has_slot_id = text_u64(value, UINT64_MAX, &u->slot_id);
	return u->has_slot_id;
}

static bool
take_value(struct token_uri *u, const struct attribute *a, struct span text)
{
	bool is_id = a->field == offsetof(struct token_uri, id);
	struct span value;

	if (!decode(u, text, is_id, &value) || value.n == 0 || value.n > a->most)
		return false;
	if (a->field == (size_t)NOWHERE)
		return take_special(u, a->name, value);
	*(struct span *)(void *)((uint8_t *)u + a->field) = value;
	return true;
}

/* The attributes of one part, each at most once. An unknown one of the query says how
 * to reach a module, not which key: it is passed over (RFC 7512 §2.4). */
static bool
read_part(struct token_uri *u, struct span part, bool is_query, struct err *err)
{
	const struct attribute *all = is_query ? query_attributes : path_attributes;
	size_t n = is_query ? COUNT_OF(query_attributes) : COUNT_OF(path_attributes);
	struct span piece;
	unsigned seen = 0; /* bit per row */

	while (span_cut(&part, is_query ? '&' : ';', &piece)) {
		size_t equals = span_chr(piece, '=');
		struct span name = span_first(piece, equals);
		const struct attribute *a = find_attribute(all, n, name);

		if (!a && is_query)
			continue;
		if (!a || equals == piece.n) {
			return err_set(err, ERR_PKI_TOKEN, "\"%.*s\" is not known here",
				SPAN_ARG(span_first(name, TOKEN_URI_NAME)));
		}
		unsigned bit = 1u << (a - all); /* fewer than 32 rows */
		if ((seen & bit) || !take_value(u, a, span_from(piece, equals + 1))) {
			return err_set(err, ERR_PKI_TOKEN,
				"%s is given twice, or its value is not good", a->name);
		}
		seen |= bit;
	}
	return true;
}

bool
token_uri_is(struct span text)
{
	return span_starts(text, SPAN("pkcs11:"));
}

/* "file:/etc/pin", "file:///etc/pin" and "/etc/pin" are the same file. */
static bool
read_pin_source(struct token_uri *u)
{
	struct span *s = &u->pin_source;

	if (s->n == 0 || span_starts(*s, SPAN("fd:")))
		return true;
	if (span_starts(*s, SPAN("file:")))
		*s = span_from(*s, 5);
	if (span_starts(*s, SPAN("//")))
		*s = span_from(*s, 2);
	return span_starts(*s, SPAN("/"));
}

bool
token_uri_parse(struct span text, struct token_uri *out, struct err *err)
{
	struct span rest = text;

	*out = (struct token_uri){0};
	if (!token_uri_is(text))
		return err_set(err, ERR_PKI_TOKEN, "it does not begin with pkcs11:");
	rest = span_from(rest, 7);
	size_t query = span_chr(rest, '?');
	if (!read_part(out, span_first(rest, query), false, err))
		return false;
	if (query < rest.n && !read_part(out, span_from(rest, query + 1), true, err))
		return false;
	if (!read_pin_source(out) || (out->pin.n > 0 && out->pin_source.n > 0)) {
		return err_set(err, ERR_PKI_TOKEN,
			"the PIN comes from a file's path or from pin-value");
	}
	if (out->token.n == 0 && out->serial.n == 0 && !out->has_slot_id) {
		return err_set(err, ERR_PKI_TOKEN,
			"it names no token: token, serial or slot-id");
	}
	return true;
}
