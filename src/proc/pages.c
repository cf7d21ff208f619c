// SPDX-License-Identifier: Apache-2.0
#include "proc/pages_priv.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/must.h"
#include "base/text.h"

struct pages *
pages_map(void)
{
	void *p = mmap(NULL, sizeof(struct pages), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(p != MAP_FAILED);
	return p;
}

struct page *
pages_take(struct pages *all, const char *process, unsigned number)
{
	for (size_t i = 0; i < PAGES_MOST; i++) {
		struct page *page = &all->page[i];
		if (page->used)
			continue;
		memset(&page->stats, 0, sizeof(page->stats));
		memset(&page->keys, 0, sizeof(page->keys));
		text_format(page->process, sizeof(page->process), "%s", process);
		page->number = number;
		atomic_store(&page->used, true);
		return page;
	}
	return NULL;
}

void
pages_give(struct pages *all, struct page *page)
{
	if (!page)
		return;
	for (int i = 0; i < STAT_COUNT; i++) {
		if (stat_kind((enum stat_name)i) == STAT_COUNTER)
			all->past.v[i] += page->stats.v[i];
	}
	metrics_add(&all->past_keys, &page->keys);
	atomic_store(&page->used, false);
}

size_t
pages_list(const struct pages *all, struct metrics_page *out)
{
	size_t n = 0;
	for (size_t i = 0; i < PAGES_MOST; i++) {
		const struct page *page = &all->page[i];
		if (page->used) {
			out[n++] = (struct metrics_page){
				&page->stats, page->process, page->number};
		}
	}
	out[n++] = (struct metrics_page){&all->past, "past", 0};
	return n;
}

void
pages_sum_keys(const struct pages *all, struct metrics *sum)
{
	*sum = all->past_keys;
	for (size_t i = 0; i < PAGES_MOST; i++) {
		if (all->page[i].used)
			metrics_add(sum, &all->page[i].keys);
	}
}
