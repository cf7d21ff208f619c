// SPDX-License-Identifier: Apache-2.0
#include "base/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/read.h"
#include "base/sha256.h"
#include "base/text.h"

enum {
	HEAD = 8 + 8 + SHA256_SIZE,
	NAME = 2 * SHA256_SIZE + 1,
	NAME_MOST = NAME + 16, /* of one being written: with a process's number */
	SWEEP_SHARE = 8,       /* a sweep each time this part of the budget was put */
};

static const struct span magic = SPAN_INIT("SKSHELF1");

static void
name_of(struct span key, char name[NAME])
{
	uint8_t digest[SHA256_SIZE];
	struct text t = text_to(name, NAME);

	sha256_of(key, digest);
	text_put_hex(&t, span_of(digest, sizeof(digest)), false);
}

/* ---- the bound */

struct lying {
	char name[NAME_MOST];
	int64_t changed;
	uint64_t size;
};

static int
compare_ages(const void *a, const void *b)
{
	const struct lying *x = a;
	const struct lying *y = b;
	return x->changed < y->changed ? -1 : x->changed > y->changed;
}

static DIR *
open_list(const struct shelf *s)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

	if (!list && fd >= 0)
		(void)close(fd);
	return list;
}

/* One entry of the directory; false when it is not one of ours. */
static bool
look_at(const struct shelf *s, const char *name, struct lying *out)
{
	struct stat st;
	size_t n = span_str(name).n;
	bool ours = n >= NAME - 1 && n < NAME_MOST;

	if (!ours || fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(st.st_mode))
		return false;
	(void)text_format(out->name, sizeof(out->name), "%s", name);
	out->changed = (int64_t)st.st_mtim.tv_sec;
	out->size = (uint64_t)st.st_size;
	return true;
}

static size_t
list_files(const struct shelf *s, struct lying *files, uint64_t *total)
{
	DIR *list = open_list(s);
	size_t n = 0;

	*total = 0;
	for (struct dirent *e = list ? readdir(list) : NULL; e; e = readdir(list)) {
		struct lying *f = &files[n < SHELF_FILES ? n : SHELF_FILES - 1];
		if (n == SHELF_FILES) {
			(void)unlinkat(s->dir, e->d_name, 0);
		} else if (look_at(s, e->d_name, f)) {
			*total += files[n++].size;
		}
	}
	if (list)
		(void)closedir(list);
	return n;
}

static void
sweep(struct shelf *s)
{
	struct lying *files = mem_array(SHELF_FILES, sizeof(*files));
	uint64_t total = 0;
	size_t n = list_files(s, files, &total);
	size_t most = SHELF_FILES - SHELF_FILES / SWEEP_SHARE;
	uint64_t keep = s->budget - s->budget / SWEEP_SHARE;

	qsort(files, n, sizeof(*files), compare_ages);
	for (size_t i = 0; i < n && (total > keep || n - i > most); i++) {
		if (unlinkat(s->dir, files[i].name, 0) == 0)
			total -= files[i].size;
	}
	s->added = 0;
	mem_free(files);
}

/* ---- life */

void
shelf_init(struct shelf *s)
{
	*s = (struct shelf){.dir = -1};
}

bool
shelf_open(struct shelf *s, const char *path, uint64_t budget, struct err *err)
{
	shelf_init(s);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_errno(err, ERR_FILE_WRITE, errno, "%s", path);
	s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (s->dir < 0)
		return err_errno(err, ERR_FILE_WRITE, errno, "%s", path);
	s->budget = budget;
	sweep(s);
	return true;
}

void
shelf_close(struct shelf *s)
{
	if (s->dir >= 0)
		(void)close(s->dir);
	s->dir = -1;
}

/* ---- one item */

static bool
read_whole(int fd, struct span *out, size_t n)
{
	uint8_t *p = mem_alloc(n + 1);
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, p + have, n - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	*out = (struct span){p, have};
	return have == n;
}

static bool
read_file(const struct shelf *s, const char *name, size_t limit, struct span *out)
{
	struct stat st;
	int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return false;
	bool ok = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= HEAD &&
		(uint64_t)st.st_size - HEAD <= limit;
	if (ok)
		ok = read_whole(fd, out, (size_t)st.st_size);
	(void)close(fd);
	return ok;
}

/* What stands in the file, when it is whole and still of use. */
static bool
open_item(struct span file, struct span *octets)
{
	struct read r = read_from(file);
	struct span head = read_bytes(&r, magic.n);
	int64_t until = (int64_t)read_be64(&r);
	struct span digest = read_bytes(&r, SHA256_SIZE);
	uint8_t is[SHA256_SIZE];

	sha256_of(r.left, is);
	*octets = r.left;
	return !r.bad && span_eq(head, magic) && until >= clock_wall() &&
		span_eq(digest, span_of(is, sizeof(is)));
}

bool
shelf_get(const struct shelf *s, struct span key, size_t limit, struct span *out)
{
	char name[NAME];
	struct span file = {0};
	struct span octets = {0};

	if (s->dir < 0)
		return false;
	name_of(key, name);
	bool ok = read_file(s, name, limit, &file) && open_item(file, &octets);
	if (ok) {
		*out = (struct span){(const uint8_t *)mem_cstr(octets), octets.n};
	}
	mem_free((void *)(uintptr_t)file.p);
	return ok;
}

static bool
write_all(int fd, struct span octets)
{
	while (octets.n > 0) {
		ssize_t put = write(fd, octets.p, octets.n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		octets = span_from(octets, (size_t)put);
	}
	return true;
}

static bool
write_item(int fd, struct span octets, int64_t until)
{
	uint8_t head[HEAD];
	uint8_t digest[SHA256_SIZE];
	struct write w = write_to(head, sizeof(head));

	sha256_of(octets, digest);
	write_span(&w, magic);
	write_be64(&w, (uint64_t)until);
	write_span(&w, span_of(digest, sizeof(digest)));
	return write_all(fd, write_done(&w)) && write_all(fd, octets);
}

void
shelf_put(struct shelf *s, struct span key, struct span octets, int64_t until)
{
	char name[NAME];
	char beside[NAME_MOST];

	if (s->dir < 0 || octets.n + HEAD > s->budget / 2)
		return;
	name_of(key, name);
	/* Another process may be writing the same: each has a file of its own. */
	(void)text_format(beside, sizeof(beside), "%s.%d", name, (int)getpid());
	int fd = openat(s->dir, beside,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	bool ok = write_item(fd, octets, until);
	(void)close(fd);
	if (!ok || renameat(s->dir, beside, s->dir, name) != 0)
		(void)unlinkat(s->dir, beside, 0);
	s->added += octets.n + HEAD;
	if (s->added > s->budget / SWEEP_SHARE)
		sweep(s);
}
