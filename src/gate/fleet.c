// SPDX-License-Identifier: Apache-2.0
#include "gate/fleet.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/read.h"
#include "gate/settings.h"
#include "gate/worker.h"
#include "keyless/ask_pool.h"
#include "keyless/keys.h"
#include "pki/key.h"
#include "pki/token_uri.h"
#include "tls/profile.h"
#include "tls/resume.h"

enum {
	LOOK_MS = 10 * 60 * 1000, /* whether a new day has come */
	RETRY_LEAST_MS = 1000,
	RETRY_MOST_MS = 60 * 1000,
};

/* Today's is what tickets are sealed with; another node's clock may be ahead of ours;
 * tickets live for two days. */
static const int wanted_days[] = {0, 1, -1, -2};

/* ---- words ---- */

#define FLEET(field) CONF_AT(struct fleet_settings, field)
static const struct conf_row words[] = {
	{"key", CONF_PATH, FLEET(key),
		.help = "PEM of a private key that only the vault reads, or its "
			"`pkcs11:` name; RSA or Ed25519, and for this alone."},
	{"public", CONF_PATH, FLEET(public),
		.help = "PEM of its public half, when the key is on key servers."},
	{"keys", CONF_BLOCK, FLEET(keys), .block = &site_keys_block,
		.help = "Those key servers."},
};
const struct conf_table fleet_block = {
	.help = "The secret that nodes share to resume each other's TLS sessions, as "
		"what "
		"a private key makes of the day.",
	.size = sizeof(struct fleet_settings),
	CONF_WORDS_OF(words),
};

bool
fleet_is_set(const struct fleet_settings *f)
{
	return f->key.n > 0 || f->keys.servers;
}

static enum wire_key
type_of(enum key_family family)
{
	if (family == KEY_FAMILY_RSA)
		return WIRE_KEY_RSA;
	return family == KEY_FAMILY_ED25519 ? WIRE_KEY_ED25519 : WIRE_KEY_NONE;
}

static bool
load_public(struct fleet_settings *f, struct err *err)
{
	struct daykey_job j;

	if (f->public.n == 0)
		return err_set(err, ERR_KEYLESS_TICKETS, "`keys` needs `public`");
	f->public_key = key_open_public((const char *)f->public.p, err);
	if (!f->public_key)
		return false;
	return daykey_job(&j, type_of(key_family(f->public_key)), 0) ||
		err_set(err, ERR_KEYLESS_TICKETS,
			"%s: no two signatures of such a key are alike",
			(const char *)f->public.p);
}

static bool
check(const struct settings *s, struct err *err)
{
	const struct fleet_settings *f = &s->tickets;

	if (s->ticket_file.n > 0) {
		return err_set(err, ERR_KEYLESS_TICKETS,
			"`ticket-secret` is there as well: which is it?");
	}
	if (f->key.n > 0 && f->keys.servers) {
		return err_set(err, ERR_KEYLESS_TICKETS,
			"`key` is here, `keys` are elsewhere: which is it?");
	}
	return true;
}

bool
fleet_compile(struct settings *s, struct conf_report *report)
{
	struct fleet_settings *f = &s->tickets;
	struct conf_place at = conf_place_of(&s->tree, NULL, "tickets");
	struct err err = {0};

	if (!fleet_is_set(f))
		return true;
	if (!check(s, &err) || (f->keys.servers && !load_public(f, &err)))
		return conf_complain(report, at, err.code, "%s", err.text);
	return site_compile_key_block(&f->keys, at, report);
}

void
fleet_uncompile(struct settings *s)
{
	struct fleet_settings *f = &s->tickets;

	key_free(f->public_key);
	f->public_key = NULL;
	site_uncompile_key_block(&f->keys);
}

/* ---- a worker ---- */

static void look(struct fleet *f);

static void
wait_and_look(struct fleet *f, uint32_t ms)
{
	timer_set(&f->w->loop, &f->timer, clock_now() + ms);
}

static void
fail(struct fleet *f, const struct err *why)
{
	log_warn("tickets.secret", "day=%u error=%s text=\"%s\"", f->day,
		err_id(why->code), why->text);
	wait_and_look(f, f->retry_ms);
	f->retry_ms = f->retry_ms * 2 < RETRY_MOST_MS ? f->retry_ms * 2 : RETRY_MOST_MS;
}

/* The vault says the secret; a key server signs, and may err. */
static bool
take(struct fleet *f, struct span answer, struct err *err)
{
	const struct key *public = f->w->settings->tickets.public_key;
	uint8_t secret[DAYKEY_SECRET];

	if (!f->pool) {
		if (answer.n != sizeof(secret)) {
			return err_set(
				err, ERR_KEYLESS_TICKETS, "%zu octets", answer.n);
		}
		memcpy(secret, answer.p, sizeof(secret)); /* as many, just above */
	} else if (keys_verify(key_pkey(public), f->job.op, f->job.input, answer)) {
		daykey_secret(answer, secret);
	} else {
		return err_set(err, ERR_TLS_REMOTE_LIED, "not of the key `public`");
	}
	tickets_set_day(f->w->tickets, f->day, secret);
	secret_wipe(secret, sizeof(secret));
	return true;
}

static void
came(struct ask *a)
{
	struct fleet *f = CONTAINER_OF(a, struct fleet, ask);
	struct err err = a->err;

	if (!a->ok || !take(f, a->answer, &err)) {
		fail(f, &err);
		return;
	}
	log_info("tickets.day", "day=%u from=%s", f->day,
		f->pool ? "key-server" : "vault");
	f->retry_ms = RETRY_LEAST_MS;
	look(f);
}

static bool
ask_vault(struct fleet *f, struct err *err)
{
	struct write w = write_to(f->wanted, sizeof(f->wanted));

	write_be(&w, f->day, 4);
	f->ask = (struct ask){
		.done = came, .want = {.op = WIRE_DAYKEY, .payload = write_done(&w)}};
	return ask_send(&f->w->vault.link, &f->ask, err);
}

static bool
ask_servers(struct fleet *f, struct err *err)
{
	const struct key *public = f->w->settings->tickets.public_key;

	if (!key_ski(key_pkey(public), f->ski, err) ||
		!daykey_job(&f->job, type_of(key_family(public)), f->day))
		return false;
	f->ask = (struct ask){.done = came,
		.want = {.op = f->job.op,
			.ski = span_of(f->ski, KEY_SKI),
			.payload = f->job.input}};
	return ask_pool_send(f->pool, &f->ask, err);
}

/* Asks for the first secret that is missing; when none is, looks again later. */
static void
look(struct fleet *f)
{
	uint32_t today = daykey_today();
	struct err err = {0};

	for (size_t i = 0; i < COUNT_OF(wanted_days); i++) {
		f->day = today + (uint32_t)wanted_days[i]; /* wraps as it should */
		if (tickets_has_day(f->w->tickets, f->day))
			continue;
		if (!(f->pool ? ask_servers(f, &err) : ask_vault(f, &err)))
			fail(f, &err);
		return;
	}
	wait_and_look(f, LOOK_MS);
}

static void
look_again(struct timer *t)
{
	look(CONTAINER_OF(t, struct fleet, timer));
}

static bool
open_pool(struct fleet *f, const struct fleet_settings *set, struct err *err)
{
	f->profile = ask_pool_profile(err);
	if (!f->profile)
		return false;
	f->pool = site_open_pool(&set->keys,
		&(struct site_pool_place){.loop = &f->w->loop,
			.resolver = f->w->resolver,
			.profile = f->profile});
	return f->pool != NULL;
}

bool
fleet_open(struct worker *w, struct err *err)
{
	struct fleet *f = &w->fleet;
	const struct fleet_settings *set = &w->settings->tickets;

	if (!fleet_is_set(set))
		return true;
	*f = (struct fleet){
		.w = w, .retry_ms = RETRY_LEAST_MS, .timer.fired = look_again};
	if (set->keys.servers && !open_pool(f, set, err))
		return false;
	wait_and_look(f, 0);
	return true;
}

void
fleet_close(struct worker *w)
{
	struct fleet *f = &w->fleet;

	if (!f->w)
		return;
	ask_cancel(&f->ask);
	timer_stop(&w->loop, &f->timer);
	if (f->pool)
		ask_pool_free(f->pool);
	profile_put(f->profile);
	*f = (struct fleet){0};
}
