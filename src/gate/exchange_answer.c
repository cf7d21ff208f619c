// SPDX-License-Identifier: Apache-2.0
/* exchange_answer: what we say ourselves: pages, and where the CA can be had. */
#include "base/text.h"
#include "gate/exchange_priv.h"
#include "gate/stages.h"
#include "gate/worker.h"
#include "page/consent.h"
#include "page/page.h"

/* What is left of the request is not waited for, unless it is there already: the
 * connection ends after the answer. */
void
exchange_answer_begin(struct session *s)
{
	struct exchange *x = s->x;
	struct span body;
	struct err err = {0};
	exchange_hold_drop(x); /* nobody is told it any more */
	x->holding = false;
	x->request_sent = x->requests.state != H1_S_FAILED &&
		exchange_read_client(s, &body, &err) == H1_END;
	x->closes = x->closes || x->request.close || !x->request_sent;
	x->response.close = x->closes || s->refusal.code != ERR_NONE || s->draining;
	x->head_waits = true;
	x->state = EXCHANGE_ANSWERING;
}

/* Without room even for a page there is nothing left to say. */
static void
give_up(struct session *s, const struct err *err)
{
	s->x->err = *err;
	s->x->answered = true;
	s->x->state = EXCHANGE_CLOSING;
}

/* Whom an edge trusts behind it is no business of its visitors. */
static enum page_kind
kind_of(const struct session *s, enum err_code code)
{
	if (code == ERR_GATE_BLOCKED)
		return PAGE_BLOCKED;
	if (code == ERR_GATE_PROMPT)
		return PAGE_PROMPT;
	return code == ERR_GATE_UNTRUSTED && !s->g->sites.is_edge ? PAGE_UNTRUSTED
								  : PAGE_ERROR;
}

static struct page_answer
answer_of(struct session *s)
{
	return (struct page_answer){.arena = &s->x->arena,
		.style = &s->g->style,
		.request = &s->x->request,
		.response = &s->x->response};
}

void
exchange_answer_refusal(struct session *s, const struct refusal *refusal)
{
	struct exchange *x = s->x;
	struct err err = {0};
	x->action = refusal->code == ERR_GATE_BLOCKED ? "block"
		: refusal->code == ERR_GATE_PROMPT    ? "prompt"
						      : "refuse";
	x->rule = refusal->rule;
	x->why = arena_copy(&x->arena, refusal->text);
	x->reason = refusal->reason;
	x->page_code = refusal->code;
	const struct page_facts facts = {
		.kind = kind_of(s, refusal->code),
		.at_site = s->g->sites.is_edge,
		.status = refusal->status,
		.code = refusal->code,
		.verdict = refusal->verdict,
		.reason = refusal->reason,
		.detail = x->why,
		.rule = refusal->rule,
		.gateway = s->g->name,
		.method = x->request.method_name,
		.host = x->facts.host.n > 0 ? x->facts.host : s->facts.host,
		.path = x->request.path,
		.continue_to = refusal->continue_to,
		.request = x->id,
		.wall_ms = x->wall_ms,
		.client = s->facts.client.ip,
		.chain = refusal->chain,
		.n_chain = refusal->n_chain,
	};
	struct page_answer to = answer_of(s);
	if (!page_make(&to, &facts, &err)) {
		give_up(s, &err);
		return;
	}
	x->page = to.body;
	exchange_answer_begin(s);
}

void
exchange_answer_prompt(struct session *s, const struct act *act)
{
	struct exchange *x = s->x;
	struct consent_scope scope = exchange_scope(s);
	const struct refusal refusal = {
		.code = ERR_GATE_PROMPT,
		.rule = x->rule,
		.reason = act->text,
		.status = 403,
		.continue_to = consent_link(
			&x->arena, &scope, act->for_ms / 1000, x->request.path),
	};
	exchange_answer_refusal(s, &refusal);
}

void
exchange_answer_caution(struct session *s)
{
	struct exchange *x = s->x;
	struct consent_scope scope = exchange_scope(s);
	struct refusal refusal = s->caution->page;
	scope.about = s->caution->about;
	refusal.continue_to = consent_link(
		&x->arena, &scope, s->g->untrusted.consent_ms / 1000, x->request.path);
	exchange_answer_refusal(s, &refusal);
	x->action = "prompt";
}

void
exchange_answer_redirect(
	struct session *s, unsigned status, struct span location, struct span cookie)
{
	struct exchange *x = s->x;
	struct err err = {0};
	http_response_make(&x->response, &x->arena, status);
	x->page = (struct span){0};
	x->location = location;
	x->response.body = (struct http_body){BODY_LENGTH, 0};
	if (!http_add(&x->response.fields, SPAN("Location"), location, &err) ||
		!http_add(&x->response.fields, SPAN("Cache-Control"), SPAN("no-store"),
			&err) ||
		(cookie.n > 0 &&
			!http_add(&x->response.fields, SPAN("Set-Cookie"), cookie,
				&err))) {
		give_up(s, &err);
	} else {
		exchange_answer_begin(s);
	}
}

void
exchange_answer_ourselves(struct session *s)
{
	struct exchange *x = s->x;
	struct err err = {0};
	struct page_status status = s->g->status;
	status.client = s->facts.client.ip;
	status.crl = s->wg->crl.der;
	x->action = "self";
	struct page_answer to = answer_of(s);
	if (!page_status_make(&to, &status, &err)) {
		give_up(s, &err);
		return;
	}
	x->page = to.body;
	exchange_answer_begin(s);
}

void
exchange_answer_stored(struct session *s)
{
	s->x->page = (struct span){0};
	s->x->cache->stands_in = true;
	if (exchange_pass_response(s))
		exchange_answer_begin(s);
}
