// SPDX-License-Identifier: Apache-2.0
#include "shared/cache_store.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "shared/cache_store_priv.h"
#include "tests/test.h"

enum { BYTES = 256 * 4096 };

static struct cache_store *store;
static struct arena arena;
static struct http_head request;
static int64_t wall_ms;

static void
start(void)
{
	struct err err = {0};

	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	cache_store_put(store);
	store = cache_store_new(BYTES, NULL, &err);
	CHECK_OK(store != NULL, &err);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
}

static struct cache_key
key_of(const char *url)
{
	struct cache_key key;
	struct span part = span_str(url);

	cache_key_make(&key, &part, 1);
	return key;
}

static struct cache_texts
texts_of(const char *url, const char *tags)
{
	struct http_head head;
	struct err err = {0};
	struct cache_texts t = {.key = key_of(url),
		.url = span_str(url),
		.tags = span_str(tags),
		.facts = {.came_ms = ++wall_ms, .status = 200}};

	http_response_make(&head, &arena, 200);
	CHECK_OK(http_add(&head.fields, SPAN("Url"), span_str(url), &err), &err);
	CHECK(cache_vary_make(&head.fields, &request.fields, &arena, &t.vary));
	CHECK(cache_head_write(&head, &arena, &t.head));
	return t;
}

static bool
put_octets(const struct cache_texts *t, struct span body)
{
	struct cache_fill f;

	cache_store_begin(&f);
	return cache_store_add(store, &f, body) && cache_store_commit(store, &f, t);
}

static bool
put(const char *url, const char *tags, const char *body)
{
	struct cache_texts t = texts_of(url, tags);

	return put_octets(&t, span_str(body));
}

static enum cache_found
find(const char *url, struct cache_hit *hit)
{
	struct cache_key key = key_of(url);

	return cache_store_find(store, &key, &request.fields, &arena, hit);
}

static bool
has(const char *url)
{
	struct cache_hit hit;

	if (find(url, &hit) != CACHE_PRESENT)
		return false;
	cache_store_let_go(store, &hit);
	return true;
}

static uint64_t
bytes_used(void)
{
	struct cache_store_sums sums;

	cache_store_sum(store, &sums);
	return sums.bytes;
}

static void
what_was_put_is_found_with_its_fields_and_body(void)
{
	struct cache_hit hit;
	struct http_head head;
	struct cache_cursor c;

	start();
	CHECK(put("https://a.test/1", "", "hello"));
	CHECK_INT(find("https://a.test/2", &hit), CACHE_ABSENT);
	CHECK_INT(find("https://a.test/1", &hit), CACHE_PRESENT);
	CHECK_INT(hit.length, 5);
	CHECK_INT(hit.facts.status, 200);
	CHECK(cache_head_read(hit.head, &head, &arena));
	CHECK_SPAN(http_get(&head.fields, SPAN("url")), "https://a.test/1");
	cache_store_seek(store, &hit, 1, 3, &c);
	CHECK_SPAN(cache_store_next(store, &c), "ell");
	CHECK(cache_store_next(store, &c).n == 0);
	cache_store_let_go(store, &hit);
}

static void
a_long_body_comes_back_from_any_place(void)
{
	static uint8_t body[50000];
	struct cache_texts t;
	struct cache_hit hit;
	static const uint64_t from[] = {0, 1, 4095, 4096, 4097, 8192, 49999};

	start();
	for (size_t i = 0; i < sizeof(body); i++)
		body[i] = (uint8_t)(i % 251);
	t = texts_of("u", "");
	CHECK(put_octets(&t, span_of(body, sizeof(body))));
	CHECK_INT(find("u", &hit), CACHE_PRESENT);
	for (size_t i = 0; i < COUNT_OF(from); i++) {
		struct cache_cursor c;
		size_t at = (size_t)from[i];
		cache_store_seek(store, &hit, at, sizeof(body) - at, &c);
		for (struct span s; (s = cache_store_next(store, &c)).n > 0; at += s.n)
			CHECK(memcmp(s.p, body + at, s.n) == 0);
		CHECK_INT(at, sizeof(body));
	}
	cache_store_let_go(store, &hit);
}

static void
the_same_url_is_replaced_and_its_blocks_come_back(void)
{
	start();
	CHECK(put("u", "", "one"));
	uint64_t before = bytes_used();
	for (int i = 0; i < 1000; i++)
		CHECK(put("u", "", "two"));
	CHECK_INT(bytes_used(), before);
	struct cache_key key = key_of("u");
	CHECK_INT(cache_store_forget(store, &key), 1);
	CHECK_INT(bytes_used(), 0);
}

static void
variants_live_beside_each_other(void)
{
	struct err err = {0};
	struct cache_hit hit;
	struct http_head head;

	start();
	for (int i = 0; i < 50; i++) {
		struct cache_texts t = texts_of("u", "");
		char value[8];
		size_t n = text_format(value, sizeof(value), "%d", i);
		CHECK_OK(
			http_set(&request.fields, SPAN("Foo"), span_of(value, n), &err),
			&err);
		http_response_make(&head, &arena, 200);
		CHECK_OK(http_add(&head.fields, SPAN("Vary"), SPAN("foo"), &err), &err);
		CHECK(cache_vary_make(&head.fields, &request.fields, &arena, &t.vary));
		CHECK(put_octets(&t, span_of(value, n)));
	}
	CHECK_INT(find("u", &hit), CACHE_PRESENT);
	cache_store_let_go(store, &hit);
	CHECK_OK(http_set(&request.fields, SPAN("Foo"), SPAN("0"), &err), &err);
	CHECK_INT(find("u", &hit), CACHE_OTHER_VARIANT); /* too many: the oldest went */
	http_remove(&request.fields, SPAN("foo"));
	CHECK_INT(find("u", &hit), CACHE_OTHER_VARIANT);
}

static void
the_least_used_goes_when_there_is_no_room(void)
{
	char url[16];

	start();
	CHECK(put("kept", "", "body"));
	for (int i = 0; i < 500; i++) {
		text_format(url, sizeof(url), "u%d", i);
		CHECK(put(url, "", "body"));
		CHECK(has("kept"));
	}
	CHECK(!has("u0") && has("u499"));
	CHECK(bytes_used() <= BYTES);
}

/* However many are being read, room is found behind them. */
static void
those_that_are_read_stand_in_nobodys_way(void)
{
	enum { READ = 300, LARGE = 1024 * 4096 };
	static struct cache_hit hits[READ];
	struct err err = {0};
	char url[16];

	start();
	cache_store_put(store);
	store = cache_store_new(LARGE, NULL, &err);
	CHECK_OK(store != NULL, &err);
	for (int i = 0; i < READ; i++) {
		text_format(url, sizeof(url), "r%d", i);
		CHECK(put(url, "", "body"));
		CHECK_INT(find(url, &hits[i]), CACHE_PRESENT);
		arena_reset(&arena);
		http_request_make(
			&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	}
	int refused = 0;
	for (int i = 0; i < 2 * READ; i++) {
		text_format(url, sizeof(url), "u%d", i);
		refused += !put(url, "", "body");
		arena_reset(&arena);
		http_request_make(
			&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
	}
	CHECK(refused <= 2); /* the first look may be at those that are read alone */
	for (int i = 0; i < READ; i++)
		cache_store_let_go(store, &hits[i]);
	CHECK(has("r0") && has("u599"));
}

static void
what_is_read_keeps_its_octets(void)
{
	struct cache_hit hit;
	struct cache_cursor c;
	char url[16];

	start();
	CHECK(put("read", "", "before"));
	CHECK_INT(find("read", &hit), CACHE_PRESENT);
	CHECK(put("read", "", "after"));
	for (int i = 0; i < 500; i++) {
		text_format(url, sizeof(url), "u%d", i);
		CHECK(put(url, "", "XXXXXXXXXX"));
	}
	cache_store_seek(store, &hit, 0, hit.length, &c);
	CHECK_SPAN(cache_store_next(store, &c), "before");
	uint64_t used = bytes_used();
	cache_store_let_go(store, &hit);
	CHECK_INT(bytes_used(), used - 2 * 4096);
}

static void
a_body_that_is_too_long_takes_nothing(void)
{
	static uint8_t piece[65536];
	struct cache_fill f;
	bool ok = true;

	start();
	CHECK(put("u", "", "x"));
	cache_store_begin(&f);
	for (int i = 0; i < 100 && ok; i++)
		ok = cache_store_add(store, &f, span_of(piece, sizeof(piece)));
	CHECK(!ok && !f.open);
	CHECK_INT(bytes_used(), 0); /* the old one had to go, the new one did */
	CHECK(put("u", "", "x"));
}

static void
fields_are_renewed_in_place(void)
{
	struct cache_hit hit;
	struct http_head head;

	start();
	CHECK(put("u", "", "body"));
	CHECK_INT(find("u", &hit), CACHE_PRESENT);
	struct cache_texts t = texts_of("other", "");
	t.key = key_of("u");
	CHECK(cache_store_renew(store, &hit, &t));
	cache_store_let_go(store, &hit);
	CHECK_INT(find("u", &hit), CACHE_PRESENT);
	CHECK(cache_head_read(hit.head, &head, &arena));
	CHECK_SPAN(http_get(&head.fields, SPAN("url")), "other");
	CHECK_INT(hit.length, 4);
	cache_store_let_go(store, &hit);
}

static void
purging_takes_what_is_meant(void)
{
	start();
	CHECK(put("https://a.test/img/1", "red, green blue", "x"));
	CHECK(put("https://a.test/img/2", "greenish", "x"));
	CHECK(put("https://a.test/doc", "green", "x"));
	CHECK_INT(cache_store_purge(store, CACHE_PURGE_TAG, SPAN("green")), 2);
	CHECK(has("https://a.test/img/2"));
	CHECK(put("https://a.test/doc", "", "x"));
	CHECK_INT(cache_store_purge(
			  store, CACHE_PURGE_PREFIX, SPAN("https://a.test/img/")),
		1);
	CHECK(has("https://a.test/doc"));
	CHECK_INT(cache_store_purge(store, CACHE_PURGE_ALL, SPAN("")), 1);
	CHECK_INT(bytes_used(), 0);
}

static void
one_asks_for_all(void)
{
	struct cache_key a = key_of("a");

	start();
	CHECK_INT(cache_store_claim(store, &a, 1000, 500), CACHE_CLAIMED);
	CHECK_INT(cache_store_claim(store, &a, 1400, 500), CACHE_TAKEN);
	CHECK_INT(cache_store_claim(store, &a, 1500, 500), CACHE_CLAIMED);
	cache_store_release(store, &a, 0);
	CHECK_INT(cache_store_claim(store, &a, 1501, 500), CACHE_CLAIMED);
	cache_store_release(store, &a, 3000);
	CHECK_INT(cache_store_claim(store, &a, 1502, 500), CACHE_UNSHARED);
	CHECK_INT(cache_store_claim(store, &a, 3001, 500), CACHE_CLAIMED);
}

static void
another_process_sees_it(void)
{
	int status = 1;

	start();
	pid_t child = fork();
	if (child == 0)
		_exit(put("u", "", "of the child") ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(has("u"));
}

static void
a_worker_that_dies_inside_ends_the_store(void)
{
	int status = 1;

	start();
	CHECK(put("u", "", "x"));
	pid_t child = fork();
	if (child == 0)
		_exit(cache_store_lock(store) ? 0 : 1);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(!has("u") && !put("v", "", "x"));
	cache_store_put(store);
	store = NULL;
}

/* Bounds lie where any worker writes, too; nobody goes by those. */
static void
a_worker_taken_over_cannot_move_the_bounds(void)
{
	enum { FAR = 0x7fffff00 };
	struct cache_hit hit;
	struct cache_store_sums sums;

	start();
	CHECK(put("/", "", "body"));
	store->m->n_blocks = store->m->n_entries = UINT32_MAX;
	store->m->n_buckets = UINT32_C(1) << 31;
	CHECK_INT(find("/", &hit), CACHE_PRESENT);
	cache_store_let_go(store, &hit);
	for (uint32_t i = 0; i < store->n_buckets; i++)
		store->buckets[i] = FAR;
	store->m->free_block = store->m->free_entry = FAR;
	store->m->oldest = store->m->newest = FAR;
	CHECK_INT(find("/", &hit), CACHE_ABSENT);
	CHECK(!put("/other", "", "body"));
	CHECK_INT(cache_store_purge(store, CACHE_PURGE_ALL, SPAN("")), 0);
	cache_store_sum(store, &sums);
	CHECK_INT(sums.room, BYTES);
}

TESTS(a_worker_taken_over_cannot_move_the_bounds,
	what_was_put_is_found_with_its_fields_and_body,
	a_long_body_comes_back_from_any_place,
	the_same_url_is_replaced_and_its_blocks_come_back,
	variants_live_beside_each_other, the_least_used_goes_when_there_is_no_room,
	those_that_are_read_stand_in_nobodys_way, what_is_read_keeps_its_octets,
	a_body_that_is_too_long_takes_nothing, fields_are_renewed_in_place,
	purging_takes_what_is_meant, one_asks_for_all, another_process_sees_it,
	a_worker_that_dies_inside_ends_the_store)
