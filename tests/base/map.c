// SPDX-License-Identifier: Apache-2.0
#include "base/map.h"

#include "base/text.h"
#include "tests/test.h"

enum { MANY = 1000 };

struct word {
	struct map_item item;
	char text[16];
};

static void
fill(struct map *m, struct word *words)
{
	map_init(m);
	for (int i = 0; i < MANY; i++) {
		size_t n =
			text_format(words[i].text, sizeof(words[i].text), "key-%d", i);
		map_add(m, &words[i].item, span_of(words[i].text, n));
	}
}

static void
every_member_is_found_and_nothing_else(void)
{
	static struct word words[MANY];
	struct map m;
	fill(&m, words);
	CHECK_INT(m.n, MANY);
	for (int i = 0; i < MANY; i++)
		CHECK(map_get(&m, span_str(words[i].text)) == &words[i].item);
	CHECK(map_get(&m, SPAN("key-1000")) == NULL);
	CHECK(map_get(&m, SPAN("")) == NULL);
	map_fini(&m);
}

static void
what_is_removed_is_gone_and_the_rest_stays(void)
{
	static struct word words[MANY];
	struct map m;
	fill(&m, words);
	for (int i = 0; i < MANY; i += 2)
		map_remove(&m, &words[i].item);
	CHECK_INT(m.n, MANY / 2);
	for (int i = 0; i < MANY; i++) {
		struct map_item *want = i % 2 ? &words[i].item : NULL;
		CHECK(map_get(&m, span_str(words[i].text)) == want);
	}
	map_fini(&m);
}

static void
a_walk_meets_everybody_once(void)
{
	static struct word words[MANY];
	struct map m;
	int met = 0;
	fill(&m, words);
	for (struct map_item *it = NULL; (it = map_next(&m, it)) != NULL;)
		met++;
	CHECK_INT(met, MANY);
	map_fini(&m);
	CHECK(map_next(&m, NULL) == NULL);
}

static void
the_hash_depends_on_every_octet(void)
{
	CHECK(map_hash(SPAN("a")) != map_hash(SPAN("b")));
	CHECK(map_hash(SPAN("")) != map_hash(SPAN("\0")));
	CHECK(map_hash(SPAN("abcdefgh")) != map_hash(SPAN("abcdefgi")));
	CHECK(map_hash(SPAN("abcdefgh")) == map_hash(SPAN("abcdefgh")));
}

TESTS(every_member_is_found_and_nothing_else,
	what_is_removed_is_gone_and_the_rest_stays, a_walk_meets_everybody_once,
	the_hash_depends_on_every_octet)
