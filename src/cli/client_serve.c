// SPDX-License-Identifier: Apache-2.0
/*
 * client_serve: requests for certificates, posted by programs.
 *
 * The authority's key is read by this process alone, once; it has no network, only a
 * Unix socket, and issues within limits that its caller cannot change: names by the
 * authority's templates, a longest life, so many an hour. Who may ask is who may open
 * the socket, and who knows the token where there is one.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/client_priv.h"
#include "cli/commands.h"
#include "gate/visit.h"
#include "net/loop.h"
#include "pki/client_name.h"

enum {
	VISITS_MOST = 32,
	VISIT_MS = 10000,
	ANSWER_MOST = 64 * 1024,
	HOUR_MS = 3600 * 1000,
	PER_HOUR = 60,
	PER_HOUR_MOST = 100000,
	TOKEN_LEAST = 16,
	TOKEN_MOST = 256,
	ID_OCTETS = 16,
};

struct serving {
	struct client_desk desk; /* its register is opened for each request */
	struct loop loop;
	struct listener listener;
	struct visit_desk visits;
	struct watch signals;
	bool has_loop;
	bool watches;
	struct span token; /* owned, wiped; empty: none is needed */
	int64_t most_valid_s;
	uint64_t per_hour;
	uint64_t issued; /* in the hour that began */
	uint64_t began_ms;
};

struct serve_visit {
	struct visit visit;
	struct span body; /* owned */
};

/* What is asked: POST /issue?name=…&label=…&valid=… */
struct posted {
	struct span name;
	struct span label;
	int64_t valid_s;
};

/* One certificate under way. */
struct answering {
	struct client_csr csr;
	struct client_wish wish;
	char subject[CLIENT_TEXT];
	char san_text[CLIENT_SANS][CLIENT_TEXT];
	struct span sans[CLIENT_SANS];
	struct span der; /* owned */
};

/* ---- reading ---- */

/* Words that need no escape; there are no others. */
static bool
is_plain(struct span word)
{
	for (size_t i = 0; i < word.n; i++) {
		uint8_t c = word.p[i];
		bool ok = ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' ||
			c == '.' || c == '_' || c == '@' || c == ':';
		if (!ok)
			return false;
	}
	return word.n > 0 && word.n < CLIENT_LABEL;
}

static bool
read_word(const struct serving *s, struct span word, struct posted *p, struct err *err)
{
	size_t at = span_chr(word, '=');
	struct span key = span_first(word, at);
	struct span value = at < word.n ? span_from(word, at + 1) : (struct span){0};

	if (!is_plain(value))
		return err_set(err, ERR_USAGE, "letters, digits and -._@: alone");
	if (span_eq(key, SPAN("name"))) {
		p->name = value;
	} else if (span_eq(key, SPAN("label"))) {
		p->label = value;
	} else if (!span_eq(key, SPAN("valid"))) {
		return err_set(err, ERR_USAGE, "name=, label= and valid= are known");
	} else if (!client_valid_of(value, &p->valid_s) ||
		p->valid_s > s->most_valid_s) {
		return err_set(err, ERR_USAGE, "valid= is longer than is allowed here");
	}
	return true;
}

static bool
read_query(
	const struct serving *s, struct span query, struct posted *p, struct err *err)
{
	struct span word;

	*p = (struct posted){.valid_s = s->most_valid_s < CLIENT_VALID_S
			? s->most_valid_s
			: CLIENT_VALID_S};
	while (span_cut(&query, '&', &word)) {
		if (!read_word(s, word, p, err))
			return false;
	}
	return p->name.n > 0 || err_set(err, ERR_USAGE, "for whom? /issue?name=NAME");
}

/* Whatever the request itself says of names is not used: templates are. */
static bool
fill_names(
	struct serving *s, const struct posted *p, struct answering *a, struct err *err)
{
	uint8_t random[ID_OCTETS];
	char id[2 * ID_OCTETS + 1];
	struct text t = text_to(id, sizeof(id));
	struct span subject =
		client_register_get(s->desk.reg, "subject", &s->desk.arena);
	struct span lines = client_register_get(s->desk.reg, "san", &s->desk.arena);
	struct span line;

	secret_random(random, sizeof(random));
	text_put_hex(&t, span_of(random, sizeof(random)), false);
	const struct client_words words = {
		.name = p->name, .label = p->label, .id = text_span(&t)};
	if (!client_fill_subject(a->subject,
		    subject.n > 0 ? subject : SPAN("CN={name}"), &words, err))
		return false;
	a->wish.subject = span_str(a->subject);
	a->wish.sans = a->sans;
	while (span_cut(&lines, '\n', &line)) {
		size_t n = a->wish.n_sans;
		if (line.n == 0 || n == CLIENT_SANS)
			continue;
		if (!client_fill_san(a->san_text[n], line, &words, err))
			return false;
		a->sans[n] = span_str(a->san_text[n]);
		a->wish.n_sans++;
	}
	return true;
}

/* ---- issuing ---- */

static bool
record(struct serving *s, const struct posted *p, struct answering *a, struct err *err)
{
	const struct client_record like = {.label = p->label};
	struct client_record made;

	if (!client_register_begin(s->desk.reg, err) ||
		!client_record_add(&s->desk, a->der, &like, &made, err) ||
		!client_desk_commit(&s->desk, false, err))
		return false;
	log_info("client.issued", "serial=%.*s name=%.*s label=%.*s",
		SPAN_ARG(made.serial), SPAN_ARG(p->name), SPAN_ARG(p->label));
	return true;
}

static bool
issue(struct serving *s, const struct posted *p, struct span request,
	struct answering *a, struct err *err)
{
	if (!client_csr_read(request, &a->csr, err) || !fill_names(s, p, a, err))
		return false;
	client_read_urls(&s->desk, &a->wish);
	a->wish.key = a->csr.key;
	a->wish.valid_s = p->valid_s;
	return client_ca_issue(s->desk.ca, &a->wish, &a->der, err) &&
		record(s, p, a, err);
}

/* A register that is opened anew undoes what a failed request had begun. */
static bool
issue_pem(struct serving *s, struct visit *v, const struct posted *p, struct span *pem,
	struct err *err)
{
	struct answering *a = mem_alloc(sizeof(*a));

	s->desk.reg = client_register_open(s->desk.dir, false, err);
	bool ok = s->desk.reg && issue(s, p, v->posted, a, err);
	const struct client_bundle bundle = {.der = a->der, .name = ""};
	ok = ok && client_export(s->desk.ca, CLIENT_PEM, &bundle, pem, err);
	client_register_close(s->desk.reg);
	s->desk.reg = NULL;
	arena_reset(&s->desk.arena);
	client_csr_fini(&a->csr);
	mem_free((void *)(uintptr_t)a->der.p);
	mem_free(a);
	return ok;
}

/* ---- answering ---- */

static void
answer(struct visit *v, unsigned status, const char *type, struct span body)
{
	CONTAINER_OF(v, struct serve_visit, visit)->body = body;
	visit_answer(v,
		&(struct visit_answer){
			.status = status, .type = span_str(type), .body = body});
}

static void
answer_fault(struct visit *v, unsigned status, const struct err *err)
{
	struct json_out j;

	json_init(&j, ANSWER_MOST);
	json_object(&j, NULL);
	json_str(&j, "error", err_id(err->code));
	json_str(&j, "text", err->text);
	json_end(&j);
	struct span text = json_text(&j);
	answer(v, status, "application/json",
		span_of((const uint8_t *)mem_cstr(text), text.n));
	json_fini(&j);
}

static bool
is_theirs(enum err_code code)
{
	return code == ERR_USAGE || code == ERR_PKI_CSR || code == ERR_PKI_CLIENT;
}

/* The same time for every wrong token of the right length. */
static bool
is_allowed(const struct serving *s, const struct visit *v)
{
	struct span said = http_get(&v->request.fields, SPAN("Authorization"));

	if (s->token.n == 0)
		return true;
	return said.n == s->token.n + 7 &&
		span_eq_nocase(span_first(said, 7), SPAN("Bearer ")) &&
		secret_eq(said.p + 7, s->token.p, s->token.n);
}

static bool
may_issue(struct serving *s)
{
	uint64_t now = clock_now();

	if (now - s->began_ms >= HOUR_MS) {
		s->began_ms = now;
		s->issued = 0;
	}
	return s->issued < s->per_hour;
}

static void
answer_issue(struct serving *s, struct visit *v, struct span query)
{
	struct err err = {0};
	struct posted p;
	struct span pem = {0};

	if (!may_issue(s)) {
		visit_refuse(v, 429, SPAN("enough for this hour\n"));
	} else if (!read_query(s, query, &p, &err) ||
		!issue_pem(s, v, &p, &pem, &err)) {
		answer_fault(v, is_theirs(err.code) ? 400 : 500, &err);
	} else {
		s->issued++;
		answer(v, 201, "application/x-pem-file", pem);
	}
}

static void
answer_visit(struct visit *v)
{
	struct serving *s = CONTAINER_OF(v->desk, struct serving, visits);
	struct span whole = v->request.path;
	size_t at = span_chr(whole, '?');
	struct span path = span_first(whole, at);
	struct span query = at < whole.n ? span_from(whole, at + 1) : (struct span){0};

	if (!is_allowed(s, v)) {
		visit_refuse(v, 401, SPAN("a token is needed\n"));
	} else if (!span_eq(path, SPAN("/issue"))) {
		visit_refuse(v, 404, SPAN("try POST /issue?name=NAME\n"));
	} else if (v->request.method != HTTP_POST) {
		visit_refuse(v, 405, SPAN("post a request (PKCS#10)\n"));
	} else {
		answer_issue(s, v, query);
	}
}

static void
free_visit(struct visit *v)
{
	struct serve_visit *sv = CONTAINER_OF(v, struct serve_visit, visit);

	mem_free((void *)(uintptr_t)sv->body.p);
	mem_free(sv);
}

static void
tell_accepted(struct listener *l, int fd, const struct addr *peer)
{
	struct serving *s = CONTAINER_OF(l, struct serving, listener);
	struct serve_visit *v = mem_alloc(sizeof(*v));

	(void)peer;
	visit_begin(&s->visits, &v->visit, fd);
}

/* ---- the command ---- */

static void
signalled(struct watch *w, unsigned events)
{
	(void)events;
	loop_stop(&CONTAINER_OF(w, struct serving, signals)->loop);
}

static bool
watch_signals(struct serving *s, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = (struct watch){.ready = signalled};
	s->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signals.fd < 0)
		return err_errno(err, ERR_SYSTEM, errno, "signalfd");
	loop_watch(&s->loop, &s->signals, LOOP_READ);
	s->watches = true;
	return true;
}

/* The key must not end up in a core file, nor in what a debugger reads. */
static void
keep_to_oneself(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static bool
read_token(struct serving *s, const struct cli_call *call, struct err *err)
{
	if (!client_read_secret(call, "token", &s->token, err))
		return false;
	struct span token = span_trim(s->token);
	if (!cli_has(call, "token"))
		return true;
	if (token.n < TOKEN_LEAST || token.n > TOKEN_MOST) {
		return err_set(err, ERR_USAGE, "a token has %d to %d letters",
			TOKEN_LEAST, TOKEN_MOST);
	}
	struct span own = span_of((const uint8_t *)mem_cstr(token), token.n);
	client_forget(&s->token);
	s->token = own;
	return true;
}

static bool
open_all(struct serving *s, const struct cli_call *call, struct err *err)
{
	int fd = -1;

	s->per_hour = PER_HOUR;
	if (!client_read_valid(call, &s->most_valid_s, err) ||
		!cli_number(call, "per-hour", PER_HOUR_MOST, &s->per_hour, err) ||
		!read_token(s, call, err) ||
		!client_desk_open(&s->desk, call, true, err))
		return false;
	client_register_close(s->desk.reg);
	s->desk.reg = NULL;
	client_forget(&s->desk.passphrase);
	s->has_loop = loop_init(&s->loop, err);
	if (!s->has_loop || !watch_signals(s, err) ||
		!listen_open_unix(cli_operand(call, 0), 0660, &fd, err))
		return false;
	s->visits = (struct visit_desk){.loop = &s->loop,
		.most_ms = VISIT_MS,
		.posted_most = CLIENT_CSR_MAX,
		.asked = answer_visit,
		.left = free_visit};
	visit_desk_open(&s->visits, VISITS_MOST);
	s->began_ms = clock_now();
	s->listener.accepted = tell_accepted;
	listen_start(&s->listener, &s->loop, fd, &s->visits.limit);
	return true;
}

static void
close_all(struct serving *s, const struct cli_call *call, bool opened)
{
	if (opened) {
		listen_stop(&s->listener);
		visit_desk_close(&s->visits);
		loop_turn(&s->loop, 0); /* buries them */
		(void)unlink(cli_operand(call, 0));
	}
	if (s->watches) {
		loop_forget(&s->loop, &s->signals);
		(void)close(s->signals.fd);
	}
	if (s->has_loop)
		loop_fini(&s->loop);
	client_forget(&s->token);
	client_desk_close(&s->desk);
}

static enum cli_exit
run_serve(const struct cli_call *call)
{
	struct serving *s = mem_alloc(sizeof(*s));
	struct err err = {0};

	keep_to_oneself();
	bool ok = open_all(s, call, &err);
	if (ok) {
		log_info("client.serving", "socket=%s dir=%s", cli_operand(call, 0),
			s->desk.dir);
		loop_run(&s->loop);
	}
	close_all(s, call, ok);
	mem_free(s);
	return ok ? CLI_GOOD : cli_fail(&err);
}

static const struct cli_option serve_options[] = {
	{"dir", 'd', "DIR", "the authority's directory [" CLIENT_DIR "]", false},
	{"valid", 'v', "TIME", "the longest life of a certificate, 1h to 10y [90d]",
		false},
	{"per-hour", 0, "N", "so many certificates at most [60]", false},
	{"token", 0, "FILE",
		"file or /dev/fd/N with what `Authorization: Bearer` must say, 16 to "
		"256 letters",
		false},
	{"ca-passphrase", 0, "FILE", "the same with the authority's passphrase", false},
	{0},
};

const struct command command_client_serve = {
	.name = "client serve",
	.operands = "SOCKET",
	.summary = "issue certificates for requests that programs post",
	.help = "Listens on a Unix socket of mode 0660; who may open it may ask.\n"
		"POST /issue?name=NAME&label=TEXT&valid=TIME with a request (PKCS#10, "
		"PEM or DER)\n"
		"is answered with the certificate (201, PEM), or with {\"error\", "
		"\"text\"}. Of the\n"
		"request only the key is taken; names come from the authority's "
		"templates. This\n"
		"process alone reads the authority's key, and has no network.",
	.examples = "sekisho client serve /run/sekisho/issue.sock --valid 30d\n"
		    "curl --unix-socket /run/sekisho/issue.sock --data-binary "
		    "@device.csr 'http://ca/issue?name=device-7'\n",
	.options = serve_options,
	.least = 1,
	.most = 1,
	.run = run_serve,
};
