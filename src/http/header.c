// SPDX-License-Identifier: Apache-2.0
#include "http/header.h"

#include "base/text.h"

enum {
	NAMED_MOST = 32,   /* names one Connection list may hold */
	VALUE_MOST = 4096, /* of a field built from what was there and our part */
};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span
trim_blanks(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_from(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Index of the first `mark` outside a quoted string, or s.n. */
static size_t
find_unquoted(struct span s, uint8_t mark)
{
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		if (quoted && s.p[i] == '\\') {
			i++;
		} else if (s.p[i] == '"') {
			quoted = !quoted;
		} else if (!quoted && s.p[i] == mark) {
			return i;
		}
	}
	return s.n;
}

bool
header_item(struct span *rest, struct span *item)
{
	while (rest->n > 0) {
		size_t comma = find_unquoted(*rest, ',');
		*item = trim_blanks(span_first(*rest, comma));
		*rest = span_from(*rest, comma + 1);
		if (item->n > 0)
			return true;
	}
	return false;
}

struct span
header_item_name(struct span item, struct span *params)
{
	size_t end = span_chr(item, ';');

	*params = span_from(item, end + 1);
	return trim_blanks(span_first(item, end));
}

bool
header_param(struct span *params, struct span *name, struct span *value)
{
	while (params->n > 0) {
		size_t end = find_unquoted(*params, ';');
		struct span one = trim_blanks(span_first(*params, end));
		size_t sign = span_chr(one, '=');
		*params = span_from(*params, end + 1);
		*name = trim_blanks(span_first(one, sign));
		*value = trim_blanks(span_from(one, sign + 1));
		if (value->n >= 2 && value->p[0] == '"' &&
			value->p[value->n - 1] == '"')
			*value = span_slice(*value, 1, value->n - 1);
		if (name->n > 0)
			return true;
	}
	return false;
}

bool
header_lists(const struct http_fields *f, enum http_name id, struct span token)
{
	const struct http_field *x = NULL;
	struct span item = {0};

	while ((x = http_next_id(f, id, x))) {
		struct span rest = x->value;
		while (header_item(&rest, &item)) {
			struct span params = {0};
			if (span_eq_nocase(header_item_name(item, &params), token))
				return true;
		}
	}
	return false;
}

/* A list of tokens, at most so many. */
static bool
check_tokens(struct span list, size_t most, struct err *err)
{
	struct span item = {0};

	for (size_t n = 0; header_item(&list, &item); n++) {
		if (!http_is_token(item)) {
			return err_set(
				err, ERR_HTTP_SYNTAX, "Connection lists no token");
		}
		if (n >= most) {
			return err_set(
				err, ERR_HTTP_TOO_LARGE, "Connection lists too many");
		}
	}
	return true;
}

static bool
check_connection(const struct http_fields *f, struct err *err)
{
	const struct http_field *x = NULL;

	for (unsigned n = 0; (x = http_next_id(f, HTTP_NAME_CONNECTION, x)); n++) {
		if (n >= NAMED_MOST)
			return err_set(err, ERR_HTTP_TOO_LARGE, "Connection too often");
		if (!check_tokens(x->value, NAMED_MOST, err))
			return false;
	}
	return true;
}

/* RFC 9110 §7.8: a list of name[/version]. Only with HTTP/1.1, and only if Connection
 * says so; else it means nothing. */
static bool
learn_upgrade(struct http_head *head, struct err *err)
{
	const struct http_field *x =
		http_next_id(&head->fields, HTTP_NAME_UPGRADE, NULL);

	if (!x || head->version != HTTP_1_1 ||
		!header_lists(&head->fields, HTTP_NAME_CONNECTION, SPAN("upgrade")))
		return true;
	if (http_next_id(&head->fields, HTTP_NAME_UPGRADE, x))
		return err_set(err, ERR_HTTP_SYNTAX, "Upgrade twice");
	if (x->value.n == 0)
		return err_set(err, ERR_HTTP_SYNTAX, "Upgrade to nothing");
	head->protocol = x->value;
	return true;
}

bool
header_learn(struct http_head *head, struct err *err)
{
	const struct http_fields *f = &head->fields;
	bool has_connection = http_next_id(f, HTTP_NAME_CONNECTION, NULL) != NULL;

	if (has_connection && (!check_connection(f, err) || !learn_upgrade(head, err)))
		return false;

	if (head->version == HTTP_1_0) {
		head->close =
			!header_lists(f, HTTP_NAME_CONNECTION, SPAN("keep-alive"));
	}
	if (has_connection && header_lists(f, HTTP_NAME_CONNECTION, SPAN("close")))
		head->close = true;

	head->takes_trailers = header_lists(f, HTTP_NAME_TE, SPAN("trailers"));
	struct span expect = http_get_id(f, HTTP_NAME_EXPECT);
	head->expects_continue = head->status == 0 && head->version != HTTP_1_0 &&
		span_eq_nocase(expect, SPAN("100-continue"));
	return true;
}

/* Families of names that stay, whatever Connection says. */
static const struct span guarded_prefixes[] = {
	SPAN_INIT("access-control-"),
	SPAN_INIT("cf-"),
	SPAN_INIT("client-cert"),
	SPAN_INIT("content-"),
	SPAN_INIT("if-"),
	SPAN_INIT("sec-"),
	SPAN_INIT("x-client-cert"),
	SPAN_INIT("x-forwarded-"),
	SPAN_INIT("x-ssl-"),
};

static bool
is_guarded(struct span name)
{
	if (http_name_flags(http_name_find(name)) & HTTP_GUARD)
		return true;
	for (size_t i = 0; i < COUNT_OF(guarded_prefixes); i++) {
		struct span prefix = guarded_prefixes[i];
		if (span_eq_nocase(span_first(name, prefix.n), prefix))
			return true;
	}
	return false;
}

/* Names from Connection that ask for removal: at most NAMED_MOST are believed. */
static size_t
collect_named(const struct http_fields *f, struct span *named)
{
	const struct http_field *x = NULL;
	struct span item = {0};
	size_t n = 0;

	while ((x = http_next_id(f, HTTP_NAME_CONNECTION, x))) {
		struct span rest = x->value;
		while (n < NAMED_MOST && header_item(&rest, &item)) {
			bool hop = http_name_flags(http_name_find(item)) & HTTP_HOP;
			if (!hop && !is_guarded(item))
				named[n++] = item;
		}
	}
	return n;
}

static bool
is_named(struct span name, const struct span *named, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (span_eq_nocase(name, named[i]))
			return true;
	}
	return false;
}

void
header_strip(struct http_head *head)
{
	struct http_fields *f = &head->fields;
	struct span named[NAMED_MOST];
	size_t n = collect_named(f, named);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < f->n; i++) {
		const struct http_field *x = &f->v[i];
		if (http_name_flags(x->id) & HTTP_HOP || is_named(x->name, named, n))
			continue;
		f->v[kept++] = *x;
	}
	f->n = kept;
}

bool
header_add_via(struct http_head *head, struct span name, struct err *err)
{
	static const char *const versions[] = {"1.1", "1.0", "1.1", "2"};
	char text[256];
	struct text t = text_to(text, sizeof(text));

	text_put(&t, span_str(versions[head->version]));
	text_put(&t, SPAN(" "));
	text_put(&t, span_first(name, 200));
	return http_add(&head->fields, SPAN("Via"), text_span(&t), err);
}

size_t
header_count_via(const struct http_head *head, struct span name)
{
	const struct http_field *x = NULL;
	struct span item = {0};
	size_t n = 0;

	while ((x = http_next_id(&head->fields, HTTP_NAME_VIA, x))) {
		struct span rest = x->value;
		while (header_item(&rest, &item)) {
			struct span by =
				trim_blanks(span_from(item, span_chr(item, ' ')));
			n += span_eq_nocase(span_first(by, span_chr(by, ' ')), name);
		}
	}
	return n;
}

/* Puts our part behind the values that are there, as one field: some readers look at
 * the last field only, others at the first. */
static bool
append(struct http_head *head, enum http_name id, struct span ours, struct err *err)
{
	char value[VALUE_MOST];
	struct text t = text_to(value, sizeof(value));
	const struct http_field *x = NULL;

	while ((x = http_next_id(&head->fields, id, x))) {
		text_put(&t, x->value);
		if (x->value.n > 0)
			text_put(&t, SPAN(", "));
	}
	text_put(&t, ours);
	if (t.cut) {
		return err_set(err, ERR_HTTP_TOO_LARGE, "%.*s is too long",
			SPAN_ARG(http_name_text(id)));
	}
	return http_set(&head->fields, http_name_text(id), text_span(&t), err);
}

/* RFC 7239 §4, §6: what holds a colon is quoted. */
static bool
add_forwarded(struct http_head *head, const struct header_hop *hop, struct err *err)
{
	char ip[IP_TEXT];
	char value[512];
	struct text t = text_to(value, sizeof(value));
	bool v6 = hop->client.family == IP_V6;

	text_put(&t, v6 ? SPAN("for=\"[") : SPAN("for="));
	text_put(&t, span_str(ip_text(ip, &hop->client)));
	text_put(&t, v6 ? SPAN("]\"") : SPAN(""));
	if (hop->host.n > 0) {
		text_put(&t, SPAN(";host=\""));
		text_put(&t, hop->host);
		text_put(&t, SPAN("\""));
	}
	if (hop->scheme.n > 0) {
		text_put(&t, SPAN(";proto="));
		text_put(&t, hop->scheme);
	}
	if (t.cut)
		return err_set(err, ERR_HTTP_TOO_LARGE, "host is too long to forward");
	return append(head, HTTP_NAME_FORWARDED, text_span(&t), err);
}

static void
remove_forwarded(struct http_head *head)
{
	(void)http_remove_id(&head->fields, HTTP_NAME_FORWARDED);
	(void)http_remove_id(&head->fields, HTTP_NAME_X_FORWARDED_FOR);
	(void)http_remove_id(&head->fields, HTTP_NAME_X_FORWARDED_PROTO);
	(void)http_remove_id(&head->fields, HTTP_NAME_X_FORWARDED_HOST);
}

/* Scheme and host are one hop's matter: ours replace what was there. */
bool
header_forward(struct http_head *head, enum header_forwarded how,
	const struct header_hop *hop, struct err *err)
{
	char ip[IP_TEXT];

	if (how == HEADER_FORWARDED_KEEP)
		return true;
	if (how != HEADER_FORWARDED_ADD)
		remove_forwarded(head);
	if (how == HEADER_FORWARDED_REMOVE)
		return true;

	struct span client = span_str(ip_text(ip, &hop->client));
	return append(head, HTTP_NAME_X_FORWARDED_FOR, client, err) &&
		http_set(&head->fields, SPAN("X-Forwarded-Proto"), hop->scheme, err) &&
		http_set(&head->fields, SPAN("X-Forwarded-Host"), hop->host, err) &&
		add_forwarded(head, hop, err);
}

struct span
header_media_type(struct span value)
{
	struct span params = {0};
	struct span type = header_item_name(value, &params);
	size_t slash = span_chr(type, '/');

	if (!http_is_token(span_first(type, slash)) ||
		!http_is_token(span_from(type, slash + 1)))
		return (struct span){0};
	return type;
}
