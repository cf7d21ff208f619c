// SPDX-License-Identifier: Apache-2.0
#include "http/body.h"

#include "base/text.h"
#include "http/msg.h"

bool
body_length_parse(struct span s, uint64_t *out)
{
	return text_u64(s, INT64_MAX, out);
}

/* What the framing fields say together, once they are known to be unambiguous. */
struct framing {
	bool chunked;
	bool has_length;
	uint64_t length;
};

static bool
read_length(const struct http_fields *f, struct framing *out, struct err *err)
{
	const struct http_field *x = http_next_id(f, HTTP_NAME_CONTENT_LENGTH, NULL);

	if (!x)
		return true;
	if (http_next_id(f, HTTP_NAME_CONTENT_LENGTH, x))
		return err_set(err, ERR_HTTP_FRAMING, "Content-Length twice");
	if (!body_length_parse(x->value, &out->length))
		return err_set(err, ERR_HTTP_FRAMING, "Content-Length is no number");
	out->has_length = true;
	return true;
}

/* RFC 9112 §6.1 allows lists; nobody sends them who means well. */
static bool
read_coding(const struct http_head *head, struct framing *out, struct err *err)
{
	const struct http_fields *f = &head->fields;
	const struct http_field *x = http_next_id(f, HTTP_NAME_TRANSFER_ENCODING, NULL);

	if (!x)
		return true;
	if (http_next_id(f, HTTP_NAME_TRANSFER_ENCODING, x))
		return err_set(err, ERR_HTTP_FRAMING, "Transfer-Encoding twice");
	if (head->version == HTTP_1_0)
		return err_set(err, ERR_HTTP_FRAMING, "Transfer-Encoding in HTTP/1.0");
	if (out->has_length) {
		return err_set(err, ERR_HTTP_FRAMING,
			"Content-Length beside Transfer-Encoding");
	}
	if (!span_eq_nocase(x->value, SPAN("chunked"))) {
		return err_set(err, ERR_HTTP_CODING,
			"Transfer-Encoding is not exactly \"chunked\"");
	}
	out->chunked = true;
	return true;
}

static bool
read_framing(const struct http_head *head, struct framing *out, struct err *err)
{
	return read_length(&head->fields, out, err) && read_coding(head, out, err);
}

bool
body_of_request(const struct http_head *head, struct http_body *out, struct err *err)
{
	struct framing f = {0};

	if (!read_framing(head, &f, err))
		return false;
	if (head->method == HTTP_CONNECT && (f.chunked || f.length > 0))
		return err_set(err, ERR_HTTP_FRAMING, "CONNECT with a body");
	*out = (struct http_body){0};
	if (f.chunked) {
		out->kind = BODY_CHUNKED;
	} else if (f.has_length && head->method != HTTP_CONNECT) {
		*out = (struct http_body){BODY_LENGTH, f.length};
	}
	return true;
}

/* RFC 9112 §6.3, first two rules. */
static bool
is_bodyless(unsigned status, unsigned asked)
{
	return asked == HTTP_HEAD || status < 200 || status == 204 || status == 304 ||
		(asked == HTTP_CONNECT && status < 300);
}

/* HEAD and 304 may announce what a GET would have got (RFC 9110 §8.6). */
static bool
may_announce(unsigned status, unsigned asked)
{
	return status >= 200 && status != 204 && (status == 304 || asked == HTTP_HEAD);
}

bool
body_of_response(const struct http_head *head, unsigned asked, struct http_body *out,
	bool *doubt, struct err *err)
{
	struct framing f = {0};

	if (!read_framing(head, &f, err))
		return false;
	*out = (struct http_body){0};
	*doubt = false;
	if (is_bodyless(head->status, asked)) {
		*doubt = (f.chunked || f.length > 0) &&
			!may_announce(head->status, asked);
		return true;
	}
	if (f.chunked) {
		out->kind = BODY_CHUNKED;
	} else if (f.has_length) {
		*out = (struct http_body){BODY_LENGTH, f.length};
	} else {
		out->kind = BODY_CLOSE;
	}
	return true;
}
