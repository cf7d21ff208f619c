// SPDX-License-Identifier: Apache-2.0
/*
 * metrics_keys: what was done with each key: a row for each pair of key and operation.
 *
 * A page is written by one process while another reads it, so rows are only ever added,
 * and `used` is set when the rest of a row is there.
 */
#include "keyless/metrics_priv.h"

#include <string.h>

#include "base/must.h"

static bool
is_row_of(const struct metrics_key *row, const uint8_t ski[WIRE_SKI], uint8_t op)
{
	return row->op == op && memcmp(row->ski, ski, WIRE_SKI) == 0;
}

/* The row, a new one where add says so, or the last one, for all that have none. */
static struct metrics_key *
find_row(struct metrics *m, const uint8_t ski[WIRE_SKI], uint8_t op, bool add)
{
	struct metrics_key *row = m->keys;

	for (size_t i = 0; i < METRICS_KEYS - 1; i++, row++) {
		if (!atomic_load_explicit(&row->used, memory_order_acquire))
			break;
		if (is_row_of(row, ski, op))
			return row;
	}
	if (!add)
		return NULL;
	if (row < &m->keys[METRICS_KEYS - 1]) {
		memcpy(row->ski, ski, WIRE_SKI); /* of that size by declaration */
		row->op = op;
	}
	atomic_store_explicit(&row->used, true, memory_order_release);
	return row;
}

/* Where the store is elsewhere the key is what the request says. */
static struct span
ski_of(const struct answer_call *c)
{
	return c->entry ? span_of(c->entry->ski, WIRE_SKI) : c->req.ski;
}

/* Only a signature proves that there is such a key: no edge can fill the table with
 * names of its own. */
void
metrics_count_key(struct metrics *m, const struct answer_audit *a, size_t result)
{
	const struct wire_op_row *op = wire_op_find(a->call->req.op);
	struct span ski = ski_of(a->call);

	if (!op || op->key == WIRE_KEY_NONE || ski.n != WIRE_SKI)
		return;
	struct metrics_key *row = find_row(m, ski.p, op->op, result == WIRE_OK);
	if (!row)
		return;
	row->results[result]++;
	row->took[metrics_bucket(a->took_us)]++;
	row->took_us += a->took_us;
}

void
metrics_add_keys(struct metrics *sum, const struct metrics *m)
{
	for (size_t i = 0; i < METRICS_KEYS; i++) {
		const struct metrics_key *from = &m->keys[i];

		if (!atomic_load_explicit(&from->used, memory_order_acquire))
			continue;
		struct metrics_key *to = i < METRICS_KEYS - 1
			? find_row(sum, from->ski, from->op, true)
			: &sum->keys[i];
		metrics_sum(to->results, from->results, METRICS_RESULTS);
		metrics_sum(to->took, from->took, METRICS_BUCKETS);
		to->took_us += from->took_us;
		atomic_store_explicit(&to->used, true, memory_order_release);
	}
}

/* key="…",op="…" of a row. */
static void
write_labels(
	struct text *labels, const struct metrics *m, const struct metrics_key *row)
{
	if (row == &m->keys[METRICS_KEYS - 1]) {
		text_add(labels, "key=\"other\",op=\"other\"");
		return;
	}
	text_add(labels, "key=\"");
	text_put_hex(labels, span_of(row->ski, WIRE_SKI), false);
	text_add(labels, "\",op=\"%s\"", wire_op_name(row->op));
}

static void
write_results(const struct metrics_key *row, const char *labels, struct text *t)
{
	for (size_t i = 0; i < METRICS_RESULTS; i++) {
		if (row->results[i] == 0)
			continue;
		text_add(t,
			"sekisho_keyless_key_answers_total{%s,result=\"%s\"} %llu\n",
			labels, wire_error_name((uint8_t)i),
			(unsigned long long)row->results[i]);
	}
}

static void
write_histogram(const struct metrics_key *row, const char *labels, struct text *t)
{
	metrics_write_histogram(t,
		&(struct metrics_histogram){"sekisho_keyless_key_duration_seconds",
			labels, row->took, row->took_us});
}

/* The lines of one metric stand together. */
static void
write_metric(const struct metrics *m, struct text *t,
	void (*write)(const struct metrics_key *, const char *, struct text *))
{
	char space[128];

	for (size_t i = 0; i < METRICS_KEYS; i++) {
		struct text labels = text_to(space, sizeof(space));

		if (!atomic_load_explicit(&m->keys[i].used, memory_order_acquire))
			continue;
		write_labels(&labels, m, &m->keys[i]);
		must(!labels.cut); /* 40 digits and a name of a table */
		write(&m->keys[i], space, t);
	}
}

void
metrics_write_keys(const struct metrics *m, struct text *t)
{
	text_add(t,
		"# HELP sekisho_keyless_key_answers_total Answers by key, operation "
		"and result.\n"
		"# TYPE sekisho_keyless_key_answers_total counter\n");
	write_metric(m, t, write_results);
	text_add(t,
		"# HELP sekisho_keyless_key_duration_seconds From request to answer, "
		"by key and operation.\n"
		"# TYPE sekisho_keyless_key_duration_seconds histogram\n");
	write_metric(m, t, write_histogram);
}
