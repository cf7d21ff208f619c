// SPDX-License-Identifier: Apache-2.0
#include "proc/purge.h"

#include "shared/cache_store.h"

static const struct {
	const char *word;
	enum cache_purge what;
} kinds[] = {
	{"all", CACHE_PURGE_ALL},
	{"url", CACHE_PURGE_URL},
	{"prefix", CACHE_PURGE_PREFIX},
	{"tag", CACHE_PURGE_TAG},
};

bool
purge_is_meant(struct span line)
{
	return span_starts(line, SPAN("cache "));
}

static void
say_status(struct cache_store *s, struct json_out *answer)
{
	struct cache_store_sums sums;

	cache_store_sum(s, &sums);
	json_uint(answer, "responses", sums.entries);
	json_uint(answer, "bytes", sums.bytes);
	json_uint(answer, "room", sums.room);
}

static bool
purge(struct cache_store *s, struct span rest, struct json_out *answer, struct err *err)
{
	struct span word;

	if (!span_cut(&rest, ' ', &word))
		word = (struct span){0};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (!span_eq(word, span_str(kinds[i].word)) ||
			(rest.n == 0) != (kinds[i].what == CACHE_PURGE_ALL))
			continue;
		json_uint(answer, "purged", cache_store_purge(s, kinds[i].what, rest));
		return true;
	}
	return err_set(err, ERR_PROC_CONTROL, "all, url, prefix or tag");
}

bool
purge_do(struct cache_store *s, struct span line, struct json_out *answer,
	struct err *err)
{
	struct span rest = line;
	struct span word;

	if (!s)
		return err_set(err, ERR_GATE_CACHE, "no site has a cache");
	rest = span_from(rest, span_chr(rest, ' ') + 1); /* behind "cache" */
	if (!span_cut(&rest, ' ', &word))
		return err_set(err, ERR_PROC_CONTROL, "unknown request");
	if (span_eq(word, SPAN("purge")))
		return purge(s, rest, answer, err);
	if (!span_eq(word, SPAN("status")))
		return err_set(err, ERR_PROC_CONTROL, "unknown request");
	say_status(s, answer);
	return true;
}
