// SPDX-License-Identifier: Apache-2.0
/*
 * ctlogs: reading a list of transparency logs.
 */
#include <openssl/sha.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/ct_priv.h"

enum { KEY_MAX = 1024 };

/* "state": {"usable": {"timestamp": …}}; a log that was rejected or is pending counts
 * for nothing, a retired one for what it signed before. */
static bool
read_state(const struct json *state, struct ctlog *log)
{
	static const char *const good[] = {"usable", "qualified", "readonly"};
	const struct json *retired = json_get(state, "retired");
	int64_t wall_ms = 0;

	log->until_ms = INT64_MAX;
	if (!state)
		return true;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		if (json_get(state, good[i]))
			return true;
	}
	if (!clock_parse(json_string(json_get(retired, "timestamp")), &wall_ms))
		return false;
	log->until_ms = wall_ms;
	return true;
}

static bool
read_key(const struct json *j, struct ctlog *log)
{
	uint8_t der[KEY_MAX];
	size_t n = 0;

	if (!text_unbase64(json_string(json_get(j, "key")), der, sizeof der, &n) ||
		n == 0)
		return false;
	const uint8_t *p = der;
	SHA256(der, n, log->id); /* RFC 6962 §3.2: that is what its identifier is */
	log->key = d2i_PUBKEY(NULL, &p, (long)n);
	return log->key != NULL;
}

/* Logs we cannot use are passed over: a list may have newer kinds. */
static void
read_logs(struct ctlogs *l, const struct json *list, unsigned operator_number)
{
	for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
		struct ctlog log = {.operator_number = operator_number};
		if (l->n == CT_LOGS || !read_state(json_get(j, "state"), &log))
			continue;
		if (read_key(j, &log))
			l->logs[l->n++] = log;
	}
}

struct ctlogs *
ctlogs_read(struct span json, struct err *err)
{
	struct ctlogs *l = mem_alloc(sizeof *l);
	struct json *root = NULL;
	struct arena arena;
	unsigned number = 0;

	arena_init(&arena, (size_t)64 * 1024 + 32 * json.n);
	if (json.n <= CT_LIST_MAX && json_parse(json, &arena, &root, err)) {
		const struct json *list = json_get(root, "operators");
		for (const struct json *j = list ? list->first : NULL; j; j = j->next) {
			read_logs(l, json_get(j, "logs"), number);
			read_logs(l, json_get(j, "tiled_logs"), number++);
		}
	}
	arena_fini(&arena);
	if (l->n > 0)
		return l;
	err_set(err, ERR_PKI_CT, "%zu octets without one log we can use", json.n);
	ctlogs_free(l);
	return NULL;
}

struct ctlogs *
ctlogs_load(const char *path, struct err *err)
{
	struct span text = {0};

	if (!file_read(path, CT_LIST_MAX, &text, err))
		return NULL;
	struct ctlogs *l = ctlogs_read(text, err);
	mem_free((void *)(uintptr_t)text.p);
	if (!l)
		err_within(err, "%s", path);
	return l;
}

void
ctlogs_free(struct ctlogs *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++)
		EVP_PKEY_free(l->logs[i].key);
	mem_free(l);
}

size_t
ctlogs_count(const struct ctlogs *l)
{
	return l->n;
}
