// SPDX-License-Identifier: Apache-2.0
/*
 * cache_file: a store in a file, and what of it the next program can use.
 *
 * As long as the machine runs, the kernel has whatever a program wrote last, also when
 * that was killed. Over a crash of the machine nothing is known about the order in
 * which pages went to the disk, so then only a file that was ended in order counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "shared/cache_store_priv.h"

#define MAGIC     "sekisho cache 1"
#define BOOT_PATH "/proc/sys/kernel/random/boot_id"

/* ---- the file ---- */

static bool
is_ours(int fd, size_t n)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		(st.st_mode & 077) == 0 && st.st_nlink == 1 &&
		(uint64_t)st.st_size == n;
}

static int
open_old(const char *path, size_t n)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0)
		return -1;
	if (is_ours(fd, n) && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* All of its room is taken at once: a full disk is told now, not by a signal later. */
static bool
make_new(int fd, size_t n, struct err *err)
{
	int rc = flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;

	if (rc == 0)
		rc = posix_fallocate(fd, 0, (off_t)n); /* below 1 TiB */
	return rc == 0 || err_errno(err, ERR_GATE_CACHE, rc, "%zu octets", n);
}

int
cache_file_open(const char *path, size_t n, bool *found, struct err *err)
{
	int fd = open_old(path, n);

	*found = fd >= 0;
	if (*found)
		return fd;
	/* Never the file that another program still has: that one loses its name. */
	(void)unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		(void)err_errno(err, ERR_GATE_CACHE, errno, "%s", path);
		return -1;
	}
	if (make_new(fd, n, err))
		return fd;
	(void)unlink(path);
	(void)close(fd);
	return -1;
}

/* ---- the mark ---- */

static void
read_boot(char dst[CACHE_BOOT])
{
	int fd = open(BOOT_PATH, O_RDONLY | O_CLOEXEC);

	memset(dst, 0, CACHE_BOOT);
	if (fd < 0)
		return;
	if (read(fd, dst, CACHE_BOOT - 1) < 0)
		dst[0] = '\0';
	(void)close(fd);
}

static struct cache_mark
mark_now(void)
{
	struct cache_mark mark = {.magic = MAGIC,
		.entry_size = sizeof(struct cache_entry),
		.shared_size = sizeof(struct cache_shared)};

	read_boot(mark.boot);
	return mark;
}

void
cache_file_begin(struct cache_store *s)
{
	s->m->mark = mark_now();
	(void)msync(s->m, sizeof(*s->m), MS_SYNC);
}

void
cache_file_end(struct cache_store *s)
{
	if (s->m->broken || s->m->busy || msync(s->m, s->mapped, MS_SYNC) != 0)
		return;
	s->m->mark.clean = true;
	(void)msync(s->m, sizeof(*s->m), MS_SYNC);
}

static bool
is_usable(const struct cache_shared *m, const struct cache_layout *l)
{
	struct cache_mark now = mark_now();
	const struct cache_mark *then = &m->mark;
	bool same_boot =
		now.boot[0] && memcmp(now.boot, then->boot, sizeof(now.boot)) == 0;

	return memcmp(now.magic, then->magic, sizeof(now.magic)) == 0 &&
		now.entry_size == then->entry_size &&
		now.shared_size == then->shared_size && (then->clean || same_boot) &&
		!m->broken && !m->busy && m->n_blocks == l->n_blocks &&
		m->n_entries == l->n_entries && m->n_buckets == l->n_buckets;
}

/* ---- what lies in it ---- */

/* What was found, in memory that no worker writes. */
struct found {
	bool *taken;     /* of blocks; owned */
	bool *seen;      /* of entries; owned */
	uint32_t *order; /* of entries, from the one used longest ago; owned */
	uint32_t n;
	uint64_t n_blocks;
};

static bool
take_chain(const struct cache_store *s, struct found *f, uint32_t b, uint64_t octets)
{
	if (octets > (uint64_t)s->n_blocks * CACHE_BLOCK)
		return false;
	for (uint32_t left = cache_blocks_for(octets); left > 0; left--) {
		if (b >= s->n_blocks || f->taken[b])
			return false;
		f->taken[b] = true;
		f->n_blocks++;
		b = s->after[b];
	}
	return true;
}

static bool
take_entry(const struct cache_store *s, struct found *f, uint32_t i)
{
	const struct cache_entry *e = &s->entries[i];
	uint64_t texts = (uint64_t)e->n_vary + e->n_url + e->n_tags;

	if (f->seen[i] || !e->listed || texts > CACHE_TEXTS_MOST ||
		!take_chain(s, f, e->head, cache_head_octets(e)) ||
		!take_chain(s, f, e->body, e->n_body))
		return false;
	f->seen[i] = true;
	f->order[f->n++] = i;
	return true;
}

static bool
look(const struct cache_store *s, struct found *f)
{
	uint32_t i = s->m->oldest;

	while (i < s->n_entries && f->n < s->n_entries) {
		if (!take_entry(s, f, i))
			return false;
		i = s->entries[i].newer;
	}
	return i == CACHE_NONE;
}

/* ---- made anew ---- */

static void
free_blocks(struct cache_store *s, const struct found *f)
{
	struct cache_shared *m = s->m;

	m->free_block = CACHE_NONE;
	for (uint32_t b = s->n_blocks; b-- > 0;) {
		if (f->taken[b])
			continue;
		s->after[b] = m->free_block;
		m->free_block = b;
	}
	m->used_blocks = f->n_blocks;
}

static void
free_entries(struct cache_store *s, const struct found *f)
{
	struct cache_shared *m = s->m;

	m->free_entry = CACHE_NONE;
	for (uint32_t i = s->n_entries; i-- > 0;) {
		if (f->seen[i])
			continue;
		s->entries[i] = (struct cache_entry){.next = m->free_entry};
		m->free_entry = i;
	}
	m->used_entries = f->n;
}

static void
list_entries(struct cache_store *s, const struct found *f)
{
	struct cache_shared *m = s->m;

	for (uint32_t i = 0; i < s->n_buckets; i++)
		s->buckets[i] = CACHE_NONE;
	for (uint32_t k = 0; k < f->n; k++) {
		struct cache_entry *e = &s->entries[f->order[k]];
		uint32_t *bucket = cache_bucket_of(s, e->key);
		e->pins = 0; /* who read it is gone */
		e->older = k > 0 ? f->order[k - 1] : CACHE_NONE;
		e->newer = k + 1 < f->n ? f->order[k + 1] : CACHE_NONE;
		e->next = *bucket;
		*bucket = f->order[k];
	}
	m->oldest = f->n > 0 ? f->order[0] : CACHE_NONE;
	m->newest = f->n > 0 ? f->order[f->n - 1] : CACHE_NONE;
}

bool
cache_file_recover(struct cache_store *s, const struct cache_layout *layout)
{
	if (!is_usable(s->m, layout))
		return false;
	struct found f = {.taken = mem_array(layout->n_blocks, sizeof(bool)),
		.seen = mem_array(layout->n_entries, sizeof(bool)),
		.order = mem_array(layout->n_entries, sizeof(uint32_t))};
	bool ok = look(s, &f);
	if (ok) {
		free_blocks(s, &f);
		free_entries(s, &f);
		list_entries(s, &f);
		memset(s->m->claims, 0, sizeof(s->m->claims));
	}
	mem_free(f.taken);
	mem_free(f.seen);
	mem_free(f.order);
	return ok;
}
