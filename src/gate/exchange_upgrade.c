// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_upgrade: a WebSocket whose two sides speak different versions.
 *
 *	HTTP/1  GET with Upgrade and a key, answered 101 with the key's digest (RFC
 *6455) HTTP/2  CONNECT with :protocol, answered 2xx (RFC 8441)
 *
 * Any other protocol is only known from one of them: towards HTTP/2 an Upgrade is left
 * out, as every origin may ignore one; towards HTTP/1 a CONNECT is refused. An Upgrade
 *to HTTP/2 (h2c) is always left out: it is no more (RFC 9113 §3.1), and behind it
 *requests would pass that nobody has decided about.
 */
#include "base/mem.h"
#include "base/text.h"
#include "gate/exchange_priv.h"
#include "http/header.h"
#include "tls/sha1.h"

enum { KEY_OCTETS = 16, KEY_TEXT = 32, ROOM = 256 };

static bool
is_websocket(struct span protocol)
{
	return span_eq_nocase(protocol, SPAN("websocket"));
}

static bool
lists_http2(struct span protocols)
{
	struct span item;
	while (header_item(&protocols, &item)) {
		if (span_eq_nocase(span_first(item, 2), SPAN("h2")) ||
			span_eq_nocase(span_first(item, 6), SPAN("HTTP/2")))
			return true;
	}
	return false;
}

static bool
has_room(struct exchange *x, struct err *err)
{
	return arena_room(&x->arena) >= ROOM ||
		err_set(err, ERR_HTTP_TOO_LARGE, "no room for the upgrade");
}

static struct span
base64(struct arena *a, struct span s)
{
	char line[64];
	struct text t = text_to(line, sizeof(line));
	text_put_base64(&t, s);
	return arena_copy(a, text_span(&t));
}

/* RFC 6455 §4.2.2 */
static struct span
accept_of(struct arena *a, struct span key)
{
	uint8_t sum[SHA1_BYTES];
	struct span s = arena_format(
		a, "%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", SPAN_ARG(key));
	sha1(sum, s);
	return base64(a, span_of(sum, sizeof(sum)));
}

static bool
say_as_connect(struct exchange *x)
{
	struct http_head *head = &x->request;
	struct span key = http_get_id(&head->fields, HTTP_NAME_SEC_WEBSOCKET_KEY);
	if (x->key.n == 0 && key.n <= KEY_TEXT)
		x->key = arena_copy(&x->arena, key);
	http_remove_id(&head->fields, HTTP_NAME_SEC_WEBSOCKET_KEY);
	head->method = HTTP_CONNECT;
	head->method_name = SPAN("CONNECT");
	head->body = (struct http_body){BODY_CHUNKED, 0};
	return true;
}

static bool
say_as_upgrade(struct exchange *x, struct err *err)
{
	struct http_fields *fields = &x->request.fields;
	if (x->key.n == 0) {
		uint8_t key[KEY_OCTETS];
		secret_random(key, sizeof(key));
		x->key = base64(&x->arena, span_of(key, sizeof(key)));
	}
	x->request.method = HTTP_GET;
	x->request.method_name = SPAN("GET");
	x->request.body = (struct http_body){0};
	if (http_get_id(fields, HTTP_NAME_SEC_WEBSOCKET_VERSION).n == 0 &&
		!http_set(fields, SPAN("Sec-WebSocket-Version"), SPAN("13"), err))
		return false;
	return http_set(fields, SPAN("Sec-WebSocket-Key"), x->key, err);
}

bool
exchange_upgrade_request(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	bool to_h2 = s->lane->up->h2 != NULL;
	bool same = (x->client != NULL) == to_h2;
	struct span protocol = x->request.protocol;
	x->crosses = false;
	if (lists_http2(protocol))
		x->request.protocol = protocol = (struct span){0};
	if (protocol.n == 0 || (same && x->key.n == 0))
		return true;
	if (!is_websocket(protocol) && to_h2) {
		x->request.protocol = (struct span){0};
		return true;
	}
	if (!is_websocket(protocol)) {
		return err_set(err, ERR_HTTP_UNWRITABLE,
			"the origin speaks HTTP/1, which has no such CONNECT");
	}
	x->crosses = !same;
	if (!has_room(x, err))
		return false;
	return to_h2 ? say_as_connect(x) : say_as_upgrade(x, err);
}

static bool
take_switch(struct exchange *x, struct err *err)
{
	struct http_head *head = &x->response;
	struct span accept = http_get(&head->fields, SPAN("Sec-WebSocket-Accept"));
	if (head->status >= 300)
		return true;
	if (head->status != 101 || !is_websocket(head->protocol) ||
		!span_eq(accept, accept_of(&x->arena, x->key))) {
		return err_set(err, ERR_HTTP_UPGRADE,
			"the origin did not accept the WebSocket it was asked for");
	}
	http_remove(&head->fields, SPAN("Sec-WebSocket-Accept"));
	head->status = 200;
	head->protocol = (struct span){0};
	head->body = (struct http_body){BODY_CHUNKED, 0};
	return true;
}

static bool
make_switch(struct exchange *x, struct err *err)
{
	struct http_head *head = &x->response;
	if (head->status >= 300)
		return true;
	head->status = 101;
	head->reason = http_reason(101);
	head->protocol = SPAN("websocket");
	head->body = (struct http_body){0};
	head->close = false;
	http_remove_id(&head->fields, HTTP_NAME_CONTENT_LENGTH);
	return http_set(&head->fields, SPAN("Sec-WebSocket-Accept"),
		accept_of(&x->arena, x->key), err);
}

bool
exchange_upgrade_response(struct session *s, struct err *err)
{
	struct exchange *x = s->x;
	if (!x->crosses)
		return true;
	if (!has_room(x, err))
		return false;
	return x->client ? take_switch(x, err) : make_switch(x, err);
}
