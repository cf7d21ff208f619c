// SPDX-License-Identifier: Apache-2.0
/*
 * exchange_early: requests that came with a client's first flight (RFC 8470). Somebody
 * may be repeating them until the handshake is over.
 */
#include "base/stats.h"
#include "gate/exchange_priv.h"
#include "gate/worker.h"

enum { TOO_EARLY = 425 };

/* RFC 9110 §9.2.1, and nothing behind the head that would have to be said again. */
static bool
is_safe(const struct http_head *request)
{
	bool safe = request->method == HTTP_GET || request->method == HTTP_HEAD ||
		request->method == HTTP_OPTIONS;

	return safe && request->protocol.n == 0 &&
		(request->body.kind == BODY_NONE ||
			(request->body.kind == BODY_LENGTH &&
				request->body.length == 0));
}

bool
exchange_is_too_early(const struct session *s)
{
	const struct exchange *x = s->x;

	if (!s->client.tls || !tls_is_early(s->client.tls))
		return false;
	return x->too_early || !is_safe(&x->request);
}

bool
exchange_mark_early(struct session *s, struct err *err)
{
	struct http_fields *fields = &s->x->request.fields;

	return !s->x->early || http_set(fields, SPAN("Early-Data"), SPAN("1"), err);
}

bool
exchange_repeats_late(struct session *s)
{
	struct exchange *x = s->x;

	if (!x->early || x->too_early || x->response.status != TOO_EARLY ||
		exchange_is_bound(s))
		return false;
	stat_add(STAT_REQUESTS_RETRIED, 1);
	x->too_early = true;
	x->early = false;
	(void)http_remove(&x->request.fields, SPAN("Early-Data"));
	http_head_init(&x->response, &x->arena);
	exchange_leave_origin(s);
	exchange_begin_again(s);
	return true;
}
