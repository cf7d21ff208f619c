// SPDX-License-Identifier: Apache-2.0
/*
 * The lists of a `clients` block: files and addresses of a real loop, a server of lists
 * beside it.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "gate/edge.h"
#include "gate/visit.h"
#include "gate/worker.h"
#include "tests/pki/lists.h"

enum { TURNS = 2000, TURN_MS = 10, HOUR_MS = 3600 * 1000 };

static struct {
	char dir[64];
	char file[96];
	char url[64];
	struct worker worker;
	struct edge edge;
	struct site_clients settings;
	struct site_path crl_file;
	struct site_path crl_url;
	struct span authority; /* DER */
	struct edge_clients clients;
	struct cert *leaf;
	struct cert *issuer;

	struct listener port;
	struct visit_desk desk;
	struct span served; /* a list; of make_crl() */
	unsigned asked;
} w;

static void
serve(struct visit *v)
{
	w.asked++;
	visit_answer(v,
		&(struct visit_answer){.status = 200,
			.type = SPAN("application/pkix-crl"),
			.body = w.served});
}

static void
left(struct visit *v)
{
	mem_free(v);
}

static void
accepted(struct listener *l, int fd, const struct addr *peer)
{
	(void)l, (void)peer;
	visit_begin(&w.desk, mem_alloc(sizeof(struct visit)), fd);
}

static void
forget_served(void)
{
	OPENSSL_free((void *)(uintptr_t)w.served.p);
	w.served = (struct span){0};
}

static void
serve_list(const struct list_plan *p)
{
	forget_served();
	w.served = make_crl(p);
}

static void
write_file(const struct list_plan *p)
{
	struct err err = {0};
	struct span list = p ? make_crl(p) : (struct span){0};

	CHECK_OK(file_replace(w.file, p ? list : SPAN("no list"), 0600, &err), &err);
	OPENSSL_free((void *)(uintptr_t)list.p);
}

static void
open_port(void)
{
	struct err err = {0};
	int fd = -1;
	struct listen_fds fds = {&fd, 1};
	const struct addr any = {.ip = ip_v4(0x7f000001)};
	struct addr bound;

	CHECK_OK(listen_open(&any, &(struct listen_options){0}, &bound, &fds, &err),
		&err);
	w.desk = (struct visit_desk){.loop = &w.worker.loop,
		.most_ms = 10000,
		.posted_most = 16,
		.asked = serve,
		.left = left};
	visit_desk_open(&w.desk, 8);
	w.port.accepted = accepted;
	listen_start(&w.port, &w.worker.loop, fd, &w.desk.limit);
	(void)text_format(w.url, sizeof(w.url), "http://127.0.0.1:%u/l", bound.port);
}

/* A block with one authority, and the file or the address of its list. */
static void
set_up(bool by_file, bool by_url)
{
	struct err err = {0};
	uint8_t *der = NULL;

	lists_begin();
	memset(&w, 0, sizeof(w));
	(void)text_format(w.dir, sizeof(w.dir), "/tmp/sekisho-lists-XXXXXX");
	CHECK(mkdtemp(w.dir) != NULL);
	(void)text_format(w.file, sizeof(w.file), "%s/list", w.dir);
	CHECK_OK(loop_init(&w.worker.loop, &err), &err);
	shelf_init(&w.worker.evidence.shelf);
	w.worker.resolver = resolve_open(
		&w.worker.loop, &(struct resolve_options){.hosts_path = ""}, &err);
	open_port();
	int n = i2d_X509(middle.x, &der);
	w.authority = span_of(der, (size_t)n);
	w.leaf = cert_from_x509(leaf.x, &err);
	w.issuer = cert_from_x509(middle.x, &err);
	w.settings.name = SPAN("api.example");
	w.settings.ca_ders = &w.authority;
	w.settings.n_ca_names = 1;
	w.crl_file.path = span_str(w.file);
	w.crl_url.path = span_str(w.url);
	w.settings.crls = by_file ? &w.crl_file.item : NULL;
	w.settings.crl_urls = by_url ? &w.crl_url.item : NULL;
	w.edge.w = &w.worker;
	w.clients.settings = &w.settings;
}

static void
open_lists(void)
{
	struct err err = {0};

	CHECK_OK(edge_lists_open(&w.edge, &w.clients, &err), &err);
}

static void
tear_down(void)
{
	edge_lists_close(&w.clients);
	listen_stop(&w.port);
	visit_desk_close(&w.desk);
	resolve_close(w.worker.resolver);
	loop_turn(&w.worker.loop, 0);
	loop_fini(&w.worker.loop);
	forget_served();
	OPENSSL_free((void *)(uintptr_t)w.authority.p);
	cert_put(w.leaf);
	cert_put(w.issuer);
	(void)unlink(w.file);
	CHECK(rmdir(w.dir) == 0);
	forge_end();
}

/* Turns until so many lists were given out and the answer to the last was looked at. */
static void
until_asked(unsigned n)
{
	for (int i = 0; i < TURNS && w.asked < n; i++)
		loop_turn(&w.worker.loop, TURN_MS);
	CHECK_INT(w.asked, n);
	for (int i = 0; i < TURNS && !visit_desk_is_idle(&w.desk); i++)
		loop_turn(&w.worker.loop, TURN_MS);
	loop_turn(&w.worker.loop, TURN_MS);
}

static enum revoke_state
ask(void)
{
	return revoke_ask(w.clients.revoke, w.leaf, w.issuer, clock_wall());
}

static void
half_of_the_lists_is_none(void)
{
	struct err err = {0};

	set_up(true, false);
	write_file(NULL);
	CHECK(!edge_lists_open(&w.edge, &w.clients, &err));
	CHECK_INT(err.code, ERR_PKI_CRL);
	write_file(&(struct list_plan){.by = &middle, .revoked = &leaf});
	open_lists();
	CHECK_INT(ask(), REVOKE_REVOKED);
	/* What cannot be read leaves the old in force, and no verdict is made anew. */
	write_file(NULL);
	edge_lists_look(&w.clients);
	CHECK_INT(ask(), REVOKE_REVOKED);
	CHECK_INT(w.clients.epoch, 0);
	write_file(&(struct list_plan){.by = &middle, .number = 6});
	edge_lists_look(&w.clients);
	CHECK_INT(ask(), REVOKE_GOOD);
	CHECK_INT(w.clients.epoch, 1);
	edge_lists_look(&w.clients); /* nothing new */
	CHECK_INT(w.clients.epoch, 1);
	tear_down();
}

/* Who is between can keep an old list and serve it. */
static void
an_older_list_from_the_same_address_is_refused(void)
{
	set_up(false, true);
	serve_list(&(struct list_plan){.by = &middle, .revoked = &leaf});
	open_lists();
	until_asked(1);
	CHECK_INT(ask(), REVOKE_REVOKED);
	CHECK_INT(w.clients.epoch, 1);

	int64_t wall_ms = clock_wall_ms();
	uint64_t now = clock_now();
	serve_list(&(struct list_plan){.by = &middle, .from_days = -3});
	clock_fake(now + HOUR_MS + 1000, wall_ms + HOUR_MS);
	until_asked(2);
	CHECK_INT(ask(), REVOKE_REVOKED);
	CHECK_INT(w.clients.epoch, 1);
	/* A newer one counts, the next time. */
	serve_list(&(struct list_plan){.by = &middle, .number = 9});
	clock_fake(now + 2 * HOUR_MS, wall_ms + 2 * HOUR_MS);
	until_asked(3);
	CHECK_INT(ask(), REVOKE_GOOD);
	CHECK_INT(w.clients.epoch, 2);
	clock_real();
	tear_down();
}

/* The whole list is a file, which somebody replaces now and then. */
static void
what_changes_said_counts_until_a_whole_list_has_it(void)
{
	set_up(true, true);
	write_file(&(struct list_plan){.by = &middle, .number = 5});
	serve_list(&(struct list_plan){
		.by = &middle, .number = 7, .delta = 5, .revoked = &leaf});
	open_lists();
	until_asked(1);
	CHECK_INT(ask(), REVOKE_REVOKED);

	int64_t wall_ms = clock_wall_ms();
	uint64_t now = clock_now();
	serve_list(&(struct list_plan){.by = &middle, .number = 9, .delta = 8});
	clock_fake(now + HOUR_MS + 1000, wall_ms + HOUR_MS);
	until_asked(2);
	CHECK_INT(w.clients.epoch, 2);
	CHECK_INT(ask(), REVOKE_REVOKED);
	size_t kept = revoke_list_bytes(w.clients.revoke);
	write_file(&(struct list_plan){.by = &middle, .number = 8});
	edge_lists_look(&w.clients);
	CHECK_INT(ask(), REVOKE_GOOD);
	CHECK(revoke_list_bytes(w.clients.revoke) < kept);
	clock_real();
	tear_down();
}

static void
a_list_that_no_authority_here_has_signed_changes_nothing(void)
{
	set_up(false, true);
	struct forged stranger = forge(&(struct forge){.cn = "Middle", .ca = true});
	serve_list(&(struct list_plan){.by = &stranger, .revoked = &leaf});
	open_lists();
	until_asked(1);
	CHECK_INT(ask(), REVOKE_UNKNOWN);
	CHECK_INT(w.clients.epoch, 0);
	tear_down();
}

static void
the_first_end_of_all_lists_is_known(void)
{
	set_up(true, true);
	write_file(&(struct list_plan){.by = &middle, .to_days = 30});
	serve_list(&(struct list_plan){.by = &root, .to_days = 2});
	open_lists();
	CHECK(w.clients.ends > clock_wall() + 29 * FORGE_DAY);
	CHECK(w.clients.warn_at == w.clients.ends - FORGE_DAY);
	until_asked(1); /* of nobody here: it does not count */
	CHECK(w.clients.ends > clock_wall() + 29 * FORGE_DAY);
	write_file(&(struct list_plan){.by = &middle, .to_days = 1});
	edge_lists_look(&w.clients);
	CHECK(w.clients.ends < clock_wall() + 2 * FORGE_DAY);
	CHECK(w.clients.warn_at == w.clients.ends - FORGE_DAY / 2); /* of two days */
	tear_down();
}

TESTS(half_of_the_lists_is_none, an_older_list_from_the_same_address_is_refused,
	what_changes_said_counts_until_a_whole_list_has_it,
	a_list_that_no_authority_here_has_signed_changes_nothing,
	the_first_end_of_all_lists_is_known)
