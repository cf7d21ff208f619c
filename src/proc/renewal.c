// SPDX-License-Identifier: Apache-2.0
#include "proc/renewal_priv.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "pki/authority.h"
#include "proc/passphrase_priv.h"

enum { RETRY_MS = 3600 * 1000 };

static const char *
folder_of(const struct gateway *g)
{
	return (const char *)g->authority.p; /* a path of the settings ends in NUL */
}

/* A key elsewhere is not ours to exchange. */
static bool
has_files(const struct gateway *g)
{
	return g->authority.n > 0 && !g->sites.keys.servers &&
		g->authority_token.n == 0;
}

static bool
is_due(const struct gateway *g)
{
	return g->activate_ms > 0 &&
		authority_is_due(
			folder_of(g), clock_wall(), (int64_t)(g->activate_ms / 1000));
}

/* In a process of its own: reads the key. Its exit code. */
static int
activate_here(const struct gateway *g)
{
	struct span secret = {0};
	struct err err = {0};
	bool ok = passphrase_read(g->authority_passphrase, &secret, &err) &&
		authority_activate(folder_of(g), span_trim(secret), &err);

	passphrase_forget(&secret);
	if (ok)
		return 0;
	log_error("authority.activate", "gateway=%.*s code=%s reason=\"%s\"",
		SPAN_ARG(g->name), err_id(err.code), err.text);
	return 1;
}

/* The master waits, so the process may not: a passphrase can come from a pipe into which
 * nobody writes any more. */
static bool
activate(const struct renewal *r, const struct gateway *g)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		(void)alarm(r->most_s ? r->most_s : RENEWAL_MOST_S);
		_exit(activate_here(g));
	}
	if (pid < 0) {
		log_error("authority.activate", "gateway=%.*s errno=%d",
			SPAN_ARG(g->name), errno);
		return false;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return false;
	}
	if (WIFSIGNALED(status)) {
		log_error("authority.activate", "gateway=%.*s signal=%d",
			SPAN_ARG(g->name), WTERMSIG(status));
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool
advance(struct renewal *r, const struct gateway *g)
{
	if (clock_now() < r->again_ms || !is_due(g))
		return false;
	if (!activate(r, g)) {
		r->again_ms = clock_now() + RETRY_MS;
		return false;
	}
	stat_add(STAT_AUTHORITY_ACTIVATIONS, 1);
	log_info("authority.activated", "gateway=%.*s dir=%.*s", SPAN_ARG(g->name),
		SPAN_ARG(g->authority));
	return true;
}

bool
renewal_look(struct renewal *r, const struct settings *s)
{
	enum authority_next furthest = AUTHORITY_NEXT_NONE;
	bool any = false;

	for (const struct conf_item *it = s->gateways; it; it = it->next) {
		const struct gateway *g = (const struct gateway *)(const void *)it;
		if (!has_files(g))
			continue;
		any = advance(r, g) || any;
		enum authority_next next = authority_next(folder_of(g), clock_wall());
		furthest = next > furthest ? next : furthest;
	}
	stat_set(STAT_AUTHORITY_NEXT, furthest);
	return any;
}
