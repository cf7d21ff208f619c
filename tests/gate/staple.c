// SPDX-License-Identifier: Apache-2.0
/*
 * Which OCSP answers go out with a site's certificate: from a file, and from an address
 * that one worker asks for all.
 */
#include "gate/staple.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "gate/settings.h"
#include "gate/visit.h"
#include "gate/worker.h"
#include "pki/identity.h"
#include "tests/pki/answers.h"
#include "tests/pki/lists.h"

enum { TURNS = 2000, TURN_MS = 10, GOOD = V_OCSP_CERTSTATUS_GOOD };

static struct {
	char dir[64];
	char file[96];
	char url[96];
	struct worker worker;
	struct settings *settings; /* owned */
	struct gateway *edge;      /* owned */
	struct site site;
	struct site_certificate certificate;
	struct forged leaf;
	uint64_t now;
	int64_t wall_ms;

	struct listener port;
	struct visit_desk desk;
	struct span served;
	unsigned asked;
} w;

static void
serve(struct visit *v)
{
	w.asked++;
	CHECK(v->request.method == HTTP_POST && v->posted.n > 0);
	visit_answer(v,
		&(struct visit_answer){.status = 200,
			.type = SPAN("application/ocsp-response"),
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
		.posted_most = 4096,
		.asked = serve,
		.left = left};
	visit_desk_open(&w.desk, 8);
	w.port.accepted = accepted;
	listen_start(&w.port, &w.worker.loop, fd, &w.desk.limit);
	(void)text_format(
		w.url, sizeof(w.url), "OCSP;URI:http://127.0.0.1:%u/o", bound.port);
}

static struct identity *
identity_of(const struct forged *f)
{
	struct chain chain = {0};
	struct err err = {0};

	forge_add(&chain, f);
	forge_add(&chain, &middle);
	struct identity *id = identity_new(&chain, f->key, &err);
	CHECK_OK(id != NULL, &err);
	chain_fini(&chain);
	return id;
}

/* A worker of an edge with one site, whose answers come from the file or the port. */
static void
set_up(bool by_file)
{
	struct err err = {0};

	lists_begin();
	memset(&w, 0, sizeof(w));
	(void)text_format(w.dir, sizeof(w.dir), "/tmp/sekisho-staple-XXXXXX");
	CHECK(mkdtemp(w.dir) != NULL);
	(void)text_format(w.file, sizeof(w.file), "%s/answer", w.dir);
	CHECK_OK(loop_init(&w.worker.loop, &err), &err);
	shelf_init(&w.worker.evidence.shelf);
	w.worker.resolver = resolve_open(
		&w.worker.loop, &(struct resolve_options){.hosts_path = ""}, &err);
	open_port();
	w.leaf = forge(&(struct forge){.cn = "s",
		.by = &middle,
		.san = "DNS:a.example",
		.more = {"authorityInfoAccess", w.url}});
	w.certificate.id = identity_of(&w.leaf);
	w.certificate.staple = by_file ? span_str(w.file) : (struct span){0};
	w.site.stapling = true;
	w.site.certificates = &w.certificate.item;
	w.edge = mem_alloc(sizeof(*w.edge));
	w.edge->sites.sites = &w.site.item;
	w.settings = mem_alloc(sizeof(*w.settings));
	w.settings->edges = &w.edge->item;
	w.worker.settings = w.settings;
	w.now = clock_now();
	w.wall_ms = clock_wall_ms();
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

static void
tear_down(void)
{
	clock_real();
	staple_close_all(&w.worker);
	listen_stop(&w.port);
	visit_desk_close(&w.desk);
	resolve_close(w.worker.resolver);
	loop_turn(&w.worker.loop, 0);
	loop_fini(&w.worker.loop);
	shelf_close(&w.worker.evidence.shelf);
	identity_put(w.certificate.id);
	mem_free(w.edge);
	mem_free(w.settings);
	OPENSSL_free((void *)(uintptr_t)w.served.p);
	CHECK(nftw(w.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
	forge_end();
}

static void
write_answer(const struct answer_plan *p)
{
	struct err err = {0};
	struct span answer = make_ocsp(p);

	CHECK_OK(file_replace(w.file, answer, 0600, &err), &err);
	OPENSSL_free((void *)(uintptr_t)answer.p);
}

static void
pass(int64_t s)
{
	w.now += (uint64_t)s * 1000;
	w.wall_ms += s * 1000;
	clock_fake(w.now, w.wall_ms);
	loop_turn(&w.worker.loop, 0);
	loop_turn(&w.worker.loop, 0);
}

static bool
is_shown(void)
{
	return staple_of(&w.worker, w.certificate.id).n > 0;
}

static void
only_an_answer_that_is_good_is_shown(void)
{
	set_up(true);
	struct forged stranger = forge(&(struct forge){.cn = "Middle", .ca = true});
	const struct answer_plan bad[] = {
		{.about = &leaf, .issuer = &middle, .signer = &middle},
		{.about = &w.leaf,
			.issuer = &middle,
			.signer = &middle,
			.status = V_OCSP_CERTSTATUS_REVOKED},
		{.about = &w.leaf,
			.issuer = &middle,
			.signer = &middle,
			.status = V_OCSP_CERTSTATUS_UNKNOWN},
		{.about = &w.leaf,
			.issuer = &middle,
			.signer = &stranger,
			.delegate = &stranger},
		{.about = &w.leaf,
			.issuer = &middle,
			.signer = &middle,
			.from_days = -9,
			.to_days = -2},
	};

	staple_open_all(&w.worker);
	pass(0); /* there is no file yet */
	CHECK(!is_shown());
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		write_answer(&bad[i]);
		pass(11);
		CHECK(!is_shown());
	}
	write_answer(&(struct answer_plan){
		.about = &w.leaf, .issuer = &middle, .signer = &middle});
	pass(11);
	CHECK(is_shown());
	tear_down();
}

static void
a_good_one_stays_until_its_end_or_a_later_one(void)
{
	set_up(true);
	write_answer(&(struct answer_plan){
		.about = &w.leaf, .issuer = &middle, .signer = &middle, .to_days = 1});
	staple_open_all(&w.worker);
	pass(0);
	CHECK(is_shown());
	struct span first = staple_of(&w.worker, w.certificate.id);
	write_answer(&(struct answer_plan){
		.about = &leaf, .issuer = &middle, .signer = &middle});
	pass(11); /* of another certificate */
	CHECK(staple_of(&w.worker, w.certificate.id).p == first.p);
	write_answer(&(struct answer_plan){
		.about = &w.leaf, .issuer = &middle, .signer = &middle, .to_days = 3});
	pass(11);
	CHECK(is_shown());
	pass(2 * FORGE_DAY);
	CHECK(is_shown());
	pass(2 * FORGE_DAY);
	CHECK(!is_shown());
	tear_down();
}

static void
until_shown(void)
{
	for (int i = 0; i < TURNS && !is_shown(); i++)
		loop_turn(&w.worker.loop, TURN_MS);
	CHECK(is_shown());
}

/* The second worker, and the next generation, find it on the shelf. */
static void
one_worker_asks_for_all(void)
{
	struct err err = {0};
	char shelf[96];

	set_up(false);
	(void)text_format(shelf, sizeof(shelf), "%s/shelf", w.dir);
	CHECK_OK(shelf_open(&w.worker.evidence.shelf, shelf, 1 << 20, &err), &err);
	w.served = make_ocsp(&(struct answer_plan){.about = &w.leaf,
		.issuer = &middle,
		.signer = &middle,
		.status = GOOD});
	staple_open_all(&w.worker);
	until_shown();
	CHECK_INT(w.asked, 1);
	for (unsigned index = 0; index < 2; index++) {
		staple_close_all(&w.worker);
		memset(&w.worker.staples, 0, sizeof(w.worker.staples));
		w.worker.index = index;
		staple_open_all(&w.worker);
		CHECK(!is_shown());
		until_shown();
		CHECK_INT(w.asked, 1);
	}
	tear_down();
}

static void
a_site_can_do_without(void)
{
	set_up(true);
	w.site.stapling = false;
	staple_open_all(&w.worker);
	CHECK(w.worker.staples.all == NULL && !is_shown());
	tear_down();
}

TESTS(only_an_answer_that_is_good_is_shown,
	a_good_one_stays_until_its_end_or_a_later_one, one_worker_asks_for_all,
	a_site_can_do_without)
