// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "shared/cache_store_priv.h"
#include "tests/test.h"

enum { BYTES = 96 * 4096, MORE = 128 * 4096, ENTRIES = 12, PATH = 256 };

static char path[PATH];
static struct arena arena;
static struct http_head request;

static void
start(void)
{
	static char folder[] = "/tmp/cache-file-XXXXXX";

	if (path[0] == '\0') {
		CHECK(mkdtemp(folder) != NULL);
		text_format(path, sizeof(path), "%s/responses", folder);
	}
	(void)unlink(path);
	arena_fini(&arena);
	arena_init(&arena, 1 << 20);
	http_request_make(&request, &arena, HTTP_GET, SPAN("a.test"), SPAN("/"));
}

static void
finish(void)
{
	char folder[PATH];

	(void)unlink(path);
	text_format(folder, sizeof(folder), "%s", path);
	*strrchr(folder, '/') = '\0';
	CHECK(rmdir(folder) == 0);
	path[0] = '\0';
	arena_fini(&arena);
}

static struct cache_store *
open_bytes(size_t bytes)
{
	struct err err = {0};
	struct cache_store *s = cache_store_new(bytes, path, &err);

	CHECK_OK(s != NULL, &err);
	return s;
}

static struct span
url_of(unsigned i)
{
	return arena_format(&arena, "https://a.test/%u", i);
}

static struct cache_key
key_of(unsigned i)
{
	struct cache_key key;
	struct span part = url_of(i);

	cache_key_make(&key, &part, 1);
	return key;
}

/* A body as long as its number says, over several blocks from some on. */
static struct span
body_of(unsigned i)
{
	size_t n = 1 + (size_t)i * 1500;
	uint8_t *p = arena_alloc(&arena, n);

	memset(p, 'a' + (int)i, n);
	return span_of(p, n);
}

static bool
put(struct cache_store *s, unsigned i)
{
	struct http_head head;
	struct cache_fill f;
	struct cache_texts t = {.key = key_of(i),
		.url = url_of(i),
		.facts = {.came_ms = 1000 + i, .status = 200}};

	arena_reset(&arena);
	http_response_make(&head, &arena, 200);
	t.url = url_of(i);
	CHECK(cache_head_write(&head, &arena, &t.head));
	cache_store_begin(&f);
	return cache_store_add(s, &f, body_of(i)) && cache_store_commit(s, &f, &t);
}

static bool
has(struct cache_store *s, unsigned i)
{
	struct cache_key key = key_of(i);
	struct cache_hit hit;
	struct cache_cursor c;
	size_t n = 0;

	if (cache_store_find(s, &key, &request.fields, &arena, &hit) != CACHE_PRESENT)
		return false;
	cache_store_seek(s, &hit, 0, hit.length, &c);
	for (struct span piece; (piece = cache_store_next(s, &c)).n > 0; n += piece.n)
		CHECK_INT(piece.p[piece.n - 1], 'a' + (int)i);
	CHECK_INT(n, hit.length);
	cache_store_let_go(s, &hit);
	return true;
}

static struct cache_store *
fill(void)
{
	struct cache_store *s = open_bytes(BYTES);

	for (unsigned i = 0; i < ENTRIES; i++)
		CHECK(put(s, i));
	return s;
}

static unsigned
count(struct cache_store *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ENTRIES; i++)
		n += has(s, i);
	return n;
}

static void
the_next_program_finds_it(void)
{
	struct cache_store_sums before;
	struct cache_store_sums after;

	start();
	struct cache_store *s = fill();
	cache_store_sum(s, &before);
	cache_store_put(s);
	s = open_bytes(BYTES);
	cache_store_sum(s, &after);
	CHECK_INT(after.entries, ENTRIES);
	CHECK_INT(after.bytes, before.bytes);
	CHECK_INT(count(s), ENTRIES);
	CHECK(put(s, 3)); /* it can be written to, and what is replaced comes back */
	cache_store_sum(s, &after);
	CHECK_INT(after.bytes, before.bytes);
	cache_store_put(s);
}

/* In another process, which ends without a word. */
static void
play_killed(void (*act)(struct cache_store *s))
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		act(fill());
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void
read_and_write(struct cache_store *s)
{
	struct cache_key key = key_of(5);
	struct cache_hit hit;
	struct cache_fill f;

	(void)cache_store_find(s, &key, &request.fields, &arena, &hit);
	cache_store_begin(&f);
	CHECK(cache_store_add(s, &f, body_of(7)));
}

static void
lock_it(struct cache_store *s)
{
	CHECK(cache_store_lock(s));
}

static void
who_is_killed_loses_nothing_but_what_was_half_written(void)
{
	struct cache_store_sums sums;

	start();
	struct cache_store *s = fill();
	cache_store_sum(s, &sums);
	cache_store_put(s);
	(void)unlink(path);
	play_killed(read_and_write);
	uint64_t whole = sums.bytes;
	s = open_bytes(BYTES);
	CHECK_INT(count(s), ENTRIES);
	cache_store_sum(s, &sums);
	CHECK_INT(sums.bytes, whole);
	cache_store_put(s);
}

static void
who_dies_in_a_change_loses_all(void)
{
	start();
	play_killed(lock_it);
	struct cache_store *s = open_bytes(BYTES);
	CHECK_INT(count(s), 0);
	CHECK(put(s, 1) && has(s, 1));
	cache_store_put(s);
}

static void
write_at(size_t at, const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	CHECK(fd >= 0 && pwrite(fd, p, n, (off_t)at) == (ssize_t)n);
	close(fd);
}

static void
after_another_boot_only_a_file_ended_in_order_counts(void)
{
	const char other[CACHE_BOOT] = "another boot";
	bool unclean = false;

	start();
	cache_store_put(fill());
	write_at(offsetof(struct cache_shared, mark.boot), other, sizeof(other));
	struct cache_store *s = open_bytes(BYTES);
	CHECK_INT(count(s), ENTRIES);
	cache_store_put(s);
	write_at(offsetof(struct cache_shared, mark.boot), other, sizeof(other));
	write_at(offsetof(struct cache_shared, mark.clean), &unclean, sizeof(unclean));
	s = open_bytes(BYTES);
	CHECK_INT(count(s), 0);
	cache_store_put(s);
}

static void
another_program_of_the_same_file_gets_one_of_its_own(void)
{
	start();
	struct cache_store *first = fill();
	struct cache_store *second = open_bytes(BYTES);
	CHECK_INT(count(second), 0);
	CHECK_INT(count(first), ENTRIES);
	CHECK(put(second, 1));
	cache_store_put(first); /* has no name any more */
	cache_store_put(second);
	second = open_bytes(BYTES);
	CHECK_INT(count(second), 1);
	cache_store_put(second);
}

static void
a_file_of_another_kind_is_made_anew(void)
{
	start();
	cache_store_put(fill());
	struct cache_store *s = open_bytes(MORE);
	CHECK_INT(count(s), 0);
	cache_store_put(s);
	start();
	cache_store_put(fill());
	CHECK(chmod(path, 0644) == 0); /* somebody else could have read it */
	s = open_bytes(BYTES);
	CHECK_INT(count(s), 0);
	cache_store_put(s);
	CHECK(unlink(path) == 0 && symlink("/dev/null", path) == 0);
	s = open_bytes(BYTES);
	CHECK(put(s, 1));
	cache_store_put(s);
}

/* A worker that is not itself any more has written whatever it liked. */
static void
what_is_torn_does_no_harm(void)
{
	static uint8_t whole[BYTES * 2];

	start();
	cache_store_put(fill());
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, whole, sizeof(whole));
	CHECK(fd >= 0 && n > BYTES);
	close(fd);
	srandom(1);
	for (int round = 0; round < 300; round++) {
		(void)unlink(path);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		CHECK(fd >= 0 && write(fd, whole, (size_t)n) == n);
		close(fd);
		for (int k = 0; k < 4; k++) {
			/* Behind the claims: the buckets and entries. */
			size_t at =
				sizeof(struct cache_shared) + (size_t)random() % 16384;
			uint32_t v =
				(uint32_t)random() % (round % 2 ? 128 : UINT32_MAX);
			write_at(at & ~(size_t)3, &v, sizeof(v));
		}
		struct cache_store *s = open_bytes(BYTES);
		for (unsigned i = 0; i < ENTRIES; i++) {
			struct cache_key key = key_of(i);
			struct cache_hit hit;
			if (cache_store_find(s, &key, &request.fields, &arena, &hit) ==
				CACHE_PRESENT)
				cache_store_let_go(s, &hit);
			(void)put(s, i);
		}
		(void)cache_store_purge(s, CACHE_PURGE_PREFIX, SPAN("https://"));
		cache_store_put(s);
	}
	finish();
}

TESTS(the_next_program_finds_it, who_is_killed_loses_nothing_but_what_was_half_written,
	who_dies_in_a_change_loses_all,
	after_another_boot_only_a_file_ended_in_order_counts,
	another_program_of_the_same_file_gets_one_of_its_own,
	a_file_of_another_kind_is_made_anew, what_is_torn_does_no_harm)
