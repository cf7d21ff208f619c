// SPDX-License-Identifier: Apache-2.0
/* exchange_answer: what we say ourselves: pages, and where the CA can be had. */
#include "base/text.h"
#include "gate/exchange_priv.h"
#include "gate/stages.h"
#include "gate/worker.h"

/* What is left of the request is not waited for, unless it is there already: the
 * connection ends after the answer. */
static void
begin(struct session *s)
{
	struct exchange *x = &s->exchange;
	struct span body;
	struct err err = {0};
	bool whole = x->requests.state != H1_S_FAILED &&
		h1_read(&x->requests, side_in(&s->client), &x->request, &body, &err) ==
			H1_END;
	x->request_sent = whole;
	x->closes = x->closes || x->request.close || !whole;
	x->response.close = x->closes || s->refusal.code != ERR_NONE || s->draining;
	x->head_waits = true;
	x->state = EXCHANGE_ANSWERING;
}

static void
fail_quietly(struct session *s, const struct err *err)
{
	s->exchange.err = *err;
	s->exchange.answered = true;
	s->exchange.state = EXCHANGE_CLOSING;
}

void
exchange_answer_refusal(struct session *s, const struct refusal *refusal)
{
	struct exchange *x = &s->exchange;
	struct err err = {0};
	x->action = refusal->code == ERR_GATE_BLOCKED ? "block" : "refuse";
	x->rule = refusal->rule;
	x->why = arena_copy(&x->arena, refusal->text);
	if (x->err.code == ERR_NONE)
		x->err.code = refusal->code;
	http_response_make(&x->response, &x->arena, refusal->status);
	x->page = arena_format(&x->arena, "%s\n%.*s\n%.*s\n%s\n",
		err_sentence(refusal->code), SPAN_ARG(refusal->reason),
		SPAN_ARG(refusal->text), err_hint(refusal->code));
	x->response.body = (struct http_body){BODY_LENGTH, x->page.n};
	if (!http_add(&x->response.fields, SPAN("Content-Type"),
		    SPAN("text/plain; charset=utf-8"), &err)) {
		fail_quietly(s, &err);
		return;
	}
	begin(s);
}

void
exchange_answer_ourselves(struct session *s)
{
	struct exchange *x = &s->exchange;
	x->action = "self";
	http_response_make(&x->response, &x->arena, 200);
	x->page = arena_format(&x->arena, "sekisho %s\n", SEKISHO_VERSION);
	x->response.body = (struct http_body){BODY_LENGTH, x->page.n};
	begin(s);
}
