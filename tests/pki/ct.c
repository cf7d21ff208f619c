// SPDX-License-Identifier: Apache-2.0
/*
 * Trust rubric 58: certificate transparency.
 */
#include "pki/ct.h"
#include "tests/pki/forge.h"

enum { LOGS = 3, DAY_MS = 86400000 };

static struct forged root;
static EVP_PKEY *log_keys[LOGS];
static struct ctlogs *logs;

/* Logs 0 and 1 belong to one operator, 2 to another, and 1 retired ten days ago. */
static void
begin(void)
{
	struct err err = {0};
	char json[4096];
	char when[CLOCK_TEXT];
	struct text t = text_to(json, sizeof json);

	root = forge(&(struct forge){.cn = "R", .ca = true, .to_days = 900});
	clock_text(when, clock_wall_ms() - 10LL * DAY_MS);
	text_add(&t, "{\"operators\":[{\"name\":\"A\",\"logs\":[");
	for (size_t i = 0; i < LOGS; i++) {
		struct span spki = {0};
		log_keys[i] = key_new(i == 1 ? KEY_RSA2048 : KEY_P256, &err);
		CHECK(key_spki(log_keys[i], &spki, &err));
		text_add(&t, "%s{\"description\":\"l\",\"key\":\"",
			i == 0           ? ""
				: i == 1 ? ","
					 : "]},{\"name\":\"B\",\"tiled_logs\":[");
		text_put_base64(&t, spki);
		if (i == 1)
			text_add(&t,
				"\",\"state\":{\"retired\":{\"timestamp\":\"%s\"}}}",
				when);
		else
			text_add(&t,
				"\",\"state\":{\"usable\":{\"timestamp\":\"%s\"}}}",
				when);
		mem_free((void *)(uintptr_t)spki.p);
	}
	text_add(&t, "]}]}");
	CHECK(!t.cut);
	logs = ctlogs_read(text_span(&t), &err);
	CHECK_OK(logs != NULL, &err);
	CHECK_INT(ctlogs_count(logs), LOGS);
}

static void
end(void)
{
	for (size_t i = 0; i < LOGS; i++)
		EVP_PKEY_free(log_keys[i]);
	ctlogs_free(logs);
	forge_end();
}

static void
put_sct(struct write *list, size_t log, struct span body, const uint8_t *issuer,
	int64_t days)
{
	struct err err = {0};
	static uint8_t buf[8192];
	struct write w = write_to(buf, sizeof buf);
	uint64_t when = (uint64_t)(clock_wall_ms() + days * DAY_MS);
	uint8_t id[KEY_ID];
	uint8_t sig[512];
	size_t n = sizeof sig;
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	write_be(&w, 0, 2);
	write_be64(&w, when);
	write_be(&w, issuer ? 1 : 0, 2);
	if (issuer)
		write_span(&w, span_of(issuer, CERT_HASH));
	size_t mark = write_open(&w, 3);
	write_span(&w, body);
	write_close(&w, mark, 3);
	write_be(&w, 0, 2);
	CHECK(EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, log_keys[log]) == 1);
	CHECK(EVP_DigestSign(md, sig, &n, buf, w.n) == 1);
	EVP_MD_CTX_free(md);
	CHECK(key_id(log_keys[log], id, &err));

	size_t sct = write_open(list, 2);
	write_be(list, 0, 1);
	write_span(list, span_of(id, sizeof id));
	write_be64(list, when);
	write_be(list, 0, 2);
	write_be(list, 4, 1);
	write_be(list, log == 1 ? 1 : 3, 1);
	size_t mark2 = write_open(list, 2);
	write_span(list, span_of(sig, n));
	write_close(list, mark2, 2);
	write_close(list, sct, 2);
}

/* Puts timestamps of `n` logs into a leaf that is complete but for them. */
static void
embed(struct forged *leaf, const size_t *which, size_t n, int64_t days)
{
	struct err err = {0};
	struct cert *issuer = cert_from_x509(root.x, &err);
	uint8_t buf[4096];
	struct write list = write_to(buf, sizeof buf);
	uint8_t *tbs = NULL;
	int size = i2d_re_X509_tbs(leaf->x, &tbs);

	size_t mark = write_open(&list, 2);
	for (size_t i = 0; i < n; i++)
		put_sct(&list, which[i], span_of(tbs, (size_t)size),
			issuer->spki_sha256, days);
	write_close(&list, mark, 2);
	OPENSSL_free(tbs);
	cert_put(issuer);
	ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING_set(inner, buf, (int)list.n);
	uint8_t *der = NULL;
	int m = i2d_ASN1_OCTET_STRING(inner, &der);
	ASN1_OCTET_STRING_set(inner, der, m);
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.11129.2.4.2", 1);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, inner);
	X509_add_ext(leaf->x, e, 2); /* among the others */
	X509_EXTENSION_free(e);
	ASN1_OBJECT_free(oid);
	OPENSSL_free(der);
	ASN1_OCTET_STRING_free(inner);
	CHECK(X509_sign(leaf->x, root.key, EVP_sha256()) > 0);
}

static const char *
judge_with(const struct forged *leaf, struct span tls, struct span staple)
{
	struct chain sent = {0};
	struct chain roots = {0};
	struct err err = {0};
	struct verdict v = {0};

	forge_add(&sent, leaf);
	forge_add(&roots, &root);
	struct trust *t = trust_new_chain(&roots, &err);
	trust_set_logs(t, logs);
	struct trust_ask ask = {.chain = &sent,
		.host = SPAN("a.example"),
		.now = clock_wall(),
		.options = trust_options_default(),
		.tls_scts = tls,
		.staple = staple};
	trust_check(t, &ask, &v);
	CHECK_STR(verdict_id(v.class), "good"); /* only reported */
	verdict_fini(&v);
	ask.options.ct = TRUST_CT_ALL;
	trust_check(t, &ask, &v);
	const char *id = verdict_id(v.class);
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	return id;
}

static const char *
judge(const struct forged *leaf, struct span tls)
{
	return judge_with(leaf, tls, (struct span){0});
}

static struct forged
new_leaf(int64_t days)
{
	return forge(&(struct forge){.cn = "l",
		.by = &root,
		.san = "DNS:a.example",
		.eku = "serverAuth",
		.to_days = days});
}

static void
check_58_timestamps_of_enough_logs_are_wanted(void)
{
	static const size_t both[] = {0, 2};
	static const size_t one_operator[] = {0, 1};
	static const size_t all[] = {0, 1, 2};

	begin();
	struct forged none = new_leaf(30);
	CHECK_STR(judge(&none, (struct span){0}), "ct-missing");
	struct forged good = new_leaf(30);
	embed(&good, both, 2, -1);
	CHECK_STR(judge(&good, (struct span){0}), "good");
	struct forged one = new_leaf(30);
	embed(&one, both, 1, -1);
	CHECK_STR(judge(&one, (struct span){0}), "ct-missing");
	struct forged same = new_leaf(30);
	embed(&same, one_operator, 2, -20);
	CHECK_STR(judge(&same, (struct span){0}), "ct-missing");
	struct forged retired = new_leaf(30);
	embed(&retired, (const size_t[]){1, 2}, 2, -1);
	CHECK_STR(judge(&retired, (struct span){0}), "ct-missing");
	struct forged before = new_leaf(30);
	embed(&before, (const size_t[]){1, 2}, 2, -20);
	CHECK_STR(judge(&before, (struct span){0}), "good");
	struct forged future = new_leaf(30);
	embed(&future, both, 2, 3);
	CHECK_STR(judge(&future, (struct span){0}), "ct-missing");
	struct forged longer = new_leaf(300);
	embed(&longer, both, 2, -1);
	CHECK_STR(judge(&longer, (struct span){0}), "ct-missing");
	struct forged three = new_leaf(300);
	embed(&three, all, 3, -20);
	CHECK_STR(judge(&three, (struct span){0}), "good");
	end();
}

static void
timestamps_of_another_certificate_prove_nothing(void)
{
	begin();
	struct forged a = new_leaf(30);
	struct forged b = new_leaf(30);
	embed(&a, (const size_t[]){0, 2}, 2, -1);
	X509_EXTENSION *e = X509_get_ext(a.x, 2);
	X509_add_ext(b.x, e, 2);
	X509_sign(b.x, root.key, EVP_sha256());
	CHECK_STR(judge(&b, (struct span){0}), "ct-missing");
	end();
}

static void
timestamps_of_the_handshake_count_as_well(void)
{
	begin();
	struct forged l = new_leaf(30);
	struct span der = forge_der(&l);
	uint8_t buf[4096];
	struct write list = write_to(buf, sizeof buf);
	size_t mark = write_open(&list, 2);
	put_sct(&list, 0, der, NULL, -1);
	put_sct(&list, 2, der, NULL, -1);
	write_close(&list, mark, 2);
	CHECK_STR(judge(&l, write_done(&list)), "good");
	for (size_t n = 0; n < list.n; n++)
		CHECK_STR(judge(&l, (struct span){buf, n}), "ct-missing");
	OPENSSL_free((void *)(uintptr_t)der.p);
	end();
}

/* What one log says twice, or in two places, it has said once. */
static void
the_word_of_a_log_counts_once(void)
{
	begin();
	struct forged l = new_leaf(30);
	embed(&l, (const size_t[]){0, 0, 0}, 3, -1);
	struct span der = forge_der(&l);
	uint8_t buf[4096];
	struct write list = write_to(buf, sizeof buf);
	size_t mark = write_open(&list, 2);
	put_sct(&list, 0, der, NULL, -1);
	write_close(&list, mark, 2);
	CHECK_STR(judge(&l, write_done(&list)), "ct-missing");
	/* With that of another one they are two. */
	list = write_to(buf, sizeof buf);
	mark = write_open(&list, 2);
	put_sct(&list, 2, der, NULL, -1);
	write_close(&list, mark, 2);
	CHECK_STR(judge(&l, write_done(&list)), "good");
	OPENSSL_free((void *)(uintptr_t)der.p);
	end();
}

/* An answer about the leaf with a list of timestamps in it (RFC 6962 §3.3). */
static struct span
answer_with(const struct forged *leaf, struct span list)
{
	OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
	OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf->x, root.x);
	ASN1_TIME *from = ASN1_TIME_set(NULL, (time_t)(clock_wall() - 60));
	ASN1_TIME *to = ASN1_TIME_set(NULL, (time_t)(clock_wall() + FORGE_DAY));
	ASN1_OCTET_STRING *inner = ASN1_OCTET_STRING_new();
	ASN1_OBJECT *oid = OBJ_txt2obj("1.3.6.1.4.1.11129.2.4.5", 1);
	uint8_t *der = NULL;

	OCSP_SINGLERESP *single = OCSP_basic_add1_status(
		basic, id, V_OCSP_CERTSTATUS_GOOD, 0, NULL, from, to);
	ASN1_OCTET_STRING_set(inner, list.p, (int)list.n);
	int m = i2d_ASN1_OCTET_STRING(inner, &der);
	ASN1_OCTET_STRING_set(inner, der, m);
	OPENSSL_free(der);
	X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, inner);
	CHECK(OCSP_SINGLERESP_add_ext(single, e, -1) == 1);
	CHECK(OCSP_basic_sign(
		      basic, root.x, root.key, EVP_sha256(), NULL, OCSP_NOCERTS) == 1);
	OCSP_RESPONSE *r = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	der = NULL;
	int n = i2d_OCSP_RESPONSE(r, &der);
	OCSP_RESPONSE_free(r);
	X509_EXTENSION_free(e);
	ASN1_OBJECT_free(oid);
	ASN1_OCTET_STRING_free(inner);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	OCSP_CERTID_free(id);
	OCSP_BASICRESP_free(basic);
	return span_of(der, (size_t)n);
}

static void
timestamps_of_a_staple_count_as_well(void)
{
	begin();
	struct forged l = new_leaf(30);
	struct span der = forge_der(&l);
	uint8_t buf[4096];
	struct write list = write_to(buf, sizeof buf);
	size_t mark = write_open(&list, 2);
	put_sct(&list, 0, der, NULL, -1);
	put_sct(&list, 2, der, NULL, -1);
	write_close(&list, mark, 2);
	struct span staple = answer_with(&l, write_done(&list));
	CHECK_STR(judge_with(&l, (struct span){0}, staple), "good");
	for (size_t n = 0; n < staple.n; n += 7)
		CHECK_STR(judge_with(&l, (struct span){0}, (struct span){staple.p, n}),
			"ct-missing");
	struct forged other = new_leaf(30);
	CHECK_STR(judge_with(&other, (struct span){0}, staple), "ct-missing");
	OPENSSL_free((void *)(uintptr_t)staple.p);
	OPENSSL_free((void *)(uintptr_t)der.p);
	end();
}

static void
a_list_without_logs_is_refused(void)
{
	struct err err = {0};
	CHECK(ctlogs_read(SPAN("{}"), &err) == NULL);
	CHECK_INT(err.code, ERR_PKI_CT);
	CHECK(ctlogs_read(SPAN("{\"operators\":[{\"logs\":[{\"key\":\"AAAA\"}]}]}"),
		      &err) == NULL);
	CHECK(ctlogs_read(SPAN("nonsense"), &err) == NULL);
}

TESTS(check_58_timestamps_of_enough_logs_are_wanted,
	timestamps_of_another_certificate_prove_nothing,
	timestamps_of_the_handshake_count_as_well, the_word_of_a_log_counts_once,
	timestamps_of_a_staple_count_as_well, a_list_without_logs_is_refused)
