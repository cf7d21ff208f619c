// SPDX-License-Identifier: Apache-2.0
/*
 * key_test: asking a key server as an edge would, once or as often as it can.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/key_desk.h"
#include "cli/key_priv.h"
#include "pki/cert.h"

enum {
	IN_FLIGHT_MOST = 10000,
	SECONDS_MOST = 3600,
	SAMPLES = 1 << 20,
	PAYLOAD = 64,
};

struct tester;

/* One ask that is sent again as long as the test goes on. */
struct runner {
	struct ask ask;
	struct tester *tester;
	uint64_t since_us;
};

struct tester {
	struct key_desk desk;
	struct cert *cert; /* of --certificate, or NULL */
	struct span sni;   /* what a client of ours would have asked for, or empty */
	uint8_t ski[WIRE_SKI];
	uint8_t op;
	uint8_t payload[PAYLOAD];
	size_t n_payload;
	size_t in_flight;
	uint64_t until_us; /* of a load test */

	struct runner *runners; /* owned */
	size_t n_running;
	uint32_t *took_us; /* owned; SAMPLES */
	uint64_t n_ok;
	uint64_t n_failed;
	struct err last;
	struct err wrong; /* a signature that does not verify */
};

/* ---- options ---- */

/* A policy of the key server may list server names: a visitor's is the certificate's
 * first that is no wildcard. */
static void
choose_sni(struct tester *t, const struct cli_call *call)
{
	struct cert_san san;

	t->sni = span_str(cli_get(call, "sni"));
	if (t->sni.n > 0 || !t->cert)
		return;
	for (struct read it = cert_sans(t->cert);
		t->sni.n == 0 && cert_next_san(&it, &san);) {
		if (san.kind == CERT_SAN_DNS && !span_starts(san.value, SPAN("*")))
			t->sni = san.value; /* the certificate outlives the test */
	}
}

static bool
read_key(struct tester *t, const struct cli_call *call, struct err *err)
{
	const char *hex = cli_get(call, "key");
	const char *path = cli_get(call, "certificate");
	size_t n = 0;

	if (path) {
		t->cert = cert_load(path, err);
		return t->cert && cert_key(t->cert, err) &&
			key_ski(cert_key(t->cert, err), t->ski, err);
	}
	if (!hex || !text_unhex(span_str(hex), t->ski, WIRE_SKI, &n) || n != WIRE_SKI) {
		return err_set(err, ERR_USAGE,
			"--certificate FILE or --key with 40 hex digits is needed");
	}
	return true;
}

static void
choose_op(struct tester *t, uint8_t op)
{
	const struct wire_op_row *row = wire_op_find(op);

	t->op = op;
	t->n_payload = row && row->payload > 0 ? row->payload : PAYLOAD;
	secret_random(t->payload, sizeof(t->payload));
}

static bool
read_op(struct tester *t, const struct cli_call *call, struct err *err)
{
	const char *name = cli_get(call, "op");
	uint8_t op = name ? wire_op_by_name(span_str(name)) : WIRE_NO_OP;
	uint64_t n = 1;
	uint64_t seconds = 0;

	if (name && op == WIRE_NO_OP)
		return err_set(err, ERR_USAGE, "--op %s is no operation", name);
	if (!cli_number(call, "in-flight", IN_FLIGHT_MOST, &n, err) ||
		!cli_number(call, "seconds", SECONDS_MOST, &seconds, err))
		return false;
	choose_op(t, op);
	t->in_flight = n > 0 ? (size_t)n : 1;
	t->until_us = seconds * 1000000;
	return true;
}

static bool
open_tester(struct tester *t, const struct cli_call *call, struct err *err)
{
	uint64_t connections = 1;

	if (!cli_number(call, "connections", ASK_POOL_SERVERS, &connections, err) ||
		!read_key(t, call, err) || !read_op(t, call, err) ||
		!key_desk_open(&t->desk, call, connections, err))
		return false;
	choose_sni(t, call);
	t->runners = mem_array(t->in_flight, sizeof(*t->runners));
	t->took_us = mem_array(SAMPLES, sizeof(*t->took_us));
	return true;
}

static void
close_tester(struct tester *t)
{
	key_desk_close(&t->desk);
	cert_put(t->cert);
	mem_free(t->runners);
	mem_free(t->took_us);
	mem_free(t);
}

/* ---- asking ---- */

static void came(struct ask *a);

static bool
send_one(struct runner *r)
{
	struct tester *t = r->tester;

	r->ask.want = (struct wire_msg){.op = t->op,
		.ski = span_of(t->ski, WIRE_SKI),
		.name = t->sni,
		.payload = span_of(t->payload, t->n_payload)};
	r->ask.done = came;
	r->since_us = clock_us();
	return ask_pool_send(t->desk.pool, &r->ask, &t->last);
}

/* Every 64th of a load test, and the only one otherwise. */
static bool
is_right(struct tester *t, struct span answer)
{
	struct err err = {0};

	if (!t->cert || t->op == WIRE_PING || t->op == WIRE_RSA_DECRYPT ||
		t->n_ok % 64 != 0)
		return true;
	return keys_verify(cert_key(t->cert, &err), t->op,
		span_of(t->payload, t->n_payload), answer);
}

static void
came(struct ask *a)
{
	struct runner *r = CONTAINER_OF(a, struct runner, ask);
	struct tester *t = r->tester;
	uint64_t now = clock_us();
	uint64_t took = now - r->since_us;

	if (!a->ok) {
		t->n_failed++;
		t->last = a->err;
	} else if (!is_right(t, a->answer)) {
		t->n_failed++;
		(void)err_set(&t->wrong, ERR_TLS_REMOTE_LIED, "the %s does not verify",
			wire_op_name(t->op));
		t->last = t->wrong;
	} else {
		t->took_us[t->n_ok++ % SAMPLES] =
			took < UINT32_MAX ? (uint32_t)took : UINT32_MAX;
	}
	if (now >= t->until_us || !send_one(r))
		t->n_running--;
}

static void
run_asks(struct tester *t, size_t n)
{
	t->n_ok = 0;
	t->n_failed = 0;
	t->n_running = 0;
	for (size_t i = 0; i < n; i++) {
		t->runners[i] = (struct runner){.tester = t};
		if (send_one(&t->runners[i])) {
			t->n_running++;
		} else {
			t->n_failed++;
		}
	}
	while (t->n_running > 0)
		loop_turn(&t->desk.loop, 1000);
}

/* One ask of this operation; what it took, or an error. */
static bool
try_once(struct tester *t, uint8_t op, uint32_t *took_us, struct err *err)
{
	uint64_t until = t->until_us;

	choose_op(t, op);
	t->until_us = 0;
	run_asks(t, 1);
	t->until_us = until;
	if (t->n_ok == 0) {
		*err = t->last;
		return false;
	}
	*took_us = t->took_us[0];
	return true;
}

/* Which kind of key it is shows in what it will do. */
static bool
find_op(struct tester *t, uint32_t *took_us, struct err *err)
{
	static const uint8_t ops[] = {WIRE_ECDSA_SHA256, WIRE_PSS_SHA256, WIRE_ED25519};

	for (size_t i = 0; i < COUNT_OF(ops); i++) {
		if (try_once(t, ops[i], took_us, err))
			return true;
		/* Another operation helps only when this one did not fit the key. */
		if (t->runners[0].ask.refusal != WIRE_CRYPTO || t->wrong.code)
			return false;
	}
	return false;
}

static bool
test_once(struct tester *t, struct err *err)
{
	uint8_t asked = t->op;
	uint32_t us = 0;

	if (!try_once(t, WIRE_PING, &us, err))
		return false;
	text_out("connected, ping answered in %.2f ms\n", us / 1e3);
	if (asked == WIRE_NO_OP ? !find_op(t, &us, err) : !try_once(t, asked, &us, err))
		return false;
	text_out("%s answered in %.2f ms%s\n", wire_op_name(t->op), us / 1e3,
		t->cert && t->op != WIRE_RSA_DECRYPT ? ", signature verified" : "");
	return true;
}

/* ---- load ---- */

static int
compare_us(const void *a, const void *b)
{
	const uint32_t *x = a;
	const uint32_t *y = b;

	return (*x > *y) - (*x < *y);
}

static void
test_load(struct tester *t)
{
	uint64_t start = clock_us();

	t->until_us += start;
	run_asks(t, t->in_flight);
	double seconds = (double)(clock_us() - start) / 1e6;
	size_t n = t->n_ok < SAMPLES ? (size_t)t->n_ok : SAMPLES;

	qsort(t->took_us, n, sizeof(*t->took_us), compare_us);
	text_out("%s: %llu answers in %.2f s, %.0f/s, %llu failed\n",
		wire_op_name(t->op), (unsigned long long)t->n_ok, seconds,
		(double)t->n_ok / seconds, (unsigned long long)t->n_failed);
	if (n == 0)
		return;
	uint32_t p50 = t->took_us[n / 2];
	uint32_t p95 = t->took_us[n * 95 / 100];
	uint32_t p99 = t->took_us[n * 99 / 100];
	text_out("latency p50 %.2f ms, p95 %.2f ms, p99 %.2f ms\n", p50 / 1e3,
		p95 / 1e3, p99 / 1e3);
}

static enum cli_exit
run_test(const struct cli_call *call)
{
	struct tester *t = mem_alloc(sizeof(*t));
	struct err err = {0};
	enum cli_exit status = CLI_GOOD;

	log_setup(LOG_ERROR, "key");
	if (!open_tester(t, call, &err) || !test_once(t, &err)) {
		status = cli_fail(&err);
	} else if (t->until_us > 0) {
		test_load(t);
		if (t->n_failed > 0)
			status = cli_fail(&t->last);
	}
	close_tester(t);
	return status;
}

static const struct cli_option options[] = {
	{"key", 'k', "SKI", "the key to ask for, 40 hex digits", false},
	{"certificate", 'c', "FILE", "… or its certificate: the signature is verified",
		false},
	{"ca", 0, "FILE", "CA of the key server's certificate", false},
	{"cert", 0, "FILE", "our certificate, as an edge", false},
	{"cert-key", 0, "FILE", "… and its key", false},
	{"name", 'n', "NAME", "name in the key server's certificate [HOST]", false},
	{"sni", 0, "NAME", "server name to ask in [the first of the certificate]",
		false},
	{"op", 'o', "NAME", "operation [one that fits the key]", false},
	{"seconds", 's', "N", "ask as often as possible for so long", false},
	{"in-flight", 'i', "N", "asks at a time in a load test [1]", false},
	{"connections", 0, "N", "connections to each server in a load test [1]", false},
	{0},
};

const struct command command_key_test = {
	.name = "key test",
	.operands = "HOST[:PORT]...",
	.summary = "ask a key server for a signature, as an edge would",
	.help = "Connects, pings, asks for one signature and says how long each took. "
		"With\n"
		"--seconds it goes on as fast as the server answers. Several servers "
		"are used\n"
		"as an edge would use them.\n",
	.examples = "sekisho key test keys.internal --certificate shop.crt --ca "
		    "tunnel/ca.crt \\\n"
		    "    --cert tunnel/edge1.crt --cert-key tunnel/edge1.key\n",
	.options = options,
	.least = 1,
	.most = ASK_POOL_SERVERS,
	.run = run_test,
};
