// SPDX-License-Identifier: Apache-2.0
/*
 * vault: the duty of the process that holds keys.
 *
 * It loads the authorities while it still may, hides its memory, gives up its user, all
 * files and every call that makes a socket, and then answers questions on lines the
 * master hands it. MINT, LEAFKEYS and CHAIN exist here only; no mask that a listener
 * can be given holds them (keyless/ops.c).
 */
#include <seccomp.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gate/settings.h"
#include "keyless/ask_pool.h"
#include "keyless/sealing.h"
#include "proc/vault_priv.h"
#include "tls/profile.h"

enum { RENEW_MS = LEAFKEYS_LIFE_S * 1000, MODULE_PATHS = 16 };

struct vault *
vault_of(const struct answer_call *c)
{
	struct answer_desk *desk = CONTAINER_OF(c->door, struct answer_desk, door);
	return CONTAINER_OF(desk, struct vault, desk);
}

static void
run_leafkeys(struct answer_call *c)
{
	struct vault *v = vault_of(c);
	struct err err = {0};
	uint8_t bytes[LEAFKEYS_WIRE];
	size_t n = 0;
	if (leafkeys_write(&v->leafkeys, bytes, &n, &err)) {
		answer_reply(c, span_of(bytes, n));
	} else {
		answer_refuse(c, WIRE_INTERNAL);
	}
	secret_wipe(bytes, sizeof(bytes));
}

static const struct answer_op ops[] = {
	{.op = WIRE_MINT, .answer_max = VAULT_LEAF_MOST, .run = vault_run_mint},
	{.op = WIRE_LEAFKEYS, .answer_max = LEAFKEYS_WIRE, .run = run_leafkeys},
	{.op = WIRE_CHAIN, .answer_max = VAULT_CHAIN_MOST, .run = vault_run_chain},
	{.op = WIRE_CRL, .answer_max = VAULT_CHAIN_MOST, .run = vault_run_crl},
	{.op = WIRE_SEAL, .answer_max = SEALING_MOST, .run = vault_run_seal},
	{.op = WIRE_UNSEAL, .answer_max = SEALING_MOST, .run = vault_run_unseal},
	{.op = WIRE_DAYKEY, .dear = true, .run = vault_run_daykey},
};

/* ---- lines of workers */

static void
bury_line(struct corpse *c)
{
	mem_free(CONTAINER_OF(c, struct vault_line, corpse));
}

static void
stop_if_done(struct vault *v)
{
	if (v->ending && list_empty(&v->lines))
		loop_stop(&v->loop);
}

static void
close_line(struct vault_line *vl)
{
	answer_line_close(&vl->line);
	list_leave(&vl->in);
	loop_bury(&vl->vault->loop, &vl->corpse);
}

static void
tell_line_ended(struct answer_line *line)
{
	struct vault_line *vl = CONTAINER_OF(line, struct vault_line, line);
	close_line(vl);
	stop_if_done(vl->vault);
}

static void
open_line(struct vault *v, int fd)
{
	struct vault_line *vl = mem_alloc(sizeof(*vl));
	vl->vault = v;
	vl->corpse.bury = bury_line;
	list_push(&v->lines, &vl->in);
	answer_line_open(&vl->line, &v->desk, &v->workers, fd);
	vl->line.ended = tell_line_ended;
}

/* ---- life */

static void
end_with_last_line(struct vault *v)
{
	v->ending = true;
	stop_if_done(v);
}

static void
tell_word(struct leash *l, const struct leash_message *m)
{
	struct vault *v = CONTAINER_OF(l, struct vault, leash);
	if (m->word == LEASH_PEER && m->fd >= 0) {
		open_line(v, m->fd);
	} else if (m->word == LEASH_DRAIN) {
		end_with_last_line(v);
	} else if (m->word == LEASH_STOP) {
		loop_stop(&v->loop);
	}
}

static void
tell_orphaned(struct leash *l)
{
	end_with_last_line(CONTAINER_OF(l, struct vault, leash));
}

/* Workers notice that their pair is of yesterday when a leaf does not fit it. */
static void
renew_leafkeys(struct timer *t)
{
	struct vault *v = CONTAINER_OF(t, struct vault, renew);
	struct leafkeys fresh = {0};
	struct err err = {0};

	timer_set(&v->loop, t, clock_now() + RENEW_MS);
	if (!leafkeys_make(&fresh, v->leafkeys.number + 1, &err)) {
		log_error("vault.leafkeys", "reason=\"%s\"", err.text);
		return;
	}
	leafkeys_fini(&v->leafkeys);
	v->leafkeys = fresh;
	vault_forget_minted(v);
}

/* A module reads its files, locks them, and may speak with a daemon or a machine. */
static const int module_calls[] = {SCMP_SYS(getdents64), SCMP_SYS(flock),
	SCMP_SYS(access), SCMP_SYS(faccessat2), SCMP_SYS(unlink), SCMP_SYS(rename),
	SCMP_SYS(ftruncate), SCMP_SYS(fsync)};

static bool
narrow_files(const struct settings *s, struct err *err)
{
	struct sandbox_path paths[MODULE_PATHS] = {0};
	size_t n = 0;

	for (; n < s->pkcs11.files.n && n < MODULE_PATHS; n++) {
		paths[n] = (struct sandbox_path){
			.path = (const char *)s->pkcs11.files.p[n].p, .writes = true};
	}
	return sandbox_files(paths, n, err);
}

/* No sockets at all, unless an authority's key is elsewhere, and so not here, or a
 * module was allowed to have some. */
static bool
narrow(struct vault *v, const struct duty *duty, struct err *err)
{
	const struct settings *s = duty->settings;
	bool tokens = v->wanted != NULL;
	struct sandbox_calls calls = {
		.connects = v->resolver || (tokens && s->pkcs11.sockets),
		.connects_here = v->asks_here || (tokens && s->pkcs11.sockets)};

	if (tokens) {
		calls.calls = module_calls;
		calls.n = COUNT_OF(module_calls);
	}
	return sandbox_become(duty->owner, err) && vault_open_tokens(v, s, err) &&
		narrow_files(s, err) && sandbox_calls(&calls, err);
}

static bool
open_vault(struct vault *v, const struct duty *duty, struct err *err)
{
	sandbox_hide_memory();
	list_init(&v->lines);
	vault_mint_init(v);
	vault_keys_init(v);
	if (!loop_init(&v->loop, err) ||
		!vault_load_authorities(v, duty->settings, err) ||
		!vault_load_keys(v, duty->settings, err) ||
		!leafkeys_make(&v->leafkeys, 1, err))
		return false;
	answer_desk_open(&v->desk, &v->loop, NULL); /* vault_store() says which */
	v->desk.door.ops = ops;
	v->desk.door.n_ops = COUNT_OF(ops);
	v->desk.door.store = vault_store;
	v->workers.name = "worker";
	v->workers.mask = wire_mask_public();
	for (size_t i = 0; i < COUNT_OF(ops); i++)
		wire_mask_add(&v->workers.mask, ops[i].op);
	if (!narrow(v, duty, err))
		return false;
	vault_open_pools(v);
	return true;
}

static void
close_vault(struct vault *v)
{
	LIST_EACH (l, &v->lines)
		close_line(CONTAINER_OF(l, struct vault_line, in));
	leash_close(&v->leash);
	for (struct known_authority *k = v->authorities; k; k = k->next)
		ask_pool_free(k->pool); /* its asks' calls are orphans by now */
	answer_desk_close(&v->desk);
	if (v->resolver)
		resolve_close(v->resolver);
	profile_put(v->tunnel);
	loop_fini(&v->loop);
	leafkeys_fini(&v->leafkeys);
	vault_keys_fini(v);
	vault_mint_fini(v);
}

int
vault_run(const struct duty *duty)
{
	struct err err = {0};
	struct vault v = {0};

	if (!open_vault(&v, duty, &err)) {
		leash_confess(duty->leash_fd, &err);
		return 1;
	}
	v.leash.came = tell_word;
	v.leash.ended = tell_orphaned;
	leash_open(&v.leash, &v.loop, duty->leash_fd);
	v.renew.fired = renew_leafkeys;
	timer_set(&v.loop, &v.renew, clock_now() + RENEW_MS);
	leash_say(&v.leash, LEASH_READY, -1);
	loop_run(&v.loop);
	close_vault(&v);
	return 0;
}
