// SPDX-License-Identifier: Apache-2.0
#include "net/hosts_priv.h"

enum {
	TABLE_MOST = 64 << 20, /* octets; lists against advertising are large */
	NAME_MOST = 253,
};

void
hosts_init(struct hosts *h)
{
	map_init(&h->map);
	arena_init(&h->arena, TABLE_MOST);
}

void
hosts_fini(struct hosts *h)
{
	map_fini(&h->map);
	arena_fini(&h->arena);
}

static struct hosts_row *
add_row(struct hosts *h, struct span name)
{
	if (arena_room(&h->arena) < sizeof(struct hosts_row) + name.n + 64)
		return NULL;
	struct hosts_row *row = arena_alloc(&h->arena, sizeof(*row));
	map_add(&h->map, &row->by_name, arena_copy(&h->arena, name));
	return row;
}

static void
add_name(struct hosts *h, struct span word, const struct ip *ip)
{
	uint8_t lower[NAME_MOST];
	if (word.n == 0 || word.n > sizeof(lower))
		return;
	span_lower(lower, word);
	struct span name = span_of(lower, word.n);
	struct map_item *item = map_get(&h->map, name);
	struct hosts_row *row =
		item ? CONTAINER_OF(item, struct hosts_row, by_name) : add_row(h, name);
	if (row && row->n < HOSTS_MOST)
		row->ips[row->n++] = *ip;
}

static struct span
cut_word(struct span *line)
{
	*line = span_trim(*line);
	size_t n = 0;
	while (n < line->n && line->p[n] != ' ' && line->p[n] != '\t')
		n++;
	struct span word = span_first(*line, n);
	*line = span_from(*line, n);
	return word;
}

static void
add_line(struct hosts *h, struct span line)
{
	struct ip ip;
	line = span_first(line, span_chr(line, '#'));
	if (!ip_parse(cut_word(&line), &ip))
		return;
	for (struct span word; (word = cut_word(&line)).n > 0;)
		add_name(h, word, &ip);
}

void
hosts_add(struct hosts *h, struct span text)
{
	struct span line;
	while (span_cut(&text, '\n', &line))
		add_line(h, line);
}

const struct hosts_row *
hosts_find(const struct hosts *h, struct span name)
{
	struct map_item *item = map_get(&h->map, name);
	return item ? CONTAINER_OF(item, struct hosts_row, by_name) : NULL;
}
