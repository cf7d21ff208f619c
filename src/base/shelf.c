// SPDX-License-Identifier: Apache-2.0
#include "base/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- reading an item */

void
shelf_reader_init(struct shelf_reader *r)
{
	*r = (struct shelf_reader){.fd = -1};
}

void
shelf_read_end(struct shelf_reader *r)
{
	if (r->fd >= 0)
		(void)close(r->fd);
	mem_free(r->p);
	shelf_reader_init(r);
}

/* As many as there are, at most n. */
static size_t
read_octets(int fd, uint8_t *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, p + have, n - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	return have;
}

/* What stands in front; false when the item is not ours or no longer wanted. */
static bool
read_head(struct shelf_reader *reader)
{
	uint8_t head[HEAD];
	struct read r =
		read_from(span_of(head, read_octets(reader->fd, head, sizeof(head))));
	struct span first = read_bytes(&r, magic.n);
	int64_t until = (int64_t)read_be64(&r);
	struct span digest = read_bytes(&r, SHA256_SIZE);

	if (!read_done(&r) || !span_eq(first, magic) || until < clock_wall())
		return false;
	memcpy(reader->digest, digest.p, SHA256_SIZE); /* as many were read */
	return true;
}

static bool
open_item(struct shelf_reader *r, size_t limit)
{
	struct stat st;

	if (fstat(r->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < HEAD ||
		(uint64_t)st.st_size - HEAD > limit || !read_head(r))
		return false;
	r->n = (size_t)st.st_size - HEAD;
	r->p = mem_alloc(r->n + 1);
	sha256_init(&r->hash);
	return true;
}

bool
shelf_read_begin(
	struct shelf_reader *r, const struct shelf *s, struct span key, size_t limit)
{
	char name[NAME];

	shelf_reader_init(r);
	if (s->dir < 0)
		return false;
	name_of(key, name);
	r->fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (r->fd >= 0 && open_item(r, limit))
		return true;
	shelf_read_end(r);
	return false;
}

static bool
is_whole(struct shelf_reader *r)
{
	uint8_t is[SHA256_SIZE];

	sha256_done(&r->hash, is);
	return span_eq(span_of(r->digest, sizeof(r->digest)), span_of(is, sizeof(is)));
}

enum shelf_turn
shelf_read_some(struct shelf_reader *r, size_t step, struct span *out)
{
	size_t want = r->n - r->have < step ? r->n - r->have : step;
	size_t got = read_octets(r->fd, r->p + r->have, want);

	sha256_add(&r->hash, span_of(r->p + r->have, got));
	r->have += got;
	if (got == want && r->have < r->n)
		return SHELF_MORE;
	bool ok = got == want && is_whole(r);
	if (ok) {
		*out = (struct span){r->p, r->n};
		r->p = NULL;
	}
	shelf_read_end(r);
	return ok ? SHELF_DONE : SHELF_FAILED;
}

bool
shelf_get(const struct shelf *s, struct span key, size_t limit, struct span *out)
{
	struct shelf_reader r;

	return shelf_read_begin(&r, s, key, limit) &&
		shelf_read_some(&r, SIZE_MAX, out) == SHELF_DONE;
}

/* ---- putting one there */

void
shelf_writer_init(struct shelf_writer *w)
{
	*w = (struct shelf_writer){.fd = -1};
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

/* Until the end it has a name nobody looks for. */
void
shelf_write_end(struct shelf_writer *w)
{
	if (w->fd < 0)
		return;
	(void)close(w->fd);
	(void)unlinkat(w->s->dir, w->beside, 0);
	shelf_writer_init(w);
}

bool
shelf_write_begin(struct shelf_writer *w, struct shelf *s, struct span key,
	struct span octets, int64_t until)
{
	const uint8_t room[HEAD] = {0};

	shelf_writer_init(w);
	if (s->dir < 0 || octets.n + HEAD > s->budget / 2)
		return false;
	*w = (struct shelf_writer){
		.s = s, .left = octets, .n = octets.n, .until = until};
	sha256_init(&w->hash);
	name_of(key, w->name);
	/* Somebody else may be writing the same: each has a file of its own. */
	(void)text_format(w->beside, sizeof(w->beside), "%s.%d.%u", w->name,
		(int)getpid(), s->writers++ % 100000);
	w->fd = openat(s->dir, w->beside,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (w->fd >= 0 && write_all(w->fd, span_of(room, sizeof(room))))
		return true;
	shelf_write_end(w);
	return false;
}

/* The head comes last: without it nothing counts. */
static bool
write_head(struct shelf_writer *w)
{
	uint8_t head[HEAD];
	uint8_t digest[SHA256_SIZE];
	struct write to = write_to(head, sizeof(head));

	sha256_done(&w->hash, digest);
	write_span(&to, magic);
	write_be64(&to, (uint64_t)w->until);
	write_span(&to, span_of(digest, sizeof(digest)));
	return lseek(w->fd, 0, SEEK_SET) == 0 && write_all(w->fd, write_done(&to));
}

static void
count_added(struct shelf *s, size_t n)
{
	s->added += n + HEAD;
	if (s->added > s->budget / SWEEP_SHARE)
		sweep(s);
}

enum shelf_turn
shelf_write_some(struct shelf_writer *w, size_t step)
{
	struct span piece = span_first(w->left, step);
	struct shelf *s = w->s;
	size_t n = w->n;

	sha256_add(&w->hash, piece);
	w->left = span_from(w->left, piece.n);
	bool ok = write_all(w->fd, piece);
	if (ok && w->left.n > 0)
		return SHELF_MORE;
	ok = ok && write_head(w) && renameat(s->dir, w->beside, s->dir, w->name) == 0;
	shelf_write_end(w);
	count_added(s, n);
	return ok ? SHELF_DONE : SHELF_FAILED;
}

void
shelf_put(struct shelf *s, struct span key, struct span octets, int64_t until)
{
	struct shelf_writer w;

	if (shelf_write_begin(&w, s, key, octets, until))
		(void)shelf_write_some(&w, SIZE_MAX);
}
