// SPDX-License-Identifier: Apache-2.0
#include "gate/crl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/settings.h"

enum {
	RENEW_MS = 12 * 3600 * 1000, /* it is good for a week */
	RETRY_MS = 60 * 1000,        /* at most; the first time soon */
	RETRY_FIRST_MS = 1000,
};

static void
came(struct ask *a)
{
	struct crl *c = CONTAINER_OF(a, struct crl, ask);

	timer_set(c->loop, &c->timer, clock_now() + (a->ok ? RENEW_MS : c->retry_ms));
	c->retry_ms = a->ok || 2 * c->retry_ms > RETRY_MS ? RETRY_MS : 2 * c->retry_ms;
	if (!a->ok) {
		log_info("gate.crl", "gateway=%.*s code=%s reason=\"%s\"",
			SPAN_ARG(c->g->name), err_id(a->err.code), a->err.text);
		return;
	}
	mem_free((void *)(uintptr_t)c->der.p);
	c->der = (struct span){(const uint8_t *)mem_cstr(a->answer), a->answer.n};
}

static void
ask_for_it(struct timer *t)
{
	struct crl *c = CONTAINER_OF(t, struct crl, timer);
	struct err err = {0};

	c->ask = (struct ask){
		.want = {.op = WIRE_CRL, .cert_id = c->g->authority}, .done = came};
	if (ask_send(c->vault, &c->ask, &err))
		return;
	c->ask.ok = false;
	c->ask.err = err;
	came(&c->ask);
}

void
crl_open(struct crl *c, const struct gateway *g, struct ask_link *vault,
	struct loop *loop)
{
	*c = (struct crl){
		.g = g, .vault = vault, .loop = loop, .retry_ms = RETRY_FIRST_MS};
	if (g->crl_url.n == 0)
		return;
	c->timer.fired = ask_for_it;
	ask_for_it(&c->timer);
}

void
crl_close(struct crl *c)
{
	if (!c->loop)
		return;
	ask_cancel(&c->ask);
	timer_stop(c->loop, &c->timer);
	mem_free((void *)(uintptr_t)c->der.p);
	*c = (struct crl){0};
}
