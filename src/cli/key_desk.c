// SPDX-License-Identifier: Apache-2.0
#include "cli/key_desk.h"

#include "base/mem.h"
#include "net/addr.h"
#include "net/resolve.h"
#include "pki/identity.h"
#include "pki/trust.h"
#include "tls/profile.h"

enum { TIMEOUT_MS = 10000, TURN_MS = 1000 };

static bool
read_server(struct key_desk *d, const char *text, const char *name, struct err *err)
{
	struct ask_pool_server s = {.name = span_str(name)};

	if (text[0] == '/') {
		s.host = span_str(text);
	} else if (!addr_split(span_str(text), 2407, &s.host, &s.port))
		return err_set(err, ERR_USAGE, "%s is no HOST:PORT", text);
	if (d->n_servers == ASK_POOL_SERVERS) {
		return err_set(
			err, ERR_USAGE, "more than %d connections", ASK_POOL_SERVERS);
	}
	d->servers[d->n_servers++] = s;
	return true;
}

static bool
read_servers(struct key_desk *d, const struct cli_call *call, uint64_t connections,
	struct err *err)
{
	const char *text = NULL;

	for (uint64_t c = 0; c < connections || c == 0; c++) {
		for (size_t i = 0; (text = cli_operand(call, i)); i++) {
			if (!read_server(d, text, cli_get(call, "name"), err))
				return false;
		}
	}
	return true;
}

static bool
read_identity(struct key_desk *d, const struct cli_call *call, struct err *err)
{
	const char *ca = cli_get(call, "ca");
	const char *cert = cli_get(call, "cert");
	const char *key = cli_get(call, "cert-key");

	if (!ca || !cert || !key) {
		return err_set(
			err, ERR_USAGE, "--ca, --cert and --cert-key are needed");
	}
	d->trust = trust_new(false, (const char *const[]){ca, NULL}, err);
	d->identity = d->trust ? identity_load(cert, key, (struct span){0}, err) : NULL;
	d->profile = d->identity ? ask_pool_profile(err) : NULL;
	return d->profile != NULL;
}

bool
key_desk_open(struct key_desk *d, const struct cli_call *call, uint64_t connections,
	struct err *err)
{
	if (!read_servers(d, call, connections, err) || !read_identity(d, call, err) ||
		!loop_init(&d->loop, err))
		return false;
	d->has_loop = true;
	d->resolver = resolve_open(&d->loop, &(struct resolve_options){0}, err);
	if (!d->resolver)
		return false;
	d->pool = ask_pool_new(&(struct ask_pool_spec){.loop = &d->loop,
		.resolver = d->resolver,
		.profile = d->profile,
		.identity = d->identity,
		.trust = d->trust,
		.servers = d->servers,
		.n_servers = d->n_servers,
		.timeout_ms = TIMEOUT_MS,
		.no_hedging = true});
	return true;
}

void
key_desk_close(struct key_desk *d)
{
	ask_pool_free(d->pool);
	if (d->resolver)
		resolve_close(d->resolver);
	profile_put(d->profile);
	identity_put(d->identity);
	trust_free(d->trust);
	if (d->has_loop)
		loop_fini(&d->loop);
}

struct once {
	struct ask ask;
	struct span answer; /* owned */
	bool came;
};

static void
came(struct ask *a)
{
	struct once *o = CONTAINER_OF(a, struct once, ask);

	o->came = true;
	if (a->ok)
		o->answer = span_of(mem_cstr(a->answer), a->answer.n);
}

bool
key_desk_ask(struct key_desk *d, const struct wire_msg *want, struct span *answer,
	struct err *err)
{
	struct once o = {.ask = {.want = *want, .done = came}};

	if (!ask_pool_send(d->pool, &o.ask, err))
		return false;
	while (!o.came) /* the pool gives up by itself */
		loop_turn(&d->loop, TURN_MS);
	if (o.ask.ok) {
		*answer = o.answer;
	} else {
		*err = o.ask.err;
	}
	return o.ask.ok;
}
