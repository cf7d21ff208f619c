// SPDX-License-Identifier: Apache-2.0
/*
 * key_edge: a TLS terminator for one site whose private key is on key servers. What an
 * edge of the configuration does for many sites, small enough to try a tunnel with.
 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/key_edge_priv.h"
#include "net/resolve.h"
#include "pki/chain.h"
#include "pki/identity.h"
#include "pki/trust.h"
#include "tls/profile.h"
#include "tls/resume.h"

enum {
	VISITS_MOST = 20000,
	SESSION_S = 18 * 3600,
	HANDSHAKE_MS = 10000,
	TIMEOUT_MS_MOST = 60000,
};

/* The command's whole state. */
struct edge_run {
	struct edge edge;
	struct resolver *resolver;
	struct trust *trust;
	struct identity *own; /* our certificate towards the key servers */
	struct profile *tunnel;
	struct tickets *tickets;
	struct ask_pool_server servers[ASK_POOL_SERVERS];
	size_t n_servers;
	struct watch signals;
};

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	key_visit_open(CONTAINER_OF(l, struct edge, listener), fd, peer);
}

static void
print_state(const struct edge_run *r)
{
	const struct edge *e = &r->edge;

	text_out("handshakes=%llu resumed=%llu failed=%llu parked=%llu\n",
		(unsigned long long)e->n_open, (unsigned long long)e->n_resumed,
		(unsigned long long)e->n_failed, (unsigned long long)e->n_parked);
	for (size_t i = 0; i < ask_pool_count(e->pool); i++) {
		static const char *const states[] = {"down", "coming", "up"};
		struct ask_server_view v;

		ask_pool_look(e->pool, i, &v);
		text_out("server=%s:%u state=%s answers=%llu failures=%llu hedges=%llu "
			 "p95_us=%u\n",
			v.host, v.port, states[v.state], (unsigned long long)v.answers,
			(unsigned long long)v.failures, (unsigned long long)v.hedges,
			v.p95_us);
	}
	if (!text_flush())
		log_warn("keyless.edge", "stdout=closed");
}

static void
signalled(struct watch *w, unsigned events)
{
	struct edge_run *r = CONTAINER_OF(w, struct edge_run, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(w->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGUSR1) {
			print_state(r);
		} else {
			loop_stop(&r->edge.loop);
		}
	}
}

static bool
watch_signals(struct edge_run *r, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	r->signals = (struct watch){.ready = signalled};
	r->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->signals.fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "signalfd");
	loop_watch(&r->edge.loop, &r->signals, LOOP_READ);
	return true;
}

/* ---- options ---- */

static bool
read_servers(struct edge_run *r, const struct cli_call *call, struct err *err)
{
	const char *text = cli_get_nth(call, "server", 0);

	if (!text)
		return err_set(err, ERR_USAGE, "--server is needed");
	for (size_t i = 0; text; i++) {
		struct ask_pool_server *s = &r->servers[i];

		if (i == ASK_POOL_SERVERS) {
			return err_set(err, ERR_USAGE, "more than %d --server",
				ASK_POOL_SERVERS);
		}
		s->name = span_str(cli_get(call, "name"));
		s->plain_items = true;
		s->bare = cli_has(call, "bare");
		if (text[0] == '/') {
			s->host = span_str(text);
		} else if (!addr_split(span_str(text), 2407, &s->host, &s->port)) {
			return err_set(
				err, ERR_USAGE, "--server %s is no HOST:PORT", text);
		}
		r->n_servers = i + 1;
		text = cli_get_nth(call, "server", i + 1);
	}
	return true;
}

static bool
open_tunnel(struct edge_run *r, const struct cli_call *call, struct err *err)
{
	const char *ca = cli_get(call, "ca");
	const char *cert = cli_get(call, "cert");
	const char *key = cli_get(call, "cert-key");
	uint64_t timeout_ms = 2000;

	if (!ca || !cert || !key) {
		return err_set(
			err, ERR_USAGE, "--ca, --cert and --cert-key are needed");
	}
	if (!read_servers(r, call, err) ||
		!cli_number(call, "timeout-ms", TIMEOUT_MS_MOST, &timeout_ms, err))
		return false;
	r->trust = trust_new(false, (const char *const[]){ca, NULL}, err);
	r->own = r->trust ? identity_load(cert, key, (struct span){0}, err) : NULL;
	r->tunnel = r->own ? ask_pool_profile(err) : NULL;
	if (!r->tunnel)
		return false;
	r->resolver = resolve_open(&r->edge.loop, &(struct resolve_options){0}, err);
	if (!r->resolver)
		return false;
	r->edge.handshake_ms =
		HANDSHAKE_MS + (uint32_t)timeout_ms; /* at most a minute */
	r->edge.pool = ask_pool_new(&(struct ask_pool_spec){.loop = &r->edge.loop,
		.resolver = r->resolver,
		.profile = r->tunnel,
		.identity = r->own,
		.trust = r->trust,
		.servers = r->servers,
		.n_servers = r->n_servers,
		.timeout_ms = (uint32_t)timeout_ms});
	r->edge.key.pool = r->edge.pool;
	return true;
}

static bool
open_site(struct edge_run *r, const struct cli_call *call, struct err *err)
{
	const char *path = cli_get(call, "certificate");
	struct profile_spec spec = {
		.role = PROFILE_SERVER, .session_timeout_s = SESSION_S};
	uint8_t secret[TICKETS_SECRET];
	struct chain chain;

	if (!path)
		return err_set(err, ERR_USAGE, "--certificate is needed");
	secret_random(secret, sizeof(secret));
	r->tickets =
		cli_has(call, "no-resumption") ? NULL : tickets_new(secret, SESSION_S);
	secret_wipe(secret, sizeof(secret));
	spec.tickets = r->tickets;
	r->edge.profile = profile_new(&spec, err);
	chain_init(&chain);
	bool ok = r->edge.profile && chain_load(&chain, path, err);
	if (ok)
		r->edge.identity = elsewhere_identity(&r->edge.key, &chain, err);
	chain_fini(&chain);
	return ok && r->edge.identity;
}

static bool
open_port(struct edge_run *r, const struct cli_call *call, struct err *err)
{
	const char *where = cli_get(call, "listen");
	const char *origin = cli_get(call, "origin");
	struct addr at;
	struct addr bound;
	char text[ADDR_TEXT];
	int fd = -1;

	if (!where || !addr_parse(span_str(where), &at))
		return err_set(err, ERR_USAGE, "--listen wants an address with a port");
	if (!origin || !addr_parse(span_str(origin), &r->edge.origin))
		return err_set(err, ERR_USAGE, "--origin wants an address with a port");
	if (!listen_open(&at, &(struct listen_options){0}, &bound,
		    &(struct listen_fds){&fd, 1}, err))
		return false;
	text_out("listening on %s\n", addr_text(text, &bound));
	listen_limit_init(&r->edge.limit, VISITS_MOST);
	r->edge.listener = (struct listener){.accepted = accepted};
	listen_start(&r->edge.listener, &r->edge.loop, fd, &r->edge.limit);
	return text_flush();
}

static void
close_run(struct edge_run *r)
{
	LIST_EACH (it, &r->edge.visits)
		key_visit_close(CONTAINER_OF(it, struct visit, all));
	ask_pool_free(r->edge.pool);
	if (r->resolver)
		resolve_close(r->resolver);
	identity_put(r->edge.identity);
	identity_put(r->own);
	profile_put(r->edge.profile);
	profile_put(r->tunnel);
	tickets_free(r->tickets);
	trust_free(r->trust);
	loop_fini(&r->edge.loop);
	remote_end();
	mem_free(r);
}

static enum cli_exit
run_edge(const struct cli_call *call)
{
	struct edge_run *r = mem_alloc(sizeof(*r));
	struct err err = {0};

	list_init(&r->edge.visits);
	if (!loop_init(&r->edge.loop, &err)) {
		mem_free(r);
		return cli_fail(&err);
	}
	bool ok = remote_setup(VISITS_MOST, &err) && open_tunnel(r, call, &err) &&
		open_site(r, call, &err) && watch_signals(r, &err) &&
		open_port(r, call, &err);
	if (ok) {
		loop_run(&r->edge.loop);
		listen_stop(&r->edge.listener);
		print_state(r);
	}
	close_run(r);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static const struct cli_option options[] = {
	{"listen", 'l', "ADDRESS", "where clients come, address:port", false},
	{"certificate", 'c', "FILE", "the site's chain; its key is elsewhere", false},
	{"origin", 'o', "ADDRESS", "where plain TCP goes, address:port", false},
	{"server", 's', "HOST[:PORT]", "a key server", true},
	{"name", 'n', "NAME", "name in the key servers' certificates [HOST]", false},
	{"ca", 0, "FILE", "CA of the key servers' certificates", false},
	{"cert", 0, "FILE", "our certificate, as an edge", false},
	{"cert-key", 0, "FILE", "… and its key", false},
	{"timeout-ms", 0, "MS", "for a signature, retries included [2000]", false},
	{"no-resumption", 0, NULL, "a signature for every connection", false},
	{"bare", 0, NULL, "do not pad requests: 1.9 kB less a signature", false},
	{0},
};

const struct command command_key_edge = {
	.name = "key edge",
	.operands = "",
	.summary = "end TLS for one site whose private key is on a key server",
	.help = "Shows the certificate, asks the key servers for the signature of each "
		"new\n"
		"session (sessions are resumed for 18 hours without asking), and "
		"passes what\n"
		"is inside to the origin. The private key is never in this process. "
		"SIGUSR1\n"
		"prints what the servers did.\n",
	.examples = "sekisho key edge --listen :443 --certificate shop.crt \\\n"
		    "    --server keys.internal --ca tunnel/ca.crt --cert "
		    "tunnel/edge1.crt \\\n"
		    "    --cert-key tunnel/edge1.key --origin 127.0.0.1:8080\n",
	.options = options,
	.run = run_edge,
};
