// SPDX-License-Identifier: Apache-2.0
/*
 * Hundreds of made-up graphs of authorities, in the manner of NIST's PKITS, each
 * verdict compared with OpenSSL's strict one.
 *
 * OpenSSL does not go back after a wrong turn, so it is asked about every single path
 * of the graph, with nothing else at hand: a graph is good when one of its paths is.
 * With COMPARE_OUT=FILE the graphs are also written in the form of `sekisho verify
 * --cases`, for other verifiers (tools/compare-verifiers).
 */
#include <stdlib.h>

#include "base/file.h"
#include "base/json.h"
#include "tests/pki/forge.h"

enum { GRAPHS = 400, LAYERS = 3, PER_LAYER = 2, KEYS = 8, OUT_MAX = 16 * 1024 * 1024 };

static uint64_t seed = 20261120;

/* xorshift64: the same graphs every time. */
static unsigned
pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed % n);
}

static EVP_PKEY *keys[KEYS];
static unsigned differs;
static EVP_PKEY *weak_key;

struct graph {
	struct forged root;
	struct forged other; /* a root that is not trusted */
	struct forged cas[LAYERS * PER_LAYER];
	const struct forged *by[LAYERS * PER_LAYER]; /* whose key signed it */
	size_t n_cas;
	struct forged leaf;
	const struct forged *leaf_by;
};

/* At most one thing is wrong with a certificate, and most are sound. */
static void
spoil_authority(struct forge *f)
{
	switch (pick(22)) {
	case 0:
		f->from_days = -9;
		f->to_days = -2;
		break;
	case 1:
		f->from_days = 3;
		break;
	case 2:
		f->ca = false;
		f->usage = "critical,keyCertSign";
		break;
	case 3:
		f->path_len = ",pathlen:0";
		break;
	case 4:
		f->usage = "critical,cRLSign";
		break;
	case 5:
		f->names = "critical,permitted;DNS:a.example";
		break;
	case 6:
		f->names = "critical,permitted;DNS:b.example";
		break;
	case 7:
		f->names = "critical,excluded;DNS:a.example";
		break;
	case 8:
		f->eku = "clientAuth";
		break;
	case 9:
		f->eku = "serverAuth";
		break;
	case 10:
		f->break_signature = true;
		break;
	case 11:
		f->more[0] = "1.2.3.4.5";
		f->more[1] = "critical,DER:0500";
		break;
	case 12:
		f->md = EVP_sha1();
		break;
	case 13:
		f->key = weak_key;
		break;
	default: /* sound */
		break;
	}
}

static void
spoil_leaf(struct forge *f)
{
	switch (pick(16)) {
	case 0:
		f->from_days = -9;
		f->to_days = -2;
		break;
	case 1:
		f->san = "DNS:c.example";
		break;
	case 2:
		f->eku = "clientAuth";
		break;
	case 3:
		f->break_signature = true;
		break;
	case 4:
		f->san = "DNS:*.example";
		f->md = EVP_sha1();
		break;
	case 5:
		f->more[0] = "1.2.3.4.5";
		f->more[1] = "critical,DER:0500";
		break;
	default: /* sound */
		break;
	}
}

/* Authorities of one layer may share name and key: cross-certificates. */
static void
make_graph(struct graph *g)
{
	static const char *const names[] = {"Layer 0", "Layer 1", "Layer 2"};
	unsigned layers = 1 + pick(LAYERS);

	*g = (struct graph){0};
	g->root = forge(&(struct forge){.cn = "Root", .ca = true, .key = keys[0]});
	g->other = forge(&(struct forge){.cn = "Other", .ca = true, .key = keys[1]});
	const struct forged *above[PER_LAYER + 1] = {&g->root, &g->other};
	unsigned n_above = 2;
	for (unsigned layer = 0; layer < layers; layer++) {
		unsigned n = 1 + pick(PER_LAYER);
		size_t first = g->n_cas;
		for (unsigned i = 0; i < n; i++) {
			struct forge f = {.cn = names[layer],
				.ca = true,
				.key = keys[2 + layer],
				.by = above[i == 0 ? 0 : pick(n_above)]};
			spoil_authority(&f);
			g->by[g->n_cas] = f.by;
			g->cas[g->n_cas++] = forge(&f);
		}
		n_above = 0;
		for (size_t i = first; i < g->n_cas; i++)
			above[n_above++] = &g->cas[i];
	}
	struct forge f = {.cn = "leaf",
		.by = above[pick(n_above)],
		.san = "DNS:a.example",
		.eku = "serverAuth",
		.key = keys[7]};
	spoil_leaf(&f);
	g->leaf_by = f.by;
	g->leaf = forge(&f);
}

/* One path alone, root last. */
static bool
openssl_accepts(const struct forged *const *path, size_t n, const struct forged *root)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ask = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();

	X509_STORE_add_cert(store, root->x);
	for (size_t i = 1; i < n; i++)
		sk_X509_push(rest, path[i]->x);
	X509_STORE_CTX_init(ask, store, path[0]->x, rest);
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ask);
	X509_VERIFY_PARAM_set_flags(
		p, X509_V_FLAG_X509_STRICT | X509_V_FLAG_POLICY_CHECK);
	X509_VERIFY_PARAM_set_auth_level(p, 2);
	X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER);
	X509_VERIFY_PARAM_set_hostflags(p,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
			X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	X509_VERIFY_PARAM_set1_host(p, "a.example", 0);
	bool good = X509_verify_cert(ask) == 1;
	sk_X509_free(rest);
	X509_STORE_CTX_free(ask);
	X509_STORE_free(store);
	return good;
}

/* Every way up from path[n − 1] by name; the graph has no loops. */
static bool
any_path_is_good(const struct graph *g, const struct forged **path, size_t n)
{
	const X509_NAME *issuer = X509_get_issuer_name(path[n - 1]->x);

	if (X509_NAME_cmp(issuer, X509_get_subject_name(g->root.x)) == 0 &&
		openssl_accepts(path, n, &g->root))
		return true;
	for (size_t i = 0; i < g->n_cas; i++) {
		if (X509_NAME_cmp(issuer, X509_get_subject_name(g->cas[i].x)) != 0)
			continue;
		path[n] = &g->cas[i];
		if (any_path_is_good(g, path, n + 1))
			return true;
	}
	return false;
}

static enum verdict_class
our_verdict(const struct graph *g)
{
	struct forge_ask a = {
		.sent = {&g->leaf}, .roots = {&g->root}, .host = "a.example"};
	size_t n = 1;

	/* In the order that helps least. */
	for (size_t i = g->n_cas; i-- > 0;)
		a.sent[n++] = &g->cas[i];
	a.sent[n++] = &g->other;
	return forge_verdict(&a);
}

static void
put_pem(struct json_out *j, const char *key, const struct forged *f)
{
	static char pem[8192];
	struct text t = text_to(pem, sizeof pem);
	struct err err = {0};
	struct cert *c = cert_from_x509(f->x, &err);

	cert_pem(c, &t);
	json_span(j, key, text_span(&t));
	cert_put(c);
}

static void
write_graph(struct json_out *j, const struct graph *g, unsigned number, bool good)
{
	char id[32];

	(void)text_format(id, sizeof id, "graph::%u", number);
	json_object(j, NULL);
	json_str(j, "id", id);
	json_str(j, "validation_kind", "SERVER");
	json_str(j, "expected_result", good ? "SUCCESS" : "FAILURE");
	json_object(j, "expected_peer_name");
	json_str(j, "kind", "DNS");
	json_str(j, "value", "a.example");
	json_end(j);
	json_array(j, "trusted_certs");
	put_pem(j, NULL, &g->root);
	json_end(j);
	put_pem(j, "peer_certificate", &g->leaf);
	json_array(j, "untrusted_intermediates");
	for (size_t i = 0; i < g->n_cas; i++)
		put_pem(j, NULL, &g->cas[i]);
	json_end(j);
	json_end(j);
}

static void
compare_one(struct json_out *out, unsigned number, unsigned *good)
{
	const struct forged *path[LAYERS * PER_LAYER + 2];
	struct graph g;

	make_graph(&g);
	path[0] = &g.leaf;
	bool theirs = any_path_is_good(&g, path, 1);
	enum verdict_class ours = our_verdict(&g);
	if (theirs != (ours == VERDICT_GOOD))
		print_error("graph %u: OpenSSL %s, we say %s\n", number,
			theirs ? "accepts" : "refuses", verdict_id(ours));
	differs += theirs != (ours == VERDICT_GOOD);
	*good += theirs;
	write_graph(out, &g, number, theirs);
	forge_end();
}

static void
four_hundred_graphs_end_as_openssl_strict_says_of_their_best_path(void)
{
	const char *path = getenv("COMPARE_OUT");
	struct err err = {0};
	struct json_out out;
	unsigned good = 0;

	for (size_t i = 0; i < KEYS; i++)
		keys[i] = key_new(KEY_P256, &err);
	weak_key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
	json_init(&out, OUT_MAX);
	json_object(&out, NULL);
	json_array(&out, "testcases");
	for (unsigned i = 0; i < GRAPHS; i++)
		compare_one(&out, i, &good);
	json_end(&out);
	json_end(&out);
	CHECK_INT(differs, 0);
	/* A generator of nothing but refusals would prove little. */
	CHECK(good > GRAPHS / 8 && good < GRAPHS * 4 / 5);
	print_message("# %u of %d graphs are good\n", good, GRAPHS);
	if (path)
		CHECK_OK(file_replace(path, json_text(&out), 0644, &err), &err);
	json_fini(&out);
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(keys[i]);
	EVP_PKEY_free(weak_key);
}

TESTS(four_hundred_graphs_end_as_openssl_strict_says_of_their_best_path)
