// SPDX-License-Identifier: Apache-2.0
/*
 * key_client: one --client of `key serve`, cut into a policy row.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/key_priv.h"

static int
compare_skis(const void *a, const void *b)
{
	return memcmp(a, b, WIRE_SKI);
}

static bool
add_key(struct key_client *c, struct answer_client *out, const char *hex,
	struct err *err)
{
	size_t n = 0;

	if (out->n_skis >= KEY_SKIS ||
		!text_unhex(span_str(hex), c->skis + out->n_skis * WIRE_SKI, WIRE_SKI,
			&n) ||
		n != WIRE_SKI) {
		return err_set(
			err, ERR_USAGE, "key=%s is no SKI of 40 hex digits", hex);
	}
	out->skis = c->skis;
	out->n_skis++;
	qsort(c->skis, out->n_skis, WIRE_SKI, compare_skis);
	return true;
}

static bool
add_op(struct answer_client *out, const char *name, bool *first, struct err *err)
{
	uint8_t op = wire_op_by_name(span_str(name));
	struct wire_mask all = wire_mask_public();

	if (op == WIRE_NO_OP || !wire_mask_has(&all, op))
		return err_set(err, ERR_USAGE, "op=%s is no operation", name);
	if (*first)
		out->mask = (struct wire_mask){0};
	*first = false;
	wire_mask_add(&out->mask, op);
	wire_mask_add(&out->mask, WIRE_PING);
	return true;
}

static bool
add_name(struct key_client *c, struct answer_client *out, const char *name,
	struct err *err)
{
	if (out->n_names >= KEY_NAMES)
		return err_set(err, ERR_USAGE, "more than %d names", KEY_NAMES);
	c->names[out->n_names++] = name;
	out->names = c->names;
	return true;
}

static bool
add_word(struct key_client *c, struct answer_client *out, const char *word,
	bool *first_op, struct err *err)
{
	struct span s = span_str(word);
	uint64_t rate = 0;

	if (span_starts(s, SPAN("key=")))
		return add_key(c, out, word + 4, err);
	if (span_starts(s, SPAN("op=")))
		return add_op(out, word + 3, first_op, err);
	if (span_starts(s, SPAN("name=")))
		return add_name(c, out, word + 5, err);
	if (!span_starts(s, SPAN("rate=")) ||
		!text_u64(span_from(s, 5), UINT32_MAX, &rate)) {
		return err_set(
			err, ERR_USAGE, "\"%s\" is none of key= op= name= rate=", word);
	}
	out->per_second = (uint32_t)rate; /* text_u64() saw the bound */
	return true;
}

bool
key_client_parse(struct key_client *c, const char *text, struct server_policy *row,
	struct err *err)
{
	bool first_op = true;

	if (!span_copy(c->text, sizeof(c->text), span_str(text)) || !*text)
		return err_set(err, ERR_USAGE, "--client is too long or empty");
	*row = (struct server_policy){.match = c->text,
		.client = {.name = c->text, .mask = wire_mask_default()}};
	char *rest = strchr(c->text, ',');
	while (rest) {
		char *word = rest + 1;

		*rest = '\0';
		rest = strchr(word, ',');
		if (rest)
			*rest = '\0';
		if (!add_word(c, &row->client, word, &first_op, err))
			return false;
	}
	return true;
}
