// SPDX-License-Identifier: Apache-2.0
#include "proc/purge.h"

#include "shared/cache_store.h"
#include "tests/test.h"

static bool
ask(struct cache_store *s, const char *line, struct err *err)
{
	struct json_out json;

	json_init(&json, 4096);
	json_object(&json, NULL);
	bool ok = purge_do(s, span_str(line), &json, err);
	json_end(&json);
	json_fini(&json);
	return ok;
}

static void
only_what_is_understood_is_done(void)
{
	static const char *const good[] = {"cache purge all",
		"cache purge url https://a/", "cache purge prefix https://a/",
		"cache purge tag red", "cache status"};
	static const char *const bad[] = {"cache purge", "cache purge all x",
		"cache purge url", "cache purge tag", "cache purge some x", "cache x",
		"cache "};
	struct err err = {0};
	struct cache_store *s = cache_store_new(1 << 20, NULL, &err);

	CHECK_OK(s != NULL, &err);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		CHECK_OK(ask(s, good[i], &err), &err);
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK(!ask(s, bad[i], &err));
		CHECK(err.code == ERR_PROC_CONTROL);
	}
	cache_store_put(s);
	CHECK(!ask(NULL, "cache status", &err) && err.code == ERR_GATE_CACHE);
	CHECK(purge_is_meant(SPAN("cache status")) && !purge_is_meant(SPAN("status")));
}

TESTS(only_what_is_understood_is_done)
