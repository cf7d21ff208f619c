// SPDX-License-Identifier: Apache-2.0
/*
 * load: a client that makes a proxy work, for bench.py.
 *
 *	load handshakes|requests|bodies|idle|certs [name=value]...
 *
 * Threads with blocking sockets: the client's own cost is not measured, only that of
 * the proxy in between. Every operation verifies the certificate shown (ca=) and the
 * length of the answer. One JSON line tells how many operations, errors, octets, and the
 * times. cert= shows a client certificate, tls=12 or tls=13 fixes the version, resume=1
 * keeps sessions.
 *
 *   handshakes  connect, CONNECT (if connect=), full TLS handshake, one GET, close
 *   requests    GETs on kept connections, per= each
 *   bodies      as requests, for large answers
 *   idle        opens ops= connections, one GET each, says "ready", holds until stdin
 *               ends
 *   certs       writes ops= certificates for host= names below dir=, signed by ca=, key=
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 64, READ_SIZE = 65536, HEAD_SIZE = 8192 };

static const char *mode;
static long proxy_port;
static long origin_port = 443;
static const char *host = "www.good.example"; /* %d is replaced by a number */
static const char *connect_to;                /* "name": CONNECT host; or an address */
static const char *ca;
static const char *key;
static const char *dir;
static const char *path = "/";
static long ops = 1000;
static long names = 1; /* how many different values of %d */
static long per = 100;
static long expect = -1; /* octets of each body */
static long threads = 8;

static const char *cert; /* PEM of a client certificate and its key */
static long tls;         /* 12 or 13; 0: whatever both take */
static long resume;      /* 1: sessions are kept and used again, one per thread */

static SSL_CTX *context;
static atomic_long next_op;
static atomic_long done_ops;
static atomic_long errors;
static atomic_long again; /* visits that needed a second try */
static atomic_long octets;
static atomic_long fresh;  /* handshakes that did not resume, with resume=1 */
static uint64_t *times_us; /* of each operation, by number */

static uint64_t
now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, errno ? strerror(errno) : "");
	ERR_print_errors_fp(stderr);
	exit(1);
}

/* The first few failures are told; all are counted. */
static void
complain(const char *what)
{
	if (atomic_fetch_add(&errors, 1) < 3) {
		fprintf(stderr, "load: %s\n", what);
		ERR_print_errors_fp(stderr);
	}
	ERR_clear_error();
}

struct trip {
	int fd;
	SSL *ssl;
	SSL_SESSION *session; /* of the last visit, with resume=1 */
	char host[256];
	char buf[READ_SIZE];
};

static void
trip_close(struct trip *t)
{
	if (t->ssl) {
		if (resume) { /* a ticket has come with the answer */
			SSL_SESSION *latest = SSL_get1_session(t->ssl);
			if (latest && SSL_SESSION_is_resumable(latest)) {
				SSL_SESSION_free(t->session);
				t->session = latest;
			} else {
				SSL_SESSION_free(latest);
			}
			if (!SSL_session_reused(t->ssl))
				atomic_fetch_add(&fresh, 1);
		}
		SSL_shutdown(t->ssl);
		SSL_free(t->ssl);
	}
	if (t->fd >= 0)
		close(t->fd);
	t->ssl = NULL;
	t->fd = -1;
}

static void
name_of(char *dst, size_t cap, long number)
{
	const char *hole = strstr(host, "%d");

	if (!hole)
		snprintf(dst, cap, "%s", host);
	else
		snprintf(dst, cap, "%.*s%ld%s", (int)(hole - host), host,
			number % names, hole + 2);
}

static bool
dial(struct trip *t)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)proxy_port)};
	struct timeval limit = {.tv_sec = 30};
	int one = 1;

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	t->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return false;
	setsockopt(t->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(t->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(t->fd, (const struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Reads up to the empty line; nothing follows it before we speak TLS. */
static bool
ask_tunnel(struct trip *t)
{
	const char *target = strcmp(connect_to, "name") == 0 ? t->host : connect_to;
	int n = snprintf(t->buf, sizeof(t->buf),
		"CONNECT %s:%ld HTTP/1.1\r\nHost: %s:%ld\r\n\r\n", target, origin_port,
		target, origin_port);
	size_t got = 0;

	if (write(t->fd, t->buf, (size_t)n) != n)
		return false;
	while (got < HEAD_SIZE) {
		ssize_t r = read(t->fd, t->buf + got, HEAD_SIZE - got);
		if (r <= 0)
			return false;
		got += (size_t)r;
		t->buf[got] = '\0';
		if (strstr(t->buf, "\r\n\r\n"))
			return strncmp(t->buf + 8, " 200", 4) == 0;
	}
	return false;
}

static bool
trip_open(struct trip *t, long number)
{
	t->fd = -1;
	t->ssl = NULL;
	name_of(t->host, sizeof(t->host), number);
	if (!dial(t) || (connect_to && !ask_tunnel(t)))
		return false;
	t->ssl = SSL_new(context);
	if (t->ssl && t->session)
		SSL_set_session(t->ssl, t->session);
	return t->ssl && SSL_set_fd(t->ssl, t->fd) && SSL_set1_host(t->ssl, t->host) &&
		SSL_set_tlsext_host_name(t->ssl, t->host) && SSL_connect(t->ssl) == 1;
}

static long
content_length(const char *head)
{
	const char *line = head;

	while ((line = strstr(line, "\r\n")) != NULL) {
		line += 2;
		if (strncasecmp(line, "content-length:", 15) == 0)
			return strtol(line + 15, NULL, 10);
	}
	return -1;
}

/* One GET and its whole answer. */
static bool
trip_get(struct trip *t, bool last)
{
	int n = snprintf(t->buf, sizeof(t->buf),
		"GET %s HTTP/1.1\r\nHost: %s:%ld\r\n%s\r\n", path, t->host, origin_port,
		last ? "Connection: close\r\n" : "");
	size_t got = 0;
	char *end = NULL;

	if (SSL_write(t->ssl, t->buf, n) != n)
		return false;
	while (!end) {
		int r = SSL_read(t->ssl, t->buf + got, (int)(sizeof(t->buf) - 1 - got));
		if (r <= 0)
			return false;
		got += (size_t)r;
		t->buf[got] = '\0';
		end = strstr(t->buf, "\r\n\r\n");
	}
	long length = content_length(t->buf);
	if (strncmp(t->buf + 8, " 200", 4) != 0 || length < 0 ||
		(expect >= 0 && length != expect))
		return false;
	long left = length - (long)(got - (size_t)(end + 4 - t->buf));
	while (left > 0) {
		int r = SSL_read(t->ssl, t->buf, sizeof(t->buf));
		if (r <= 0)
			return false;
		left -= r;
	}
	atomic_fetch_add(&octets, length);
	return left == 0;
}

static void
one_handshake(struct trip *t, long number)
{
	uint64_t began = now_us();
	bool ok = trip_open(t, number) && trip_get(t, true);

	trip_close(t);
	if (!ok) { /* as a browser does; counted, since it costs */
		ERR_clear_error();
		atomic_fetch_add(&again, 1);
		ok = trip_open(t, number) && trip_get(t, true);
		trip_close(t);
	}
	if (ok)
		atomic_fetch_add(&done_ops, 1);
	else
		complain("a visit failed twice");
	times_us[number] = now_us() - began;
}

/* `per` operations, numbered from `first`, on one connection. */
static void
one_conversation(struct trip *t, long first)
{
	bool ok = trip_open(t, first);

	for (long i = first; i < first + per && i < ops; i++) {
		uint64_t began = now_us();
		ok = ok && trip_get(t, false);
		if (ok)
			atomic_fetch_add(&done_ops, 1);
		else
			complain("a request failed");
		times_us[i] = now_us() - began;
	}
	trip_close(t);
}

static void *
work(void *unused)
{
	struct trip *t = calloc(1, sizeof(*t));
	bool single = strcmp(mode, "handshakes") == 0;
	long step = single ? 1 : per;

	if (!t)
		die("memory");
	for (;;) {
		long number = atomic_fetch_add(&next_op, step);
		if (number >= ops)
			break;
		if (single)
			one_handshake(t, number);
		else
			one_conversation(t, number);
	}
	free(t);
	return unused;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static int
run_load(void)
{
	pthread_t ids[MAX_THREADS];
	uint64_t began = now_us();

	for (long i = 0; i < threads; i++) {
		if (pthread_create(&ids[i], NULL, work, NULL) != 0)
			die("thread");
	}
	for (long i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	double seconds = (double)(now_us() - began) / 1e6;
	qsort(times_us, (size_t)ops, sizeof(*times_us), by_value);
	printf("{\"ops\": %ld, \"errors\": %ld, \"again\": %ld, \"fresh\": %ld, "
	       "\"octets\": %ld, "
	       "\"seconds\": %.3f, \"p50_us\": %llu, \"p99_us\": %llu}\n",
		atomic_load(&done_ops), atomic_load(&errors), atomic_load(&again),
		atomic_load(&fresh), atomic_load(&octets), seconds,
		(unsigned long long)times_us[ops / 2],
		(unsigned long long)times_us[ops * 99 / 100]);
	return atomic_load(&errors) > 0;
}

static int
run_idle(void)
{
	struct trip *work_space = calloc(1, sizeof(*work_space));
	SSL **kept = calloc((size_t)ops, sizeof(SSL *));
	long good = 0;

	if (!work_space || !kept)
		die("memory");
	for (long i = 0; i < ops; i++) {
		if (trip_open(work_space, i) && trip_get(work_space, false))
			good++;
		else
			complain("an idle connection failed");
		kept[i] = work_space->ssl;
	}
	printf("ready %ld\n", good);
	fflush(stdout);
	while (getchar() != EOF)
		;
	for (long i = 0; i < ops; i++)
		SSL_free(kept[i]);
	free(kept);
	free(work_space);
	return good != ops;
}

static bool
add_extension(X509 *leaf, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, leaf, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	bool ok = ext && X509_add_ext(leaf, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static X509 *
make_leaf(X509 *issuer, EVP_PKEY *issuer_key, EVP_PKEY *own, const char *name)
{
	X509 *leaf = X509_new();
	uint64_t serial = 0;
	char san[300];

	if (!leaf || RAND_bytes((unsigned char *)&serial, sizeof(serial)) != 1)
		die("certificate");
	snprintf(san, sizeof(san), "DNS:%s", name);
	X509_set_version(leaf, 2);
	ASN1_INTEGER_set_uint64(X509_get_serialNumber(leaf), serial >> 1);
	X509_gmtime_adj(X509_getm_notBefore(leaf), -86400);
	X509_gmtime_adj(X509_getm_notAfter(leaf), 30L * 86400);
	X509_set_issuer_name(leaf, X509_get_subject_name(issuer));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
		(const unsigned char *)name, -1, -1, 0);
	X509_set_pubkey(leaf, own);
	if (!add_extension(leaf, issuer, NID_subject_alt_name, san) ||
		!add_extension(
			leaf, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
		!add_extension(leaf, issuer, NID_ext_key_usage, "serverAuth") ||
		!add_extension(leaf, issuer, NID_authority_key_identifier, "keyid") ||
		!X509_sign(leaf, issuer_key, EVP_sha256()))
		die("signing");
	return leaf;
}

static void
write_pem(const char *name, X509 *crt, EVP_PKEY *pkey)
{
	char file[512];
	snprintf(file, sizeof(file), "%s/%s.pem", dir, name);
	FILE *f = fopen(file, "w");
	if (!f || PEM_write_X509(f, crt) != 1 ||
		PEM_write_PrivateKey(f, pkey, NULL, NULL, 0, NULL, NULL) != 1 ||
		fclose(f) != 0)
		die(file);
}

static int
run_certs(void)
{
	FILE *ca_file = fopen(ca, "r");
	FILE *key_file = fopen(key, "r");
	if (!ca_file || !key_file)
		die("the authority's files");
	X509 *issuer = PEM_read_X509(ca_file, NULL, NULL, NULL);
	EVP_PKEY *issuer_key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);
	EVP_PKEY *own = EVP_EC_gen("P-256");
	if (!issuer || !issuer_key || !own)
		die("the authority");

	for (long i = 0; i < ops; i++) {
		char name[256];
		name_of(name, sizeof(name), i);
		X509 *leaf = make_leaf(issuer, issuer_key, own, name);
		write_pem(name, leaf, own);
		X509_free(leaf);
	}
	fclose(ca_file);
	fclose(key_file);
	X509_free(issuer);
	EVP_PKEY_free(issuer_key);
	EVP_PKEY_free(own);
	return 0;
}

static void
make_context(void)
{
	context = SSL_CTX_new(TLS_client_method());
	if (!context || (ca && SSL_CTX_load_verify_file(context, ca) != 1))
		die("roots");
	SSL_CTX_set_verify(context, ca ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (resume)
		SSL_CTX_set_session_cache_mode(
			context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	else
		SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
	int version = tls == 12 ? TLS1_2_VERSION : tls == 13 ? TLS1_3_VERSION : 0;
	if (!SSL_CTX_set_min_proto_version(context, version) ||
		!SSL_CTX_set_max_proto_version(context, version))
		die("version");
	if (cert &&
		(SSL_CTX_use_certificate_chain_file(context, cert) != 1 ||
			SSL_CTX_use_PrivateKey_file(context, cert, SSL_FILETYPE_PEM) !=
				1))
		die("certificate");
}

static void
take_word(const char *word)
{
	const struct {
		const char *name;
		const char **text;
		long *number;
	} rows[] = {
		{"host", &host, NULL},
		{"connect", &connect_to, NULL},
		{"ca", &ca, NULL},
		{"key", &key, NULL},
		{"cert", &cert, NULL},
		{"tls", NULL, &tls},
		{"resume", NULL, &resume},
		{"dir", &dir, NULL},
		{"path", &path, NULL},
		{"proxy", NULL, &proxy_port},
		{"origin", NULL, &origin_port},
		{"threads", NULL, &threads},
		{"ops", NULL, &ops},
		{"names", NULL, &names},
		{"per", NULL, &per},
		{"expect", NULL, &expect},
	};
	const char *value = strchr(word, '=');
	size_t n = value ? (size_t)(value - word) : strlen(word);

	for (size_t i = 0; value && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strlen(rows[i].name) != n || strncmp(word, rows[i].name, n) != 0)
			continue;
		if (rows[i].text)
			*rows[i].text = value + 1;
		else
			*rows[i].number = strtol(value + 1, NULL, 10);
	}
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		die("which mode?");
	mode = argv[1];
	for (int i = 2; i < argc; i++)
		take_word(argv[i]);
	if (ops < 1 || per < 1 || names < 1 || threads < 1 || threads > MAX_THREADS)
		die("a number is out of range");
	signal(SIGPIPE, SIG_IGN);
	if (strcmp(mode, "certs") == 0)
		return run_certs();
	make_context();
	if (strcmp(mode, "idle") == 0)
		return run_idle();
	times_us = calloc((size_t)ops, sizeof(*times_us));
	if (!times_us)
		die("memory");
	return run_load();
}
