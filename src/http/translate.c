// SPDX-License-Identifier: Apache-2.0
#include "http/translate.h"

#include "base/text.h"
#include "http/header.h"
#include "http/url.h"

enum {
	FIELD_COST = 32, /* RFC 9113 §6.5.2, beside name and value */
	SLACK = 64,      /* what aligning in an arena may cost */
};

enum pseudo {
	SEEN_METHOD = 1,
	SEEN_SCHEME = 2,
	SEEN_AUTHORITY = 4,
	SEEN_PATH = 8,
	SEEN_PROTOCOL = 16,
	SEEN_STATUS = 32,
};

static const struct {
	struct span name;
	enum pseudo bit;
} pseudos[] = {
	{SPAN_INIT(":method"), SEEN_METHOD},
	{SPAN_INIT(":scheme"), SEEN_SCHEME},
	{SPAN_INIT(":authority"), SEEN_AUTHORITY},
	{SPAN_INIT(":path"), SEEN_PATH},
	{SPAN_INIT(":protocol"), SEEN_PROTOCOL},
	{SPAN_INIT(":status"), SEEN_STATUS},
};

static bool
refuse(struct err *err, const char *why)
{
	return err_set(err, ERR_HTTP_SYNTAX, "%s", why);
}

static bool
keep(struct arena *a, struct span s, struct span *out, struct err *err)
{
	*out = SPAN("");
	if (s.n == 0)
		return true;
	if (s.n + SLACK > arena_room(a))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for the head");
	*out = arena_copy(a, s);
	return true;
}

static bool
parse_status(struct span s, unsigned *out)
{
	uint64_t status = 0;

	if (s.n != 3 || !text_u64(s, 999, &status) || status < 100)
		return false;
	*out = (unsigned)status;
	return true;
}

static bool
store_pseudo(struct http_head *head, enum pseudo bit, struct span value)
{
	switch (bit) {
	case SEEN_METHOD:
		head->method_name = value;
		head->method = http_method_find(value);
		return http_is_token(value);
	case SEEN_SCHEME:
		head->scheme = value;
		return span_eq_nocase(value, SPAN("https")) ||
			span_eq_nocase(value, SPAN("http"));
	case SEEN_AUTHORITY:
		head->authority = value;
		return true;
	case SEEN_PATH:
		head->path = value;
		return true;
	case SEEN_PROTOCOL:
		head->protocol = value;
		return http_is_token(value);
	case SEEN_STATUS:
		return parse_status(value, &head->status);
	}
	return false;
}

static bool
take_pseudo(struct translate *t, struct http_head *head, const struct http_field *field,
	struct err *err)
{
	struct span value = {0};
	size_t i = 0;

	while (i < COUNT_OF(pseudos) && !span_eq(pseudos[i].name, field->name))
		i++;
	if (i == COUNT_OF(pseudos))
		return refuse(err, "unknown pseudo-field");
	if (t->regular)
		return refuse(err, "pseudo-field behind a field");
	if (t->seen & pseudos[i].bit)
		return refuse(err, "pseudo-field twice");
	if (!keep(head->fields.arena, field->value, &value, err))
		return false;
	if (!store_pseudo(head, pseudos[i].bit, value))
		return refuse(err, "pseudo-field with a bad value");
	t->seen |= pseudos[i].bit;
	return true;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* RFC 9113 §8.2.1: what HTTP/1 could not carry, and what trimming would change. */
static bool
check_name(struct span name, struct err *err)
{
	if (!http_is_token(name))
		return refuse(err, "field name is not a token");
	for (size_t i = 0; i < name.n; i++) {
		if (name.p[i] != ascii_lower(name.p[i]))
			return refuse(err, "field name in upper case");
	}
	return true;
}

/* Whether the name is octet for octet one of ours, and so beyond doubt. */
static bool
is_ours(const struct http_field *field)
{
	return field->id != HTTP_NAME_OTHER &&
		span_eq(field->name, http_name_text(field->id));
}

static bool
check_octets(const struct http_field *field, struct err *err)
{
	struct span value = field->value;

	if (!is_ours(field) && !check_name(field->name, err))
		return false;
	if (!http_is_value(value))
		return refuse(err, "field value has a control octet");
	if (value.n > 0 && (is_blank(value.p[0]) || is_blank(value.p[value.n - 1])))
		return refuse(err, "field value with blanks around it");
	return true;
}

/* RFC 9113 §8.2.2 */
static bool
check_connection(enum http_name id, struct span value, struct err *err)
{
	bool connection = id == HTTP_NAME_CONNECTION ||
		id == HTTP_NAME_PROXY_CONNECTION || id == HTTP_NAME_KEEP_ALIVE ||
		id == HTTP_NAME_UPGRADE || id == HTTP_NAME_TRANSFER_ENCODING;

	if (connection ||
		(id == HTTP_NAME_TE && !span_eq_nocase(value, SPAN("trailers"))))
		return err_set(err, ERR_HTTP_FRAMING, "field about the connection");
	return true;
}

static bool
count(struct translate *t, const struct http_limits *limits,
	const struct http_fields *f, const struct http_field *field, struct err *err)
{
	t->bytes += field->name.n + field->value.n + FIELD_COST;
	if (t->bytes > limits->head_bytes) {
		return err_set(err, ERR_HTTP_TOO_LARGE, "head over %zu octets",
			limits->head_bytes);
	}
	if (f->n >= limits->fields)
		return err_set(err, ERR_HTTP_TOO_LARGE, "more than %u fields", f->n);
	return true;
}

static bool
take_regular(struct http_fields *f, const struct http_field *field, struct err *err)
{
	struct http_field kept = {.name = http_name_text(field->id), .id = field->id};

	if (!is_ours(field) && !keep(f->arena, field->name, &kept.name, err))
		return false;
	if (!keep(f->arena, field->value, &kept.value, err))
		return false;
	if (!http_push_known(f, &kept))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for another field");
	return true;
}

bool
translate_field(struct translate *t, const struct http_limits *limits,
	struct http_head *head, const struct http_field *field, struct err *err)
{
	struct http_field named = *field;

	if (!count(t, limits, &head->fields, field, err))
		return false;
	if (field->name.n > 0 && field->name.p[0] == ':')
		return take_pseudo(t, head, field, err);
	t->regular = true;
	named.id = http_name_find(field->name);
	if (!check_octets(&named, err) || !check_connection(named.id, named.value, err))
		return false;
	if (named.id == HTTP_NAME_COOKIE)
		t->crumbs++;
	return take_regular(&head->fields, &named, err);
}

bool
translate_trailer(struct translate *t, const struct http_limits *limits,
	struct http_head *head, const struct http_field *field, struct err *err)
{
	struct http_field named = *field;

	named.id = http_name_find(field->name);
	if (!count(t, limits, &head->trailers, field, err))
		return false;
	if (!check_octets(&named, err)) /* also a pseudo-field: ':' is no tchar */
		return false;
	if (http_name_flags(named.id) & HTTP_NO_TRAIL)
		return err_set(err, ERR_HTTP_FRAMING, "trailer that may not be one");
	return take_regular(&head->trailers, &named, err);
}

/* RFC 9113 §8.2.3: one field, joined as HTTP/1 wants it. */
static bool
join_cookies(struct http_head *head, struct err *err)
{
	const struct http_field *x = NULL;
	size_t size = 0;
	size_t n = 0;

	while ((x = http_next_id(&head->fields, HTTP_NAME_COOKIE, x)))
		size += x->value.n + 2;
	if (size + SLACK > arena_room(head->fields.arena))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for the cookies");
	uint8_t *p = arena_alloc(head->fields.arena, size);
	while ((x = http_next_id(&head->fields, HTTP_NAME_COOKIE, x))) {
		for (size_t i = 0; i < x->value.n; i++)
			p[n++] = x->value.p[i];
		p[n++] = ';';
		p[n++] = ' ';
	}
	return http_set(&head->fields, SPAN("cookie"), span_of(p, n - 2), err);
}

/* Facts that header_learn() knows from HTTP/1 and that make sense here. */
static void
learn(struct http_head *head)
{
	struct span expect = http_get_id(&head->fields, HTTP_NAME_EXPECT);

	head->version = HTTP_2;
	head->takes_trailers =
		header_lists(&head->fields, HTTP_NAME_TE, SPAN("trailers"));
	head->expects_continue =
		head->status == 0 && span_eq_nocase(expect, SPAN("100-continue"));
}

static bool
read_length(const struct http_head *head, bool *has, uint64_t *out, struct err *err)
{
	const struct http_field *x =
		http_next_id(&head->fields, HTTP_NAME_CONTENT_LENGTH, NULL);

	*has = x != NULL;
	if (!x)
		return true;
	if (http_next_id(&head->fields, HTTP_NAME_CONTENT_LENGTH, x))
		return err_set(err, ERR_HTTP_FRAMING, "content-length twice");
	if (!body_length_parse(x->value, out))
		return err_set(err, ERR_HTTP_FRAMING, "content-length is no number");
	return true;
}

/* Methods whose requests without a body still say so in HTTP/1 (RFC 9110 §8.6). */
static bool
expects_body(enum http_method m)
{
	return m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH;
}

static bool
frame_request(struct http_head *head, bool ended, struct err *err)
{
	uint64_t length = 0;
	bool has = false;

	if (!read_length(head, &has, &length, err))
		return false;
	if (head->method == HTTP_CONNECT && has)
		return err_set(err, ERR_HTTP_FRAMING, "CONNECT with a length");
	if (ended && length > 0)
		return err_set(err, ERR_HTTP_FRAMING, "content-length without a body");
	if (!ended) {
		head->body.kind = has ? BODY_LENGTH : BODY_CHUNKED;
	} else {
		head->body.kind =
			has || expects_body(head->method) ? BODY_LENGTH : BODY_NONE;
	}
	head->body.length = length;
	return true;
}

/* RFC 9113 §8.3.1: :authority is the host; a Host beside it says the same. */
static bool
learn_authority(struct http_head *head, struct err *err)
{
	const struct http_field *host =
		http_next_id(&head->fields, HTTP_NAME_HOST, NULL);
	uint16_t port = span_eq_nocase(head->scheme, SPAN("http")) ? 80 : 443;

	if (host && http_next_id(&head->fields, HTTP_NAME_HOST, host))
		return err_set(err, ERR_HTTP_HOST, "host twice");
	if (head->authority.n == 0 && host)
		head->authority = host->value;
	if (head->authority.n == 0)
		return err_set(err, ERR_HTTP_HOST, "no :authority");
	if (!url_host_check(head->authority, err))
		return false;
	if (host && !url_host_same(head->authority, host->value, port))
		return err_set(err, ERR_HTTP_HOST, "host is not :authority");
	return true;
}

/* RFC 9113 §8.3.1, §8.5 and RFC 8441 §4: which pseudo-fields each method has. */
static bool
check_pseudos(const struct translate *t, const struct http_head *head, struct err *err)
{
	const unsigned plain = SEEN_METHOD | SEEN_SCHEME | SEEN_PATH;
	const unsigned connect = SEEN_METHOD | SEEN_AUTHORITY;
	unsigned seen = t->seen;

	if (head->method != HTTP_CONNECT) {
		return (seen & ~(unsigned)SEEN_AUTHORITY) == plain ||
			refuse(err, "a request without its pseudo-fields");
	}
	if (seen & SEEN_PROTOCOL) {
		return seen == (plain | SEEN_AUTHORITY | SEEN_PROTOCOL) ||
			refuse(err, "an extended CONNECT without its pseudo-fields");
	}
	return seen == connect || refuse(err, "a CONNECT with other pseudo-fields");
}

/* A path is a path: "http://other/" in it would be absolute form in HTTP/1. */
static bool
check_target(const struct http_head *head, struct err *err)
{
	struct url_target target;
	bool plain_connect = head->method == HTTP_CONNECT && head->protocol.n == 0;
	unsigned method = plain_connect        ? HTTP_CONNECT
		: head->method == HTTP_OPTIONS ? HTTP_OPTIONS
					       : HTTP_GET;
	struct span s = plain_connect ? head->authority : head->path;

	if (!url_target_parse(s, method, &target, err))
		return false;
	if (target.form == URL_ABSOLUTE)
		return err_set(err, ERR_HTTP_TARGET, ":path is a whole URL");
	return true;
}

bool
translate_request(
	struct translate *t, struct http_head *head, bool ended, struct err *err)
{
	if (!check_pseudos(t, head, err) || !learn_authority(head, err) ||
		!check_target(head, err))
		return false;
	if (t->crumbs > 1 && !join_cookies(head, err))
		return false;
	learn(head);
	return frame_request(head, ended, err);
}

static bool
has_no_body(unsigned status, unsigned asked)
{
	return asked == HTTP_HEAD || status < 200 || status == 204 || status == 304;
}

static bool
frame_response(struct http_head *head, unsigned asked, bool ended, struct err *err)
{
	uint64_t length = 0;
	bool has = false;
	bool tunnel = asked == HTTP_CONNECT && head->status < 300;

	if (!read_length(head, &has, &length, err))
		return false;
	if (has_no_body(head->status, asked))
		return true;
	if (ended && length > 0)
		return err_set(err, ERR_HTTP_FRAMING, "content-length without a body");
	head->body.kind = (has && !tunnel) || ended ? BODY_LENGTH : BODY_CHUNKED;
	head->body.length = tunnel ? 0 : length;
	return true;
}

bool
translate_response(struct translate *t, struct http_head *head, unsigned asked,
	bool ended, struct err *err)
{
	if (t->seen != SEEN_STATUS)
		return refuse(err, "a response without :status alone");
	if (head->status == 101)
		return refuse(err, "101 in HTTP/2");
	if (head->status < 200 && ended)
		return refuse(err, "a 1xx that ends its stream");
	learn(head);
	return frame_response(head, asked, ended, err);
}

static bool
unwritable(struct err *err, const char *why)
{
	return err_set(err, ERR_HTTP_UNWRITABLE, "%s", why);
}

static bool
put(struct http_fields *out, enum http_name id, struct span name, struct span value,
	struct err *err)
{
	const struct http_field field = {name, value, id};

	if (!http_push_known(out, &field))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for the head");
	return true;
}

static bool
put_pseudo(
	struct http_fields *out, struct span name, struct span value, struct err *err)
{
	return put(out, HTTP_NAME_OTHER, name, value, err);
}

static bool
put_number(struct http_fields *out, enum http_name id, struct span name, uint64_t v,
	struct err *err)
{
	char digits[TEXT_UINT];
	struct text t = text_to(digits, sizeof(digits));

	if (SLACK > arena_room(out->arena))
		return err_set(err, ERR_HTTP_TOO_LARGE, "no room for the head");
	text_put_uint(&t, v);
	return put(out, id, name, arena_copy(out->arena, text_span(&t)), err);
}

static bool
check_request(const struct http_head *head, struct err *err)
{
	bool connect = head->method == HTTP_CONNECT;

	if (!http_is_token(head->method_name) || !url_host_check(head->authority, err))
		return unwritable(err, "method or authority would not be understood");
	if (head->protocol.n > 0 && (!connect || !http_is_token(head->protocol)))
		return unwritable(err, "an upgrade that is no extended CONNECT");
	return check_target(head, err);
}

static bool
put_request(const struct http_head *head, struct http_fields *out, struct err *err)
{
	bool plain_connect = head->method == HTTP_CONNECT && head->protocol.n == 0;
	struct span scheme = head->scheme.n > 0 ? head->scheme : SPAN("https");

	if (!check_request(head, err))
		return false;
	return put_pseudo(out, SPAN(":method"), head->method_name, err) &&
		(plain_connect || put_pseudo(out, SPAN(":scheme"), scheme, err)) &&
		put_pseudo(out, SPAN(":authority"), head->authority, err) &&
		(plain_connect || put_pseudo(out, SPAN(":path"), head->path, err)) &&
		(head->protocol.n == 0 ||
			put_pseudo(out, SPAN(":protocol"), head->protocol, err));
}

static bool
put_status(const struct http_head *head, struct http_fields *out, struct err *err)
{
	if (head->status < 100 || head->status > 999 || head->status == 101)
		return unwritable(err, "a status that HTTP/2 does not have");
	return put_number(out, HTTP_NAME_OTHER, SPAN(":status"), head->status, err);
}

/* A length is told where the sender told it and it still holds, and for pages of ours.
 */
static bool
put_length(const struct http_head *head, struct http_fields *out, struct err *err)
{
	const enum http_name id = HTTP_NAME_CONTENT_LENGTH;
	const struct span name = http_name_text(id);
	struct span sent = http_get_id(&head->fields, id);
	bool ours = head->version == HTTP_NONE;

	if (head->status >= 100 && (head->status < 200 || head->status == 204))
		return true;
	if (head->body.kind == BODY_LENGTH && (ours || sent.p))
		return put_number(out, id, name, head->body.length, err);
	uint64_t length = 0;
	bool announces = head->status != 0 && head->body.kind == BODY_NONE &&
		body_length_parse(sent, &length);
	return !announces || put(out, id, name, sent, err);
}

static bool
put_regular(const struct http_fields *f, unsigned but, struct http_fields *out,
	struct err *err)
{
	for (uint32_t i = 0; i < f->n; i++) {
		const struct http_field *x = &f->v[i];
		if (http_name_flags(x->id) & but || x->id == HTTP_NAME_HOST ||
			x->id == HTTP_NAME_CONTENT_LENGTH)
			continue;
		bool named = x->id != HTTP_NAME_OTHER || http_is_token(x->name);
		if (!named || !http_is_value(x->value))
			return unwritable(err, "a field that would not be understood");
		if (!put(out, x->id, x->name, x->value, err))
			return false;
	}
	return true;
}

bool
translate_out(const struct http_head *head, struct http_fields *out, struct err *err)
{
	bool request = head->status == 0;

	if (!(request ? put_request(head, out, err) : put_status(head, out, err)))
		return false;
	if (!put_regular(&head->fields, HTTP_HOP, out, err) ||
		!put_length(head, out, err))
		return false;
	return !(request && head->takes_trailers) ||
		put(out, HTTP_NAME_TE, SPAN("te"), SPAN("trailers"), err);
}

bool
translate_trailers_out(
	const struct http_fields *trailers, struct http_fields *out, struct err *err)
{
	return put_regular(trailers, HTTP_HOP | HTTP_NO_TRAIL, out, err);
}
