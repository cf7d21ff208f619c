// SPDX-License-Identifier: Apache-2.0
#include "tls/hello_memo.h"

#include <string.h>

#include "base/mem.h"
#include "base/read.h"

enum {
	KINDS = 64,     /* of clients remembered */
	KEY_MOST = 480, /* octets; what says more is computed each time */
};

struct kind {
	size_t n; /* octets of key; 0: nothing here */
	uint8_t key[KEY_MOST];
	struct hello_prints prints;
};

struct hello_memo {
	struct kind kinds[KINDS];
};

struct hello_memo *
hello_memo_new(void)
{
	return mem_alloc(sizeof(struct hello_memo));
}

void
hello_memo_free(struct hello_memo *m)
{
	mem_free(m);
}

/* Without GREASE, which differs in each connection and is in no fingerprint. */
static void
put_list(struct write *w, struct span list)
{
	size_t mark = write_open(w, 2);

	for (size_t i = 0; i + 1 < list.n; i += 2) {
		uint16_t v = (uint16_t)((list.p[i] << 8) | list.p[i + 1]);
		if (!hello_is_grease(v))
			write_be(w, v, 2);
	}
	write_close(w, mark, 2);
}

static void
put_types(struct write *w, struct span extensions)
{
	struct read r = read_from(extensions);
	size_t mark = write_open(w, 2);

	while (read_more(&r)) {
		uint16_t type = (uint16_t)read_be(&r, 2); /* two octets */
		read_vec(&r, 2);
		if (!hello_is_grease(type))
			write_be(w, type, 2);
	}
	write_close(w, mark, 2);
}

/* All that hello_ja3() and hello_ja4() look at. */
static struct span
make_key(const struct hello *h, uint8_t *dst)
{
	struct write w = write_to(dst, KEY_MOST);
	struct span rest = h->alpn;
	struct span name = {0};

	write_be(&w, h->legacy_version, 2);
	write_be(&w, h->version_max, 2);
	write_be(&w, h->has_sni, 1);
	(void)!hello_next_alpn(&rest, &name);
	write_be(&w, (uint32_t)name.n, 1); /* one octet on the wire */
	write_span(&w, name);
	put_list(&w, h->ciphers);
	put_types(&w, h->extensions);
	put_list(&w, h->groups);
	write_be(&w, (uint32_t)h->points.n, 1); /* the same */
	write_span(&w, h->points);
	put_list(&w, h->sigalgs);
	return write_done(&w);
}

/* FNV-1a: who makes two of a kind only makes himself compute. */
static size_t
place_of(struct span key)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ key.p[i]) * 0x100000001b3U;
	return (size_t)(h >> 32) % KINDS;
}

static void
compute(const struct hello *h, struct hello_prints *out)
{
	(void)hello_ja3(h, out->ja3);
	(void)hello_ja4(h, out->ja4);
}

void
hello_memo_prints(struct hello_memo *m, const struct hello *h, struct hello_prints *out)
{
	uint8_t text[KEY_MOST];
	struct span key = make_key(h, text);

	if (key.n == 0) {
		compute(h, out);
		return;
	}
	struct kind *k = &m->kinds[place_of(key)];
	if (!span_eq(span_of(k->key, k->n), key)) {
		compute(h, &k->prints);
		memcpy(k->key, key.p, key.n); /* at most KEY_MOST */
		k->n = key.n;
	}
	*out = k->prints;
}
