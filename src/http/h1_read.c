// SPDX-License-Identifier: Apache-2.0
/*
 * One function per state; each either goes on to another state (true) or stops with a
 * step for the caller (false). Lines are taken whole, so the grammar never sees a
 * segment boundary; only find_line() and the bodies do.
 */
#include "http/h1_read.h"

#include "base/must.h"
#include "http/header.h"
#include "http/url.h"

enum {
	SLACK = 64,       /* what aligning in an arena may cost */
	SIZE_DIGITS = 15, /* of a chunk: below 2^60 */
};

/* One call of h1_read(). */
struct turn {
	struct buf *in;
	struct http_head *head;
	struct span *body;
	enum h1_step step; /* why it stopped */
};

static bool
stop(struct turn *t, enum h1_step step)
{
	t->step = step;
	return false;
}

/* r->err has been set by whoever returns this. */
static bool
fail(struct h1_reader *r, struct turn *t)
{
	r->state = H1_S_FAILED;
	return stop(t, H1_FAILED);
}

static bool
stop_for_more(struct h1_reader *r, struct turn *t)
{
	if (!r->eof)
		return stop(t, H1_MORE);
	err_set(&r->err, ERR_HTTP_TRUNCATED, "the connection ended within a message");
	return fail(r, t);
}

/* The longest line that may come now, with its CR LF. */
static size_t
line_limit(const struct h1_reader *r)
{
	if (r->state == H1_S_START)
		return r->limits.line_bytes;
	if (r->state == H1_S_CHUNK_SIZE)
		return SIZE_DIGITS + 1 + (size_t)r->limits.chunk_extras + 2;
	return r->limits.head_bytes - r->head_bytes; /* field lines */
}

static bool
refuse_long(struct h1_reader *r, struct turn *t)
{
	if (r->state == H1_S_START) {
		err_set(&r->err, ERR_HTTP_TARGET_TOO_LONG, "start line over %zu octets",
			r->limits.line_bytes);
	} else if (r->state == H1_S_CHUNK_SIZE) {
		err_set(&r->err, ERR_HTTP_FRAMING, "chunk size line is too long");
	} else {
		err_set(&r->err, ERR_HTTP_TOO_LARGE, "fields over %zu octets",
			r->limits.head_bytes);
	}
	return fail(r, t);
}

/*
 * The next line without its CR LF; still in `in`, drop_line() takes it. Only octets not
 * seen before are searched. RFC 9112 §2.2 lets a recipient take a lone LF; two readers
 * then differ, so it is refused, as is a lone CR (with the other control octets).
 */
static bool
find_line(struct h1_reader *r, struct turn *t, struct span *line)
{
	struct span s = buf_peek(t->in);
	size_t limit = line_limit(r);
	size_t end = r->scanned + span_chr(span_from(s, r->scanned), '\n');

	if (end >= limit || (end == s.n && buf_full(t->in)))
		return refuse_long(r, t);
	if (end == s.n) {
		r->scanned = s.n;
		return stop_for_more(r, t);
	}
	r->scanned = 0;
	if (end == 0 || s.p[end - 1] != '\r') {
		err_set(&r->err, ERR_HTTP_SYNTAX, "line ends in LF without CR");
		return fail(r, t);
	}
	*line = span_first(s, end - 1);
	return true;
}

static void
drop_line(struct h1_reader *r, struct turn *t, struct span line)
{
	r->head_bytes += line.n + 2;
	buf_drop(t->in, line.n + 2);
}

static bool
refuse(struct h1_reader *r, struct turn *t, enum err_code code, const char *why)
{
	err_set(&r->err, code, "%s", why);
	return fail(r, t);
}

/* Copies a line out of `in`, so that spans into it last. */
static bool
keep_line(struct h1_reader *r, struct turn *t, struct span *line)
{
	if (line->n + SLACK > arena_room(t->head->fields.arena))
		return refuse(r, t, ERR_HTTP_TOO_LARGE, "no room for the head");
	struct span kept = arena_copy(t->head->fields.arena, *line);
	drop_line(r, t, *line);
	*line = kept;
	return true;
}

static bool
parse_version(struct span s, enum http_version *out, struct err *err)
{
	bool like = s.n == 8 && span_starts(s, SPAN("HTTP/")) &&
		ascii_is_digit(s.p[5]) && s.p[6] == '.' && ascii_is_digit(s.p[7]);

	if (!like)
		return err_set(err, ERR_HTTP_SYNTAX, "start line without a version");
	if (s.p[5] != '1' || s.p[7] > '1')
		return err_set(err, ERR_HTTP_VERSION, "version is %.*s", SPAN_ARG(s));
	*out = s.p[7] == '1' ? HTTP_1_1 : HTTP_1_0;
	return true;
}

/* RFC 9112 §3: exactly one blank between the three parts. */
static bool
parse_request_line(struct span line, struct http_head *head, struct err *err)
{
	struct url_target target = {0};
	size_t first = span_chr(line, ' ');
	struct span rest = span_from(line, first + 1);
	size_t second = span_chr(rest, ' ');

	head->method_name = span_first(line, first);
	if (!http_is_token(head->method_name))
		return err_set(err, ERR_HTTP_SYNTAX, "method is not a token");
	if (!parse_version(span_from(rest, second + 1), &head->version, err))
		return false;
	head->method = http_method_find(head->method_name);
	if (!url_target_parse(span_first(rest, second), head->method, &target, err))
		return false;
	head->scheme = target.scheme;
	head->authority = target.authority;
	head->path = target.path;
	return true;
}

/* RFC 9112 §4. The blank before an empty reason is often forgotten, harmlessly. */
static bool
parse_status_line(struct span line, struct http_head *head, struct err *err)
{
	struct span code = span_slice(line, 9, 12);
	struct span reason = span_from(line, 13);

	if (!parse_version(span_first(line, 8), &head->version, err))
		return false;
	bool ok =
		line.n >= 12 && line.p[8] == ' ' && (line.n == 12 || line.p[12] == ' ');
	for (size_t i = 0; i < code.n; i++)
		ok = ok && ascii_is_digit(code.p[i]);
	if (!ok || code.p[0] == '0' || !http_is_value(reason))
		return err_set(err, ERR_HTTP_SYNTAX, "malformed status line");
	for (size_t i = 0; i < code.n; i++)
		head->status = head->status * 10 + (code.p[i] - (unsigned)'0');
	head->reason = reason;
	return true;
}

static void
begin_head(struct h1_reader *r, struct turn *t)
{
	http_head_init(t->head, t->head->fields.arena);
	r->head_bytes = 0;
}

/* Nothing of the message has come yet: the one place where a peer may leave. */
static bool
is_untouched(const struct h1_reader *r, const struct turn *t)
{
	return r->informs == 0 && buf_empty(t->in);
}

static bool
read_start(struct h1_reader *r, struct turn *t)
{
	struct span line = {0};

	if (is_untouched(r, t))
		return stop(t, r->eof ? H1_CLOSED : H1_MORE);
	if (!find_line(r, t, &line))
		return false;
	if (line.n == 0 && r->role == H1_REQUESTS && !r->blank) {
		/* RFC 9112 §2.2: one empty line before a request is overlooked. */
		r->blank = true;
		buf_drop(t->in, 2);
		return true;
	}
	begin_head(r, t);
	if (!keep_line(r, t, &line))
		return false;
	bool ok = r->role == H1_REQUESTS ? parse_request_line(line, t->head, &r->err)
					 : parse_status_line(line, t->head, &r->err);
	if (!ok)
		return fail(r, t);
	r->state = H1_S_FIELDS;
	return true;
}

/* RFC 9110 §5.5: blanks, never CR, around a value are not part of it. */
static struct span
trim_value(struct span s)
{
	while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
		s = (struct span){s.p + 1, s.n - 1};
	while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* RFC 9112 §5: no blank before the colon, no folding. */
static bool
parse_field(struct h1_reader *r, struct span line, struct http_fields *f)
{
	size_t colon = span_chr(line, ':');
	struct span name = span_first(line, colon);
	struct span value = trim_value(span_from(line, colon + 1));

	if (line.p[0] == ' ' || line.p[0] == '\t')
		return err_set(&r->err, ERR_HTTP_SYNTAX, "folded field line");
	if (colon == line.n || !http_is_token(name))
		return err_set(&r->err, ERR_HTTP_SYNTAX, "field name is not a token");
	if (!http_is_value(value)) {
		return err_set(&r->err, ERR_HTTP_SYNTAX,
			"field %.*s has a control octet",
			SPAN_ARG(span_first(name, 64)));
	}
	if (f->n >= r->limits.fields || !http_push(f, name, value)) {
		return err_set(
			&r->err, ERR_HTTP_TOO_LARGE, "more than %u fields", f->n);
	}
	return true;
}

/* RFC 9112 §3.2: Host says what the target says, or stands for it. With CONNECT some
 * clients leave the port out, some (Node's http module) name the proxy itself; nobody
 * behind us will ever see it, so there is nothing to be read in two ways. */
static bool
learn_host(struct http_head *head, struct err *err)
{
	const struct http_field *host =
		http_next_id(&head->fields, HTTP_NAME_HOST, NULL);
	struct span value = host ? host->value : (struct span){0};

	if (!host) {
		return head->version == HTTP_1_0 ||
			err_set(err, ERR_HTTP_HOST, "no Host field");
	}
	if (http_next_id(&head->fields, HTTP_NAME_HOST, host))
		return err_set(err, ERR_HTTP_HOST, "Host twice");
	if (!url_host_check(value, err))
		return false;
	uint16_t port = span_eq_nocase(head->scheme, SPAN("http")) ? 80 : 443;
	bool same = head->authority.n == 0 || head->method == HTTP_CONNECT ||
		url_host_same(head->authority, value, port);
	if (!same)
		return err_set(err, ERR_HTTP_HOST, "Host is not the target's host");
	if (head->authority.n == 0)
		head->authority = value;
	return true;
}

static void
begin_body(struct h1_reader *r)
{
	r->left = r->body.length;
	switch (r->body.kind) {
	case BODY_NONE:
		r->state = H1_S_END;
		break;
	case BODY_LENGTH:
		r->state = r->left > 0 ? H1_S_BODY : H1_S_END;
		break;
	case BODY_CLOSE:
		r->state = H1_S_BODY;
		break;
	case BODY_CHUNKED:
		r->head_bytes = 0; /* now counts chunk extensions */
		r->state = H1_S_CHUNK_SIZE;
		break;
	}
}

static bool
end_request_head(struct h1_reader *r, struct turn *t)
{
	struct http_head *head = t->head;

	if (!learn_host(head, &r->err) || !header_learn(head, &r->err) ||
		!body_of_request(head, &head->body, &r->err))
		return fail(r, t);
	r->body = head->body;
	begin_body(r);
	return stop(t, H1_HEAD);
}

static bool
end_inform(struct h1_reader *r, struct turn *t)
{
	if (++r->informs > r->limits.informs)
		return refuse(r, t, ERR_HTTP_TOO_LARGE, "too many 1xx heads");
	r->state = H1_S_START;
	return stop(t, H1_INFORM);
}

/* 101 and 2xx to CONNECT: what follows is not HTTP (RFC 9110 §7.8, §9.3.6). */
static bool
opens_tunnel(const struct h1_reader *r, unsigned status)
{
	return status == 101 ||
		(r->asked == HTTP_CONNECT && status >= 200 && status < 300);
}

static bool
end_response_head(struct h1_reader *r, struct turn *t)
{
	struct http_head *head = t->head;
	bool doubt = false;

	if (!header_learn(head, &r->err) ||
		!body_of_response(head, r->asked, &head->body, &doubt, &r->err))
		return fail(r, t);
	if (head->status == 101 && !(r->may_switch && head->protocol.n > 0))
		return refuse(r, t, ERR_HTTP_UNASKED, "101 without a request for it");
	if (head->status < 200 && head->status != 101)
		return end_inform(r, t);

	head->close = head->close || doubt || head->body.kind == BODY_CLOSE;
	r->body = head->body;
	begin_body(r);
	if (opens_tunnel(r, head->status))
		r->state = H1_S_TUNNEL;
	return stop(t, H1_HEAD);
}

static bool
read_fields(struct h1_reader *r, struct turn *t)
{
	struct span line = {0};

	if (!find_line(r, t, &line))
		return false;
	if (line.n == 0) {
		buf_drop(t->in, 2);
		return r->role == H1_REQUESTS ? end_request_head(r, t)
					      : end_response_head(r, t);
	}
	if (!keep_line(r, t, &line))
		return false;
	if (!parse_field(r, line, &t->head->fields))
		return fail(r, t);
	return true;
}

/* BODY_LENGTH, BODY_CLOSE and the inside of a chunk. */
static bool
read_data(struct h1_reader *r, struct turn *t)
{
	struct span s = buf_peek(t->in);
	bool counted = r->body.kind != BODY_CLOSE;

	if (counted && r->left == 0) {
		r->state = r->state == H1_S_BODY ? H1_S_END : H1_S_CHUNK_END;
		return true;
	}
	if (s.n == 0 && r->eof && !counted) {
		r->state = H1_S_END;
		return true;
	}
	if (s.n == 0)
		return stop_for_more(r, t);
	if (counted && s.n > r->left)
		s.n = (size_t)r->left; /* below s.n, so it fits */
	*t->body = s;
	return stop(t, H1_BODY);
}

/* RFC 9112 §7.1: digits, then at most extensions, which are for this hop only. */
static bool
parse_chunk_size(struct h1_reader *r, struct span line, uint64_t *out)
{
	uint64_t size = 0;
	size_t i = 0;

	for (; i < line.n && ascii_hex(line.p[i]) >= 0; i++) {
		if (i >= SIZE_DIGITS)
			return err_set(&r->err, ERR_HTTP_FRAMING, "chunk is too large");
		size = size * 16 + (uint64_t)ascii_hex(line.p[i]);
	}
	if (i == 0 || (i < line.n && line.p[i] != ';'))
		return err_set(&r->err, ERR_HTTP_FRAMING, "malformed chunk size");
	if (!http_is_value(span_from(line, i))) {
		return err_set(
			&r->err, ERR_HTTP_FRAMING, "control octet in a chunk size");
	}
	r->head_bytes += line.n - i;
	*out = size;
	return true;
}

static bool
read_chunk_size(struct h1_reader *r, struct turn *t)
{
	struct span line = {0};

	if (!find_line(r, t, &line))
		return false;
	if (!parse_chunk_size(r, line, &r->left))
		return fail(r, t);
	buf_drop(t->in, line.n + 2);
	if (r->head_bytes > r->limits.head_bytes)
		return refuse(r, t, ERR_HTTP_FRAMING, "too many chunk extensions");
	if (r->left > 0) {
		r->state = H1_S_CHUNK_DATA;
		return true;
	}
	r->head_bytes = 0;
	r->state = H1_S_TRAILERS;
	return true;
}

static bool
read_chunk_end(struct h1_reader *r, struct turn *t)
{
	struct span s = span_first(buf_peek(t->in), 2);

	if (!span_starts(SPAN("\r\n"), s))
		return refuse(r, t, ERR_HTTP_FRAMING, "chunk is longer than its size");
	if (s.n < 2)
		return stop_for_more(r, t);
	buf_drop(t->in, 2);
	r->state = H1_S_CHUNK_SIZE;
	return true;
}

/* RFC 9110 §6.5.1: what changes framing, routing or identity does not come late. */
static bool
read_trailers(struct h1_reader *r, struct turn *t)
{
	struct http_fields *f = &t->head->trailers;
	struct span line = {0};

	if (!find_line(r, t, &line))
		return false;
	if (line.n == 0) {
		buf_drop(t->in, 2);
		r->state = H1_S_END;
		return f->n == 0 || stop(t, H1_TRAILERS);
	}
	if (!keep_line(r, t, &line))
		return false;
	if (!parse_field(r, line, f))
		return fail(r, t);
	if (http_name_flags(f->v[f->n - 1].id) & HTTP_NO_TRAIL)
		return refuse(r, t, ERR_HTTP_FRAMING, "trailer that may not be one");
	return true;
}

/* Nothing was asked: octets that come are an answer to a question we do not know. */
static bool
read_idle(struct h1_reader *r, struct turn *t)
{
	if (!buf_empty(t->in))
		return refuse(r, t, ERR_HTTP_UNASKED, "octets without a request");
	return stop(t, r->eof ? H1_CLOSED : H1_MORE);
}

/* Told once; a response reader then looks at what else comes. */
static bool
read_end(struct h1_reader *r, struct turn *t)
{
	if (r->role == H1_RESPONSES)
		r->state = H1_S_IDLE;
	return stop(t, H1_END);
}

static bool
advance(struct h1_reader *r, struct turn *t)
{
	switch (r->state) {
	case H1_S_IDLE:
		return read_idle(r, t);
	case H1_S_START:
		return read_start(r, t);
	case H1_S_FIELDS:
		return read_fields(r, t);
	case H1_S_BODY:
	case H1_S_CHUNK_DATA:
		return read_data(r, t);
	case H1_S_CHUNK_SIZE:
		return read_chunk_size(r, t);
	case H1_S_CHUNK_END:
		return read_chunk_end(r, t);
	case H1_S_TRAILERS:
		return read_trailers(r, t);
	case H1_S_END:
		return read_end(r, t);
	case H1_S_TUNNEL:
		return stop(t, H1_TUNNEL);
	case H1_S_FAILED:
		return stop(t, H1_FAILED);
	}
	must_not_reach("all states are above");
}

enum h1_step
h1_read(struct h1_reader *r, struct buf *in, struct http_head *head, struct span *body,
	struct err *err)
{
	struct turn t = {.in = in, .head = head, .body = body};

	while (advance(r, &t))
		continue;
	if (t.step == H1_FAILED)
		*err = r->err;
	return t.step;
}

void
h1_took(struct h1_reader *r, struct buf *in, size_t n)
{
	if (r->body.kind != BODY_CLOSE) {
		must(n <= r->left);
		r->left -= n;
	}
	buf_drop(in, n);
}

void
h1_reader_init(struct h1_reader *r, enum h1_role role, const struct http_limits *limits)
{
	*r = (struct h1_reader){
		.limits = limits ? *limits : http_limits_default,
		.role = role,
		.state = role == H1_REQUESTS ? H1_S_START : H1_S_IDLE,
	};
}

static void
begin_message(struct h1_reader *r)
{
	r->state = H1_S_START;
	r->body = (struct http_body){0};
	r->blank = false;
	r->informs = 0;
	r->scanned = 0;
	r->head_bytes = 0;
}

void
h1_next_request(struct h1_reader *r)
{
	must(r->role == H1_REQUESTS && r->state == H1_S_END);
	begin_message(r);
}

void
h1_next_response(struct h1_reader *r, unsigned method, bool upgrade)
{
	must(r->role == H1_RESPONSES &&
		(r->state == H1_S_IDLE || r->state == H1_S_END));
	begin_message(r);
	r->asked = method;
	r->may_switch = upgrade;
}

void
h1_tunnel(struct h1_reader *r)
{
	must(r->role == H1_REQUESTS && r->state == H1_S_END);
	r->state = H1_S_TUNNEL;
}

void
h1_eof(struct h1_reader *r)
{
	r->eof = true;
}

bool
h1_reader_idle(const struct h1_reader *r)
{
	return r->state == H1_S_IDLE ||
		(r->state == H1_S_START && r->scanned == 0 && r->informs == 0);
}
