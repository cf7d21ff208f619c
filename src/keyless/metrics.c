// SPDX-License-Identifier: Apache-2.0
#include "keyless/metrics_priv.h"

enum { BUCKET_US = 100 };

static const char *const types[METRICS_TYPES] = {
	[WIRE_KEY_NONE] = "other",
	[WIRE_KEY_RSA] = "rsa",
	[WIRE_KEY_EC] = "ecdsa",
	[WIRE_KEY_ED25519] = "ed25519",
};

size_t
metrics_bucket(uint64_t us)
{
	size_t i = 0;

	for (uint64_t most = BUCKET_US; i < METRICS_BUCKETS - 1 && us > most; most *= 2)
		i++;
	return i;
}

void
metrics_count(struct metrics *m, const struct answer_audit *a)
{
	const struct wire_op_row *row = wire_op_find(a->call->req.op);
	size_t type = row ? row->key : WIRE_KEY_NONE;
	size_t result = (size_t)a->result < METRICS_RESULTS ? a->result : WIRE_INTERNAL;

	m->requests[a->call->req.op]++;
	m->results[type][result]++;
	m->took[type][metrics_bucket(a->took_us)]++;
	m->took_us[type] += a->took_us;
	metrics_count_key(m, a, result);
}

void
metrics_sum(uint64_t *sum, const uint64_t *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += v[i];
}

void
metrics_add(struct metrics *sum, const struct metrics *m)
{
	metrics_sum(sum->requests, m->requests, COUNT_OF(m->requests));
	for (size_t i = 0; i < METRICS_TYPES; i++) {
		metrics_sum(sum->results[i], m->results[i], METRICS_RESULTS);
		metrics_sum(sum->took[i], m->took[i], METRICS_BUCKETS);
	}
	metrics_sum(sum->took_us, m->took_us, METRICS_TYPES);
	metrics_add_keys(sum, m);
	sum->connections += m->connections;
	sum->refused_connections += m->refused_connections;
}

static void
write_requests(const struct metrics *m, struct text *t)
{
	uint64_t unknown = 0;

	text_add(t,
		"# HELP sekisho_keyless_requests_total Requests by operation.\n"
		"# TYPE sekisho_keyless_requests_total counter\n");
	for (unsigned op = 0; op < COUNT_OF(m->requests); op++) {
		if (!wire_op_find((uint8_t)op)) {
			unknown += m->requests[op];
		} else if (m->requests[op] > 0) {
			text_add(t, "sekisho_keyless_requests_total{op=\"%s\"} %llu\n",
				wire_op_name((uint8_t)op),
				(unsigned long long)m->requests[op]);
		}
	}
	text_add(t, "sekisho_keyless_requests_total{op=\"unknown\"} %llu\n",
		(unsigned long long)unknown);
}

static void
write_results(const struct metrics *m, struct text *t)
{
	text_add(t,
		"# HELP sekisho_keyless_answers_total Answers by type of key and "
		"result.\n"
		"# TYPE sekisho_keyless_answers_total counter\n");
	for (size_t type = 0; type < METRICS_TYPES; type++) {
		for (size_t i = 0; i < METRICS_RESULTS; i++) {
			if (m->results[type][i] == 0)
				continue;
			text_add(t,
				"sekisho_keyless_answers_total{type=\"%s\",result=\"%"
				"s\"} "
				"%llu\n",
				types[type], wire_error_name((uint8_t)i),
				(unsigned long long)m->results[type][i]);
		}
	}
}

void
metrics_write_histogram(struct text *t, const struct metrics_histogram *h)
{
	uint64_t sum = 0;
	double le = BUCKET_US / 1e6;

	for (size_t i = 0; i < METRICS_BUCKETS - 1; i++) {
		sum += h->took[i];
		text_add(t, "%s_bucket{%s,le=\"%g\"} %llu\n", h->name, h->labels, le,
			(unsigned long long)sum);
		le *= 2;
	}
	sum += h->took[METRICS_BUCKETS - 1];
	text_add(t, "%s_bucket{%s,le=\"+Inf\"} %llu\n", h->name, h->labels,
		(unsigned long long)sum);
	text_add(t, "%s_sum{%s} %.6f\n", h->name, h->labels, (double)h->took_us / 1e6);
	text_add(t, "%s_count{%s} %llu\n", h->name, h->labels, (unsigned long long)sum);
}

static void
write_types(const struct metrics *m, struct text *t)
{
	char label[32];

	for (size_t type = 0; type < METRICS_TYPES; type++) {
		text_format(label, sizeof(label), "type=\"%s\"", types[type]);
		metrics_write_histogram(t,
			&(struct metrics_histogram){"sekisho_keyless_duration_seconds",
				label, m->took[type], m->took_us[type]});
	}
}

static void
write_keys(const struct keys *keys, struct text *t)
{
	text_add(t,
		"# HELP sekisho_keyless_key_uses_total Operations performed by key.\n"
		"# TYPE sekisho_keyless_key_uses_total counter\n");
	LIST_EACH (it, &keys->all) {
		const struct keys_entry *e = CONTAINER_OF(it, struct keys_entry, all);

		text_add(t, "sekisho_keyless_key_uses_total{ski=\"");
		text_put_hex(t, span_of(e->ski, WIRE_SKI), false);
		text_add(t, "\",type=\"%s\"} %llu\n", types[e->type],
			(unsigned long long)e->uses);
	}
}

void
metrics_write(const struct metrics *m, const struct keys *keys, struct text *t)
{
	write_requests(m, t);
	write_results(m, t);
	text_add(t,
		"# HELP sekisho_keyless_duration_seconds From request to answer.\n"
		"# TYPE sekisho_keyless_duration_seconds histogram\n");
	write_types(m, t);
	metrics_write_keys(m, t);
	text_add(t,
		"# HELP sekisho_keyless_connections_total Connections accepted.\n"
		"# TYPE sekisho_keyless_connections_total counter\n"
		"sekisho_keyless_connections_total %llu\n"
		"# HELP sekisho_keyless_connections_refused_total Without a good "
		"certificate.\n"
		"# TYPE sekisho_keyless_connections_refused_total counter\n"
		"sekisho_keyless_connections_refused_total %llu\n",
		(unsigned long long)m->connections,
		(unsigned long long)m->refused_connections);
	if (keys)
		write_keys(keys, t);
}
