// SPDX-License-Identifier: Apache-2.0
/*
 * key_serve: a key server by itself, without a configuration file.
 *
 * One process per core, each with its own socket on the port (the kernel spreads edges'
 * connections) and its own copy of the keys; the first process watches over them.
 * Nothing here keeps a key from the process that reads the network: for that, run it
 * under `sekisho run`, where the vault signs.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/key_priv.h"
#include "keyless/sealing.h"
#include "pki/identity.h"
#include "pki/revoke.h"
#include "pki/token.h"
#include "pki/trust.h"
#include "tls/profile.h"

enum {
	LISTEN_MOST = 8,
	RELOAD_MS = 2000,
	DRAIN_MS = 5000,
	RESTART_MS = 500,
	CRL_MAX = 16 * 1024 * 1024,
};

/* What all processes share, made before they are. */
struct plan {
	struct keys keys;
	struct trust *trust;
	struct revoke *revoke;
	struct identity *identity;
	struct profile *profile;
	struct key_client *clients; /* owned */
	struct server_policy *policies;
	size_t n_policies;
	struct seal seal;
	bool has_seal;
	struct wire_mask mask; /* without policies */
	int fds[LISTEN_MOST][KEY_WORKERS];
	size_t n_listen;
	size_t n_workers;
	struct metrics *metrics; /* one per worker, shared memory */
	const char *audit;
	const char *page;
	/* Keys in tokens: opened by each worker, since modules survive no fork. */
	const struct cli_call *call; /* borrowed: --token */
	char pin[TOKEN_PIN_MAX];
	struct token_box *box; /* owned */
};

struct worker;

struct port {
	struct listener listener;
	struct worker *worker;
};

struct worker {
	struct server server;
	struct plan *plan;
	struct loop loop;
	struct port ports[LISTEN_MOST];
	struct hook each_turn;
	struct watch signals;
	struct timer tick; /* reload, or the end of draining */
	struct key_audit audit;
	struct key_page page;
	bool draining;
};

static void
free_plan(struct plan *plan)
{
	keys_fini(&plan->keys);
	trust_free(plan->trust);
	revoke_free(plan->revoke);
	identity_put(plan->identity);
	profile_put(plan->profile);
	seal_fini(&plan->seal);
	token_box_free(plan->box);
	secret_wipe(plan->pin, sizeof(plan->pin));
	mem_free(plan->clients);
	mem_free(plan->policies);
	if (plan->metrics)
		(void)munmap(plan->metrics, plan->n_workers * sizeof(*plan->metrics));
	mem_free(plan);
}

/* ---- seal and unseal ---- */

static struct seal *
seal_of(struct answer_call *c)
{
	struct answer_desk *desk = CONTAINER_OF(c->door, struct answer_desk, door);
	struct server *s = CONTAINER_OF(desk, struct server, desk);

	return &CONTAINER_OF(s, struct worker, server)->plan->seal;
}

static void
run_seal(struct answer_call *c)
{
	sealing_seal(c, seal_of(c));
}

static void
run_unseal(struct answer_call *c)
{
	sealing_unseal(c, seal_of(c));
}

static const struct answer_op seal_ops[] = {
	{WIRE_SEAL, false, SEALING_MOST, run_seal},
	{WIRE_UNSEAL, false, SEALING_MOST, run_unseal},
};

/* ---- a worker ---- */

static void
audited(struct server *s, const struct answer_audit *a, const struct server_peer *peer)
{
	key_audit_add(&CONTAINER_OF(s, struct worker, server)->audit, a, peer);
}

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	server_accept(
		&CONTAINER_OF(l, struct port, listener)->worker->server, fd, peer);
}

static void
begin_drain(struct worker *w)
{
	w->draining = true;
	for (size_t i = 0; i < w->plan->n_listen; i++)
		listen_stop(&w->ports[i].listener);
	server_drain(&w->server);
	timer_set(&w->loop, &w->tick, clock_now() + DRAIN_MS);
}

static void
signalled(struct watch *watch, unsigned events)
{
	struct worker *w = CONTAINER_OF(watch, struct worker, signals);
	struct signalfd_siginfo info;

	(void)events;
	while (read(watch->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP) {
			(void)keys_reload(&w->plan->keys);
		} else if (w->draining) {
			loop_stop(&w->loop);
		} else {
			begin_drain(w);
		}
	}
}

static void
ticked(struct timer *t)
{
	struct worker *w = CONTAINER_OF(t, struct worker, tick);

	if (w->draining) {
		loop_stop(&w->loop);
		return;
	}
	if (keys_reload(&w->plan->keys) > 0)
		log_info("keyless.reloaded", "keys=%zu", w->plan->keys.n);
	timer_set(&w->loop, t, clock_now() + RELOAD_MS);
}

/* Ends a drained worker when its last peer is gone. */
static void
look_drained(struct hook *h)
{
	struct worker *w = CONTAINER_OF(h, struct worker, each_turn);

	if (w->draining && w->server.n_peers == 0)
		loop_stop(&w->loop);
}

static bool
open_worker(struct worker *w, struct plan *plan, size_t number, struct err *err)
{
	struct server_spec spec = {.loop = &w->loop,
		.keys = &plan->keys,
		.profile = plan->profile,
		.identity = plan->identity,
		.trust = plan->trust,
		.revoke = plan->revoke,
		.policies = plan->policies,
		.n_policies = plan->n_policies,
		.metrics = &plan->metrics[number],
		.mask = plan->mask};

	*w = (struct worker){.plan = plan,
		.tick.fired = ticked,
		.each_turn.run = look_drained,
		.signals.ready = signalled};
	if (!loop_init(&w->loop, err) ||
		!key_audit_open(&w->audit, &w->loop, plan->audit, err))
		return false;
	server_open(&w->server, &spec);
	w->server.audited = audited;
	if (plan->has_seal) {
		w->server.desk.door.ops = seal_ops;
		w->server.desk.door.n_ops = COUNT_OF(seal_ops);
	}
	w->page = (struct key_page){.metrics = plan->metrics, .n = plan->n_workers};
	if (plan->n_workers == 1)
		w->page.keys = &plan->keys; /* else each process counts its own */
	return number > 0 || !plan->page ||
		key_page_open(&w->page, &w->loop, plan->page, err);
}

static bool
open_token(struct plan *plan, const char *name, struct err *err)
{
	struct token_uri uri;
	char pin[TOKEN_PIN_MAX];
	struct token *token = NULL;

	if (token_uri_parse(span_str(name), &uri, err) &&
		token_read_pin(&uri, pin, err)) {
		token = token_open(
			plan->box, &uri, span_str(pin[0] ? pin : plan->pin), err);
	}
	secret_wipe(pin, sizeof(pin));
	secret_wipe(&uri, sizeof(uri));
	if (!token)
		return err_within(err, "%s", name);
	return keys_add_token(&plan->keys, token, err);
}

static bool
open_tokens(struct plan *plan, struct err *err)
{
	const char *name = NULL;

	plan->box = token_box_new(cli_get(plan->call, "module"));
	for (size_t i = 0; (name = cli_get_nth(plan->call, "token", i)); i++) {
		if (!open_token(plan, name, err))
			return false;
	}
	return true;
}

static bool
watch_signals(struct worker *w, const sigset_t *set, struct err *err)
{
	w->signals.fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (w->signals.fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "signalfd");
	loop_watch(&w->loop, &w->signals, LOOP_READ);
	return true;
}

static int
run_worker(struct plan *plan, size_t number, const sigset_t *set)
{
	struct worker *w = mem_alloc(sizeof(*w));
	struct err err = {0};

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* What is there now holds the keys; a limit on what comes later would fail it.
	 */
	(void)mlockall(MCL_CURRENT);
	if (!open_tokens(plan, &err) || !open_worker(w, plan, number, &err) ||
		!watch_signals(w, set, &err)) {
		(void)cli_fail(&err);
		return CLI_FAILED;
	}
	for (size_t i = 0; i < plan->n_listen; i++) {
		w->ports[i] = (struct port){.listener.accepted = accepted, .worker = w};
		listen_start(&w->ports[i].listener, &w->loop, plan->fds[i][number],
			&w->server.limit);
	}
	timer_set(&w->loop, &w->tick, clock_now() + RELOAD_MS);
	loop_each_turn(&w->loop, &w->each_turn);
	loop_run(&w->loop);
	server_close(&w->server);
	key_audit_close(&w->audit);
	loop_fini(&w->loop);
	mem_free(w);
	free_plan(plan); /* wipes the keys; this process ends */
	return CLI_GOOD;
}

/* ---- the first process ---- */

static pid_t
start_worker(struct plan *plan, size_t number, const sigset_t *set)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(run_worker(plan, number, set));
	return pid;
}

static size_t
index_of(const pid_t *pids, size_t n, pid_t pid)
{
	size_t i = 0;

	while (i < n && pids[i] != pid)
		i++;
	return i;
}

static void
pass_on(const pid_t *pids, size_t n, int signal)
{
	for (size_t i = 0; i < n; i++) {
		if (pids[i] > 0)
			(void)kill(pids[i], signal);
	}
}

/* Replaces workers that ended, unless all shall. False when one said itself that it
 * cannot begin: another would fail the same way, and a wrong PIN is not tried until the
 * token locks. */
static bool
reap(struct plan *plan, pid_t *pids, const sigset_t *set, bool ending)
{
	int status = 0;
	bool can_begin = true;

	for (pid_t pid = waitpid(-1, &status, WNOHANG); pid > 0;
		pid = waitpid(-1, &status, WNOHANG)) {
		size_t i = index_of(pids, plan->n_workers, pid);

		if (i == plan->n_workers)
			continue;
		pids[i] = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) == CLI_FAILED)
			can_begin = false;
		if (ending || !can_begin)
			continue;
		log_error("keyless.worker", "worker=%zu status=%d", i, status);
		(void)usleep(RESTART_MS * 1000);
		pids[i] = start_worker(plan, i, set);
	}
	return can_begin;
}

static bool
is_any_alive(const pid_t *pids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (pids[i] > 0)
			return true;
	}
	return false;
}

static enum cli_exit
watch_over(struct plan *plan)
{
	pid_t pids[KEY_WORKERS] = {0};
	sigset_t set;
	bool ending = false;
	enum cli_exit result = CLI_GOOD;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	sigset_t own = set;
	(void)sigaddset(&own, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &own, NULL);
	for (size_t i = 0; i < plan->n_workers; i++)
		pids[i] = start_worker(plan, i, &set);
	while (!ending || is_any_alive(pids, plan->n_workers)) {
		int signal = sigwaitinfo(&own, NULL);

		if (signal == SIGCHLD || signal < 0) {
			if (reap(plan, pids, &set, ending))
				continue;
			result = CLI_FAILED;
			signal = SIGTERM;
		}
		ending = ending || signal != SIGHUP;
		pass_on(pids, plan->n_workers, signal);
	}
	return result;
}

/* ---- options ---- */

static bool
read_secret_file(const char *path, struct span *text, struct err *err)
{
	return file_is_private(path, err) && file_read(path, 4096, text, err);
}

static void
wipe(struct span text)
{
	if (!text.p)
		return;
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
}

static bool
read_keys(const struct cli_call *call, struct plan *plan, struct err *err)
{
	const char *dir = cli_get(call, "keys");
	const char *pass = cli_get(call, "passphrase");
	struct span text = {0};

	keys_init(&plan->keys);
	plan->keys.decrypt = cli_has(call, "allow-rsa-decrypt");
	if (pass && !read_secret_file(pass, &text, err))
		return false;
	if (pass)
		plan->keys.passphrase = mem_cstr(span_trim(text));
	wipe(text);
	pass = cli_get(call, "pin");
	if (pass && !token_load_pin(pass, plan->pin, err))
		return false;
	if (!dir && !cli_get(call, "token"))
		return err_set(err, ERR_USAGE, "--keys or --token is needed");
	return !dir || keys_add_dir(&plan->keys, dir, err);
}

static bool
read_seal(const struct cli_call *call, struct plan *plan, struct err *err)
{
	const char *path = cli_get(call, "seal-secret");

	plan->has_seal = path && sealing_load(&plan->seal, path, err);
	return plan->has_seal || !path;
}

static bool
read_crl(const struct cli_call *call, struct plan *plan, struct err *err)
{
	const char *path = cli_get(call, "crl");
	struct span text = {0};

	if (!path)
		return true;
	if (!file_read(path, CRL_MAX, &text, err))
		return false;
	plan->revoke = revoke_new(CRL_MAX);
	bool ok = revoke_add_crl(plan->revoke, text, err);
	mem_free((void *)(uintptr_t)text.p);
	return ok;
}

static bool
read_identity(const struct cli_call *call, struct plan *plan, struct err *err)
{
	const char *ca = cli_get(call, "ca");
	const char *cert = cli_get(call, "cert");
	const char *key = cli_get(call, "cert-key");

	if (!ca || !cert || !key) {
		return err_set(
			err, ERR_USAGE, "--ca, --cert and --cert-key are needed");
	}
	plan->trust = trust_new(false, (const char *const[]){ca, NULL}, err);
	if (!plan->trust)
		return false;
	plan->identity = identity_load(cert, key, (struct span){0}, err);
	plan->profile = plan->identity ? server_profile(err) : NULL;
	return plan->profile != NULL;
}

static void
widen(const struct cli_call *call, struct plan *plan, struct wire_mask *m)
{
	static const uint8_t old[] = {
		WIRE_RSA_MD5SHA1, WIRE_RSA_SHA1, WIRE_ECDSA_MD5SHA1, WIRE_ECDSA_SHA1};

	for (size_t i = 0; cli_has(call, "allow-sha1") && i < COUNT_OF(old); i++)
		wire_mask_add(m, old[i]);
	if (plan->keys.decrypt)
		wire_mask_add(m, WIRE_RSA_DECRYPT);
	wire_mask_add(
		m, WIRE_SEAL); /* without a secret: "internal error", as others say */
	wire_mask_add(m, WIRE_UNSEAL);
}

static bool
read_clients(const struct cli_call *call, struct plan *plan, struct err *err)
{
	plan->mask = wire_mask_default();
	widen(call, plan, &plan->mask);
	if (!cli_get_nth(call, "client", 0))
		return true;
	plan->clients = mem_array(KEY_CLIENTS, sizeof(*plan->clients));
	plan->policies = mem_array(KEY_CLIENTS, sizeof(*plan->policies));
	for (size_t i = 0; cli_get_nth(call, "client", i); i++) {
		if (i == KEY_CLIENTS) {
			return err_set(
				err, ERR_USAGE, "more than %d --client", KEY_CLIENTS);
		}
		if (!key_client_parse(&plan->clients[i], cli_get_nth(call, "client", i),
			    &plan->policies[i], err))
			return false;
		plan->n_policies = i + 1;
	}
	return true;
}

static bool
open_port(struct plan *plan, const char *where, struct err *err)
{
	struct listen_fds fds = {plan->fds[plan->n_listen], plan->n_workers};
	struct addr at;
	struct addr bound;
	char text[ADDR_TEXT];

	if (!addr_parse(span_str(where), &at) && where[0] != '/') {
		return err_set(
			err, ERR_USAGE, "--listen %s is no address with a port", where);
	}
	if (where[0] == '/') {
		if (!listen_open_unix(where, 0660, fds.fd, err))
			return false;
		for (size_t i = 1; i < fds.n; i++)
			fds.fd[i] = dup(fds.fd[0]);
		text_out("listening on %s\n", where);
	} else {
		if (!listen_open(&at, &(struct listen_options){0}, &bound, &fds, err))
			return false;
		text_out("listening on %s\n", addr_text(text, &bound));
	}
	plan->n_listen++;
	return text_flush();
}

static bool
open_ports(const struct cli_call *call, struct plan *plan, struct err *err)
{
	const char *where = cli_get_nth(call, "listen", 0);
	uint64_t n = 1;

	if (!cli_number(call, "workers", KEY_WORKERS, &n, err))
		return false;
	plan->n_workers = n > 0 ? (size_t)n : 1;
	if (!where)
		return open_port(plan, ":2407", err);
	for (size_t i = 1; where; i++) {
		if (i > LISTEN_MOST) {
			return err_set(
				err, ERR_USAGE, "more than %d --listen", LISTEN_MOST);
		}
		if (!open_port(plan, where, err))
			return false;
		where = cli_get_nth(call, "listen", i);
	}
	return true;
}

/* Keys must not end up in a core file or in what a debugger of the same user reads. */
static void
harden(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static bool
share_metrics(struct plan *plan, struct err *err)
{
	size_t size = plan->n_workers * sizeof(*plan->metrics);
	void *p = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_errno(err, ERR_SYSTEM, errno, "mmap");
	plan->metrics = p;
	return true;
}

static enum cli_exit
run_serve(const struct cli_call *call)
{
	struct plan *plan = mem_alloc(sizeof(*plan));
	enum cli_exit status = CLI_FAILED;
	struct err err = {0};

	harden();
	plan->call = call;
	plan->audit = cli_get(call, "audit");
	plan->page = cli_get(call, "metrics");
	if (!read_keys(call, plan, &err) || !read_identity(call, plan, &err) ||
		!read_crl(call, plan, &err) || !read_seal(call, plan, &err) ||
		!read_clients(call, plan, &err) || !open_ports(call, plan, &err) ||
		!share_metrics(plan, &err)) {
		status = cli_fail(&err);
	} else {
		log_info("keyless.serving", "keys=%zu workers=%zu", plan->keys.n,
			plan->n_workers);
		status = watch_over(plan);
	}
	free_plan(plan);
	return status;
}

static const struct cli_option options[] = {
	{"keys", 'k', "DIR",
		"private keys to serve: *.key, *.pem; followed as it changes", false},
	{"ca", 0, "FILE", "CA of the edges' certificates", false},
	{"cert", 0, "FILE", "the server's own certificate", false},
	{"cert-key", 0, "FILE", "… and its key", false},
	{"listen", 'l', "ADDRESS", "address:port, or a path for a Unix socket [:2407]",
		true},
	{"client", 'c', "POLICY", "who may what; see below", true},
	{"crl", 0, "FILE", "revoked edges", false},
	{"workers", 'w', "N", "processes [1]", false},
	{"audit", 0, "FILE", "a line of JSON per operation; - is standard output",
		false},
	{"metrics", 0, "ADDRESS", "answer GET /metrics here", false},
	{"passphrase", 0, "FILE", "of encrypted keys", false},
	{"token", 0, "URI", "a key in a PKCS#11 token: pkcs11:token=…;object=…", true},
	{"module", 0, "FILE", "PKCS#11 module of --token without module-path", false},
	{"pin", 0, "FILE", "PIN of --token without one", false},
	{"seal-secret", 0, "FILE", "64 hex digits: serve seal and unseal", false},
	{"allow-rsa-decrypt", 0, NULL, "for edges with RSA key exchange", false},
	{"allow-sha1", 0, NULL, "for TLS 1.0 and 1.1", false},
	{0},
};

const struct command command_key_serve = {
	.name = "key serve",
	.operands = "",
	.summary = "serve private keys to TLS edges over the key protocol",
	.help = "Answers signature requests of edges that show a certificate of the "
		"given CA.\n"
		"\n"
		"Without --client every such edge may sign with every key. With it, "
		"only those\n"
		"named: NAME[,key=SKI][,op=NAME][,name=HOST][,rate=N], each word as "
		"often as\n"
		"needed. NAME is a name in the edge's certificate or sha256:DIGEST of "
		"it; HOST\n"
		"is what the edge's own client asked for (.example.com for all below); "
		"N\n"
		"bounds operations a second.\n"
		"\n"
		"SIGHUP reads the keys again; so does a change of the directory within "
		"two\n"
		"seconds. SIGTERM ends after what is under way, a second one at "
		"once.\n",
	.examples = "sekisho key serve --keys /etc/sekisho/keys --ca tunnel/ca.crt \\\n"
		    "    --cert tunnel/server.crt --cert-key tunnel/server.key \\\n"
		    "    --client edge1,name=.shop.example,rate=2000 --audit -\n",
	.options = options,
	.run = run_serve,
};
