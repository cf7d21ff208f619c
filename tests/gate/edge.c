// SPDX-License-Identifier: Apache-2.0
/*
 * A whole edge in one child process, an origin in another, and a client here: what no
 * engine shows alone. Loopback, ports of the kernel's choice; children end with us.
 */
#include "gate/edge.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "gate/worker.h"
#include "keyless/server.h"
#include "pki/tunnel.h"
#include "tests/gate/guest.h"

enum { ANSWER = 32768, PATH = 256 };

static struct {
	char dir[64];
	uint16_t https;
	uint16_t http;
	uint16_t origin;
	uint16_t dead; /* nobody listens there */
	uint16_t keys; /* the key server */
	pid_t children[3];
	struct settings settings;
} world;

static int
listen_anywhere(uint16_t *port, int more)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | more, 0);
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t n = sizeof(a);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
		listen(fd, 64) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static pid_t
start(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

/* Answers every request with its own head, and closes. */
static void
serve_echo(int listener)
{
	static char head[16384];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		size_t n = 0;
		while (fd >= 0 && n < sizeof(head)) {
			ssize_t got = read(fd, head + n, sizeof(head) - n);
			if (got <= 0)
				break;
			n += (size_t)got;
			if (span_find(span_of(head, n), SPAN("\r\n\r\n")) < n)
				break;
		}
		char line[128];
		size_t k = text_format(line, sizeof(line),
			"HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
		if (write(fd, line, k) < 0 || write(fd, head, n) < 0)
			n = 0;
		close(fd);
	}
}

static void
path_in(char dst[PATH], const char *name)
{
	text_format(dst, PATH, "%s/%s", world.dir, name);
}

static void
issue(const char *file, enum tunnel_end end, const char *a, const char *b)
{
	const char *names[] = {a, b};
	struct err err = {0};

	CHECK_OK(tunnel_issue(world.dir,
			 &(struct tunnel_wish){.file = file,
				 .end = end,
				 .names = names,
				 .n_names = b ? 2 : 1},
			 &err),
		&err);
}

/* A CRL of the authority, with the certificates of these files. */
static void
write_crl(const char *revoked)
{
	char path[PATH];
	struct err err = {0};
	AUTO(X509_CRL) *crl = X509_CRL_new();
	AUTO(ASN1_TIME) *now = X509_gmtime_adj(NULL, -60);
	AUTO(ASN1_TIME) *next = X509_gmtime_adj(NULL, 3600);

	path_in(path, "ca.crt");
	struct cert *ca = cert_load(path, &err);
	CHECK_OK(ca != NULL, &err);
	path_in(path, "ca.key");
	AUTO(EVP_PKEY) *key = key_load(path, (struct span){0}, &err);
	CHECK_OK(key != NULL, &err);
	CHECK(X509_CRL_set_version(crl, 1) == 1);
	CHECK(X509_CRL_set_issuer_name(
		      crl, X509_get_subject_name(cert_x509(ca, &err))) == 1);
	CHECK(X509_CRL_set1_lastUpdate(crl, now) == 1);
	CHECK(X509_CRL_set1_nextUpdate(crl, next) == 1);
	if (revoked) {
		path_in(path, revoked);
		struct cert *c = cert_load(path, &err);
		CHECK_OK(c != NULL, &err);
		X509_REVOKED *r = X509_REVOKED_new();
		AUTO(ASN1_INTEGER) *serial =
			ASN1_INTEGER_dup(X509_get0_serialNumber(cert_x509(c, &err)));
		CHECK(X509_REVOKED_set_serialNumber(r, serial) == 1);
		CHECK(X509_REVOKED_set_revocationDate(r, now) == 1);
		CHECK(X509_CRL_add0_revoked(crl, r) == 1);
		cert_put(c);
	}
	AUTO(ASN1_INTEGER) *number = ASN1_INTEGER_new();
	CHECK(ASN1_INTEGER_set(number, revoked ? 2 : 1) == 1);
	CHECK(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1);
	CHECK(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
	AUTO_OCTETS *der = NULL;
	int n = i2d_X509_CRL(crl, &der);
	path_in(path, "clients.crl");
	CHECK_OK(file_replace(path, span_of(der, (size_t)n), 0644, &err), &err);
	cert_put(ca);
}

static const char config[] =
	"listen 127.0.0.1:1 as edge use shop\n"
	"listen 127.0.0.1:2 as redirect use shop\n"
	"edge shop {\n"
	"  site shop.example {\n"
	"    also *.shop.example\n"
	"    certificate DIR/shop.crt key DIR/shop.key\n"
	"    origin http://127.0.0.1:DEAD\n"
	"    origin http://127.0.0.1:ORIGIN\n"
	"    hsts 365d\n"
	"  }\n"
	"  keys {\n"
	"    server 127.0.0.1:KEYS called keys.example\n"
	"    certificate DIR/edge.crt\n"
	"    key DIR/edge.key\n"
	"    authority DIR/ca.crt\n"
	"  }\n"
	"  site far.example {\n"
	"    keyless DIR/far.crt\n"
	"    origin http://127.0.0.1:ORIGIN\n"
	"  }\n"
	"  clients api.shop.example {\n"
	"    authority DIR/ca.crt\n"
	"    crl DIR/clients.crl\n"
	"    tell-origin rfc9440\n"
	"  }\n"
	"  clients xfcc.shop.example {\n"
	"    authority DIR/ca.crt\n"
	"    tell-origin xfcc\n"
	"  }\n"
	"  rule no-cert when http.host == \"api.shop.example\" and (not "
	"cf.tls_client_auth.cert_verified or "
	"cf.tls_client_auth.cert_revoked) do block\n"
	"  rule bad-cert when http.host == \"xfcc.shop.example\" and "
	"cf.tls_client_auth.cert_presented and not "
	"cf.tls_client_auth.cert_verified do block\n"
	"}\n";

/* The configuration with its words filled in. */
static struct span
filled(struct arena *a)
{
	const char *words[] = {"DIR", "DEAD", "ORIGIN", "KEYS"};
	char values[4][64];
	struct text out = text_to(arena_alloc(a, 8192), 8192);
	struct span rest = span_str(config);

	text_format(values[0], 64, "%s", world.dir);
	text_format(values[1], 64, "%u", world.dead);
	text_format(values[2], 64, "%u", world.origin);
	text_format(values[3], 64, "%u", world.keys);
	while (rest.n > 0) {
		size_t hit = COUNT_OF(words);
		for (size_t i = 0; i < COUNT_OF(words); i++) {
			if (span_starts(rest, span_str(words[i])))
				hit = i;
		}
		struct span piece = hit < COUNT_OF(words) ? span_str(values[hit])
							  : span_first(rest, 1);
		text_put(&out, piece);
		rest = span_from(rest, hit < COUNT_OF(words) ? strlen(words[hit]) : 1);
	}
	CHECK(!out.cut);
	return text_span(&out);
}

static void
run_edge(const int *fds)
{
	struct worker w;
	struct err err = {0};
	int vault[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, vault) != 0)
		_exit(1);
	const struct worker_spec spec = {
		.settings = &world.settings,
		.listen_fds = fds,
		.n_listen_fds = 2,
		.vault_fd = vault[0],
		.event_fd = -1,
	};
	if (!worker_open(&w, &spec, &err)) {
		print_error("%s\n", err.text);
		_exit(1);
	}
	worker_run(&w);
	_exit(0);
}

struct key_place {
	struct server server;
	struct listener listener;
};

static void
edge_came(struct listener *l, int fd, const struct addr *from)
{
	server_accept(&CONTAINER_OF(l, struct key_place, listener)->server, fd, from);
}

/* The private key of far.example is in this process alone. */
static void
run_key_server(int fd)
{
	static struct key_place place;
	static struct keys keys;
	struct loop loop;
	struct err err = {0};
	char crt[PATH];
	char key[PATH];
	char far[PATH];
	char ca[PATH];

	path_in(crt, "keys.crt");
	path_in(key, "keys.key");
	path_in(far, "far.key");
	path_in(ca, "ca.crt");
	const char *roots[] = {ca, NULL};
	keys_init(&keys);
	if (!loop_init(&loop, &err) || !keys_add_file(&keys, far, &err))
		_exit(1);
	const struct server_spec spec = {
		.loop = &loop,
		.keys = &keys,
		.profile = server_profile(&err),
		.identity = identity_load(crt, key, (struct span){0}, &err),
		.trust = trust_new(false, roots, &err),
	};
	if (!spec.profile || !spec.identity || !spec.trust)
		_exit(1);
	server_open(&place.server, &spec);
	place.listener.accepted = edge_came;
	listen_start(&place.listener, &loop, fd, &place.server.limit);
	loop_run(&loop);
	_exit(0);
}

static void
the_world_is_set_up(void)
{
	struct arena a;
	static struct conf_report report;
	static char complaint[CONF_COMPLAINT_TEXT];
	struct err err = {0};
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN);
	text_format(world.dir, sizeof(world.dir), "/tmp/sekisho-edge-XXXXXX");
	CHECK(mkdtemp(world.dir) != NULL);
	char ca[PATH];
	path_in(ca, "pki");
	CHECK_OK(tunnel_make(ca, &err), &err);
	text_format(world.dir, sizeof(world.dir), "%s", ca);
	issue("shop", TUNNEL_SERVER, "shop.example", "*.shop.example");
	issue("far", TUNNEL_SERVER, "far.example", NULL);
	issue("keys", TUNNEL_SERVER, "keys.example", NULL);
	issue("edge", TUNNEL_CLIENT, "edge.example", NULL);
	issue("good", TUNNEL_CLIENT, "good.example", NULL);
	issue("later", TUNNEL_CLIENT, "later.example", NULL);
	write_crl(NULL);

	close(listen_anywhere(&world.dead, 0));
	int origin = listen_anywhere(&world.origin, 0);
	fds[0] = listen_anywhere(&world.https, SOCK_NONBLOCK);
	fds[1] = listen_anywhere(&world.http, SOCK_NONBLOCK);
	int keys = listen_anywhere(&world.keys, SOCK_NONBLOCK);
	arena_init(&a, 16384);
	conf_report_init(&report);
	bool ok = settings_parse(&world.settings, "edge.conf", filled(&a), &report);
	for (size_t i = 0; i < report.n; i++)
		print_error(
			"%s", conf_complaint_text(complaint, &report.list[i], false));
	CHECK(ok);
	arena_fini(&a);
	world.children[0] = start();
	if (world.children[0] == 0)
		serve_echo(origin);
	world.children[1] = start();
	if (world.children[1] == 0)
		run_edge(fds);
	world.children[2] = start();
	if (world.children[2] == 0)
		run_key_server(keys);
	close(keys);
	close(origin);
	close(fds[0]);
	close(fds[1]);
}

/* ---- a client ---- */

static struct resume_cache cache;
static bool offering; /* sessions of earlier visits, whatever they were */
static int padding;   /* certificates behind the client's own, of no use */

/* The handshake; its outcome is the state. */
static enum tls_state
come(struct guest *v, const char *sni, const char *cert)
{
	char crt[PATH];
	char key[PATH];
	char name[64];

	*v = (struct guest){.fd = dial(world.https)};
	buf_init(&v->in, 65536);
	buf_init(&v->out, 65536);
	buf_init(&v->plain, 65536);
	v->profile = pair_profile((struct profile_spec){.role = PROFILE_CLIENT});
	if (cert) {
		text_format(name, sizeof(name), "%s.crt", cert);
		path_in(crt, name);
		text_format(name, sizeof(name), "%s.key", cert);
		path_in(key, name);
		v->id = identity_load(crt, key, (struct span){0}, &v->err);
		CHECK_OK(v->id != NULL, &v->err);
		pad(v->id, padding);
	}
	const struct resume_key k = session_key(v);
	v->tls = tls_client_new(
		&(struct tls_client_spec){.profile = v->profile,
			.host = span_str(sni),
			.alpn = SPAN("\x08http/1.1"),
			.identity = v->id,
			.session = offering ? resume_get(&cache, &k) : NULL,
			.wire_in = &v->in,
			.wire_out = &v->out},
		&v->err);
	CHECK_OK(v->tls != NULL, &v->err);
	while (tls_advance(v->tls, &v->err) == TLS_SHAKING && move_wire(v))
		;
	if (tls_advance(v->tls, &v->err) == TLS_WANTS_VERDICT)
		tls_accept(v->tls);
	return tls_state(v->tls);
}

/* One request; the whole answer, valid until the next. The status is returned. */
static unsigned
ask_for(struct guest *v, const char *host, const char *more, struct span *answer)
{
	static uint8_t kept[ANSWER];
	struct buf request;
	uint64_t status = 0;
	size_t body = SIZE_MAX;

	buf_init(&request, 4096);
	CHECK(text_to_buf(
		&request, "GET /x?y HTTP/1.1\r\nHost: %s\r\n%s\r\n", host, more));
	buf_drop(&v->plain, buf_len(&v->plain));
	CHECK(tls_write(v->tls, &request) > 0);
	for (;;) {
		(void)tls_read(v->tls, &v->plain);
		struct span got = buf_peek(&v->plain);
		size_t end = span_find(got, SPAN("\r\n\r\n"));
		size_t at = span_find(got, SPAN("ontent-Length: "));
		if (at == got.n)
			at = span_find(got, SPAN("ontent-length: "));
		if (end < got.n && at < end) {
			struct span number = span_from(got, at + 15);
			uint64_t n = 0;
			CHECK(text_u64(span_first(number, span_chr(number, '\r')),
				ANSWER, &n));
			body = end + 4 + (size_t)n;
		}
		if (got.n >= body || !move_wire(v))
			break;
	}
	struct span got = buf_peek(&v->plain);
	CHECK(got.n > 12 && got.n < ANSWER);
	memcpy(kept, got.p, got.n);
	*answer = span_of(kept, got.n);
	CHECK(text_u64(span_slice(*answer, 9, 12), 599, &status));
	const struct resume_key k = session_key(v);
	if (offering)
		(void)resume_put(&cache, &k, v->tls);
	buf_fini(&request);
	return (unsigned)status;
}

static bool
says(struct span answer, const char *what)
{
	return span_find(answer, span_str(what)) < answer.n;
}

/* ---- stories ---- */

static void
names_lead_to_their_site(void)
{
	static const char *const names[] = {
		"shop.example", "SHOP.example", "www.shop.example"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct guest v;
		struct span answer;
		CHECK_INT(come(&v, names[i], NULL), TLS_OPEN);
		CHECK_INT(ask_for(&v, names[i], "", &answer), 200);
		CHECK(says(answer, "GET /x?y HTTP/1.1\r\n"));
		CHECK(says(answer, "X-Forwarded-For: 127.0.0.1") ||
			says(answer, "x-forwarded-for: 127.0.0.1"));
		CHECK(says(answer, "Strict-Transport-Security: max-age=31536000"));
		/* The connection goes on, and so does the next origin in turn. */
		CHECK_INT(ask_for(&v, names[i], "", &answer), 200);
		leave(&v);
	}
}

static void
a_name_nobody_has_ends_the_handshake(void)
{
	static const char *const names[] = {"other.example", "a.b.shop.example", ""};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct guest v;
		struct tls_facts f;
		CHECK_INT(come(&v, names[i], NULL), TLS_FAILED);
		tls_facts(v.tls, &f);
		CHECK_STR(tls_alert_name(f.alert_received), "unrecognized_name");
		leave(&v);
	}
}

static void
without_a_certificate_rules_decide(void)
{
	struct guest v;
	struct span answer;

	CHECK_INT(come(&v, "api.shop.example", NULL), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 403);
	leave(&v);
	CHECK_INT(come(&v, "www.shop.example", NULL), TLS_OPEN);
	CHECK_INT(ask_for(&v, "www.shop.example", "", &answer), 200);
	leave(&v);
}

static void
a_good_certificate_opens_and_is_told_to_the_origin(void)
{
	struct guest v;
	struct span answer;

	CHECK_INT(come(&v, "api.shop.example", "good"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 200);
	CHECK(says(answer, "Client-Cert: :MII"));
	leave(&v);
	CHECK_INT(come(&v, "xfcc.shop.example", "good"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "xfcc.shop.example", "", &answer), 200);
	CHECK(says(answer, "X-Forwarded-Client-Cert: Hash="));
	leave(&v);
}

static void
what_clients_say_of_certificates_is_removed(void)
{
	static const char made_up[] =
		"Client-Cert: :evil:\r\nClient_Cert: :evil:\r\n"
		"X-SSL-Client-Verify: SUCCESS-evil\r\n"
		"Cf-Client-Cert-Sha256: evil\r\nCf-Cert-Verified: evil\r\n"
		"X-Forwarded-Client-Cert: evil\r\n"
		"SSL-CLIENT-S-DN: evil\r\n";
	static const char *const names[] = {
		"www.shop.example", "api.shop.example", "xfcc.shop.example"};

	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct guest v;
		struct span answer;
		CHECK_INT(come(&v, names[i], "good"), TLS_OPEN);
		CHECK_INT(ask_for(&v, names[i], made_up, &answer), 200);
		CHECK(!says(answer, "evil"));
		leave(&v);
	}
}

static void
another_policy_on_the_connection_is_misdirected(void)
{
	struct guest v;
	struct span answer;

	CHECK_INT(come(&v, "www.shop.example", NULL), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 421);
	leave(&v);
	CHECK_INT(come(&v, "www.shop.example", NULL), TLS_OPEN);
	CHECK_INT(ask_for(&v, "shop.example", "", &answer), 200); /* asks the same */
	CHECK_INT(ask_for(&v, "other.example", "", &answer), 421);
	leave(&v);
}

static bool
resumed(const char *sni)
{
	struct guest v;
	struct tls_facts f;
	struct span answer;

	CHECK_INT(come(&v, sni, NULL), TLS_OPEN);
	tls_facts(v.tls, &f);
	bool was = f.resumed;
	(void)ask_for(&v, sni, "", &answer);
	leave(&v);
	return was;
}

static void
a_session_is_resumed_where_it_began_and_nowhere_else(void)
{
	resume_cache_init(&cache, 1 << 20);
	offering = true;
	CHECK(!resumed("www.shop.example"));
	CHECK(resumed("www.shop.example"));
	CHECK(!resumed("api.shop.example"));
	CHECK(resumed("api.shop.example"));
	CHECK(!resumed("xfcc.shop.example"));
	CHECK(!resumed("www.shop.example"));
	offering = false;
	resume_cache_fini(&cache);
}

/* Who hides a certificate behind more than is read has shown one all the same. */
static void
a_chain_too_long_is_a_certificate_and_not_verified(void)
{
	struct guest v;
	struct span answer;

	padding = CHAIN_MAX;
	CHECK_INT(come(&v, "xfcc.shop.example", "good"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "xfcc.shop.example", "", &answer), 403);
	leave(&v);
	CHECK_INT(come(&v, "api.shop.example", "good"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 403);
	leave(&v);
	padding = 0;
}

static void
revocation_reaches_a_live_connection(void)
{
	struct guest v;
	struct span answer;
	unsigned status = 200;

	CHECK_INT(come(&v, "api.shop.example", "later"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 200);
	write_crl("later.crt");
	for (int i = 0; i < 30 && status == 200; i++) {
		(void)usleep(100000);
		status = ask_for(&v, "api.shop.example", "", &answer);
	}
	CHECK_INT(status, 403);
	leave(&v);
	CHECK_INT(come(&v, "api.shop.example", "good"), TLS_OPEN);
	CHECK_INT(ask_for(&v, "api.shop.example", "", &answer), 200);
	leave(&v);
}

/* A ClientHello, and away. */
static void
come_and_go(const char *sni)
{
	struct buf in;
	struct buf out;
	struct err err = {0};
	struct profile *p = pair_profile((struct profile_spec){.role = PROFILE_CLIENT});
	int fd = dial(world.https);

	buf_init(&in, 65536);
	buf_init(&out, 65536);
	struct tls *t = tls_client_new(&(struct tls_client_spec){.profile = p,
					       .host = span_str(sni),
					       .wire_in = &in,
					       .wire_out = &out},
		&err);
	CHECK_OK(t != NULL, &err);
	pair_advance(t, &err);
	CHECK(write(fd, buf_peek(&out).p, buf_len(&out)) == (ssize_t)buf_len(&out));
	(void)usleep(50000);
	close(fd);
	tls_free(t);
	profile_put(p);
	buf_fini(&in);
	buf_fini(&out);
}

static void
a_key_elsewhere_signs_until_nobody_answers(void)
{
	struct guest v;
	struct span answer;
	struct tls_facts f;

	for (int i = 0; i < 3; i++) {
		CHECK_INT(come(&v, "far.example", NULL), TLS_OPEN);
		CHECK_INT(ask_for(&v, "far.example", "", &answer), 200);
		leave(&v);
	}
	/* Somebody leaves while the signature is on its way. */
	CHECK(kill(world.children[2], SIGSTOP) == 0);
	for (int i = 0; i < 3; i++) {
		come_and_go("far.example");
		(void)usleep(50000);
	}
	CHECK(kill(world.children[2], SIGCONT) == 0);
	CHECK_INT(come(&v, "far.example", NULL), TLS_OPEN);
	CHECK_INT(ask_for(&v, "far.example", "", &answer), 200);
	leave(&v);
	CHECK(kill(world.children[2], SIGKILL) == 0);
	CHECK(waitpid(world.children[2], NULL, 0) == world.children[2]);
	world.children[2] = 0;
	CHECK_INT(come(&v, "far.example", NULL), TLS_FAILED);
	tls_facts(v.tls, &f);
	CHECK_STR(tls_alert_name(f.alert_received), "internal_error");
	leave(&v);
	/* The others do not notice. */
	CHECK_INT(come(&v, "shop.example", NULL), TLS_OPEN);
	leave(&v);
}

static size_t
plain_request(uint16_t port, const char *host, char *dst, size_t cap)
{
	int fd = dial(port);
	char request[256];
	size_t n = text_format(request, sizeof(request),
		"GET /x?y HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
	size_t got = 0;
	ssize_t k = 0;

	CHECK(write(fd, request, n) == (ssize_t)n);
	while (got < cap && (k = read(fd, dst + got, cap - got)) > 0)
		got += (size_t)k;
	close(fd);
	return got;
}

static void
plain_http_is_sent_on_to_https(void)
{
	static char answer[8192];
	char want[128];
	size_t n =
		plain_request(world.http, "www.shop.example", answer, sizeof(answer));

	CHECK(says(span_of(answer, n), "HTTP/1.1 308"));
	text_format(
		want, sizeof(want), "Location: https://www.shop.example:%u/x?y\r\n", 1);
	CHECK(says(span_of(answer, n), want)); /* 1: the port the configuration names */
	n = plain_request(world.http, "other.example", answer, sizeof(answer));
	CHECK(says(span_of(answer, n), "HTTP/1.1 404"));
	n = plain_request(world.https, "www.shop.example", answer, sizeof(answer));
	CHECK(says(span_of(answer, n), "HTTP/1.1 400"));
}

static void
the_children_end(void)
{
	for (size_t i = 0; i < COUNT_OF(world.children); i++) {
		if (world.children[i] == 0)
			continue;
		CHECK(kill(world.children[i], SIGTERM) == 0);
		CHECK(waitpid(world.children[i], NULL, 0) == world.children[i]);
	}
	settings_fini(&world.settings);
}

TESTS(the_world_is_set_up, names_lead_to_their_site,
	a_name_nobody_has_ends_the_handshake, without_a_certificate_rules_decide,
	a_good_certificate_opens_and_is_told_to_the_origin,
	what_clients_say_of_certificates_is_removed,
	another_policy_on_the_connection_is_misdirected,
	a_session_is_resumed_where_it_began_and_nowhere_else,
	a_chain_too_long_is_a_certificate_and_not_verified,
	revocation_reaches_a_live_connection,
	a_key_elsewhere_signs_until_nobody_answers, plain_http_is_sent_on_to_https,
	the_children_end)
