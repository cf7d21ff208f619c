// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp_serve.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "pki/client_ca.h"
#include "pki/revoke.h"
#include "tests/test.h"

static char dir[64];
static struct client_ca *ca;
static struct identity *delegate;
static struct cert *ca_cert;
static struct cert *certs[3]; /* good, revoked, never recorded */
static struct span status_file;
static struct client_status status;

static struct cert *
issue(void)
{
	struct err err = {0};
	struct span der = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	const struct client_wish wish = {
		.subject = SPAN("CN=a"), .key = key, .valid_s = 7200};

	CHECK_OK(client_ca_issue(ca, &wish, &der, &err), &err);
	struct cert *c = cert_parse(der, &err);
	mem_free((void *)(uintptr_t)der.p);
	return c;
}

static void
set_up(void)
{
	struct client_status_row rows[2] = {{.state = CLIENT_GOOD},
		{.state = CLIENT_REVOKED,
			.reason = 1,
			.revoked_at = clock_wall() - 60}};
	char crt[96];
	char key[96];
	struct err err = {0};

	if (ca)
		return;
	text_format(dir, sizeof(dir), "/tmp/sekisho-ocsp-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK_OK(client_ca_make(dir, &(struct client_ca_wish){0}, &err), &err);
	ca = client_ca_load(dir, true, (struct span){0}, &err);
	ca_cert = cert_from_x509(ca->crt, &err);
	text_format(crt, sizeof(crt), "%s/ocsp.crt", dir);
	text_format(key, sizeof(key), "%s/ocsp.key", dir);
	delegate = identity_load(crt, key, (struct span){0}, &err);
	CHECK_OK(delegate != NULL, &err);
	for (size_t i = 0; i < 3; i++)
		certs[i] = issue();
	for (size_t i = 0; i < 2; i++)
		CHECK(client_status_key(certs[i]->serial, rows[i].serial));
	CHECK_OK(client_status_write(rows, 2, clock_wall(), &status_file, &err), &err);
	CHECK_OK(client_status_read(status_file, &status, &err), &err);
}

/* A request about one certificate, with a nonce or without. */
static struct span
ask_about(struct cert *c, struct cert *issuer, bool nonce, const EVP_MD *md)
{
	struct err err = {0};
	AUTO(OCSP_REQUEST) *req = OCSP_REQUEST_new();
	AUTO_OCTETS *p = NULL;

	CHECK(OCSP_request_add0_id(
		req, OCSP_cert_to_id(md, cert_x509(c, &err), cert_x509(issuer, &err))));
	if (nonce)
		CHECK(OCSP_request_add1_nonce(req, NULL, 16) == 1);
	int n = i2d_OCSP_REQUEST(req, &p);
	return (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
}

static enum revoke_state
state_of(struct ocsp_serve *s, struct cert *c, const EVP_MD *md)
{
	struct span req = ask_about(c, ca_cert, true, md);
	struct ocsp_serve_ask ask;
	struct span der = {0};
	struct err err = {0};

	CHECK_OK(ocsp_serve_read(req, &ask, &err), &err);
	CHECK_INT(ask.nonce.n, 16);
	CHECK_INT(ocsp_serve_answer(s, &ask, &status, clock_wall(), &der),
		OCSP_SERVE_DONE);
	CHECK(span_find(der, ask.nonce) < der.n); /* it comes back */
	enum revoke_state state = revoke_read_ocsp(der, c, ca_cert, clock_wall(), &err);
	mem_free((void *)(uintptr_t)der.p);
	mem_free((void *)(uintptr_t)req.p);
	return state;
}

static void
good_revoked_and_unknown_are_told_apart(void)
{
	struct err err = {0};

	set_up();
	struct ocsp_serve *s = ocsp_serve_new(ca_cert->der, delegate, &err);
	CHECK_OK(s != NULL, &err);
	const EVP_MD *hashes[] = {EVP_sha1(), EVP_sha256()};
	for (size_t i = 0; i < COUNT_OF(hashes); i++) {
		CHECK_INT(state_of(s, certs[0], hashes[i]), REVOKE_GOOD);
		CHECK_INT(state_of(s, certs[1], hashes[i]), REVOKE_REVOKED);
		CHECK_INT(state_of(s, certs[2], hashes[i]), REVOKE_UNKNOWN);
	}
	ocsp_serve_free(s);
}

static void
of_other_authorities_nothing_is_said(void)
{
	struct err err = {0};
	struct ocsp_serve_ask ask;
	struct span der = {0};

	set_up();
	struct ocsp_serve *s = ocsp_serve_new(ca_cert->der, delegate, &err);
	struct span req = ask_about(certs[0], certs[1], false, EVP_sha1());
	CHECK_OK(ocsp_serve_read(req, &ask, &err), &err);
	CHECK(!ocsp_serve_knows(s, &ask) && ask.nonce.n == 0);
	CHECK_INT(ocsp_serve_answer(s, &ask, &status, clock_wall(), &der),
		OCSP_SERVE_UNAUTHORIZED);
	mem_free((void *)(uintptr_t)req.p);
	ocsp_serve_free(s);
}

static void
only_the_authority_or_its_delegate_answers(void)
{
	struct err err = {0};
	struct chain chain = {0};
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);
	const struct client_wish wish = {
		.subject = SPAN("CN=a"), .key = key, .valid_s = 7200};
	struct span der = {0};

	set_up();
	CHECK_OK(client_ca_issue(ca, &wish, &der, &err), &err);
	CHECK_OK(chain_add(&chain, der, &err), &err);
	struct identity *client = identity_new(&chain, key, &err);
	CHECK(ocsp_serve_new(ca_cert->der, client, &err) == NULL); /* no OCSPSigning */
	CHECK_INT(err.code, ERR_PKI_OCSP);
	identity_put(client);
	chain_fini(&chain);
	CHECK_OK(chain_add(&chain, ca_cert->der, &err), &err);
	struct identity *itself = identity_new(&chain, ca->key, &err);
	struct ocsp_serve *s = ocsp_serve_new(ca_cert->der, itself, &err);
	CHECK_OK(s != NULL, &err);
	CHECK_INT(state_of(s, certs[1], EVP_sha1()), REVOKE_REVOKED);
	ocsp_serve_free(s);
	identity_put(itself);
	chain_fini(&chain);
	mem_free((void *)(uintptr_t)der.p);
}

static void
every_truncation_and_every_addition_is_refused(void)
{
	struct ocsp_serve_ask ask;
	struct err err = {0};

	set_up();
	struct span req = ask_about(certs[0], ca_cert, true, EVP_sha1());
	uint8_t *longer = mem_alloc(req.n + 1);
	memcpy(longer, req.p, req.n);
	for (size_t n = 0; n < req.n; n++) {
		CHECK(!ocsp_serve_read(span_first(req, n), &ask, &err));
		CHECK_INT(err.code, ERR_PKI_OCSP);
	}
	CHECK(!ocsp_serve_read(span_of(longer, req.n + 1), &ask, &err));
	mem_free(longer);
	mem_free((void *)(uintptr_t)req.p);
}

static void
more_than_the_bounds_is_refused(void)
{
	struct err err = {0};
	struct ocsp_serve_ask ask;
	AUTO(OCSP_REQUEST) *req = OCSP_REQUEST_new();
	AUTO(OCSP_REQUEST) *long_nonce = OCSP_REQUEST_new();
	AUTO_OCTETS *p = NULL;
	AUTO_OCTETS *q = NULL;

	set_up();
	for (int i = 0; i <= OCSP_SERVE_CERTS; i++) {
		CHECK(OCSP_request_add0_id(req,
			OCSP_cert_to_id(
				EVP_sha1(), cert_x509(certs[0], &err), ca->crt)));
	}
	int n = i2d_OCSP_REQUEST(req, &p);
	CHECK(!ocsp_serve_read(span_of(p, (size_t)n), &ask, &err));
	CHECK(OCSP_request_add0_id(long_nonce,
		OCSP_cert_to_id(EVP_sha1(), cert_x509(certs[0], &err), ca->crt)));
	CHECK(OCSP_request_add1_nonce(long_nonce, NULL, OCSP_SERVE_NONCE + 1) == 1);
	n = i2d_OCSP_REQUEST(long_nonce, &q);
	CHECK(!ocsp_serve_read(span_of(q, (size_t)n), &ask, &err));
}

static void
an_answer_that_is_none_says_why(void)
{
	uint8_t dst[OCSP_SERVE_ERROR];
	struct span der = ocsp_serve_error(OCSP_SERVE_UNAUTHORIZED, dst);
	const unsigned char *p = der.p;
	AUTO(OCSP_RESPONSE) *r = d2i_OCSP_RESPONSE(NULL, &p, (long)der.n);

	CHECK(r && OCSP_response_status(r) == OCSP_RESPONSE_STATUS_UNAUTHORIZED);
	for (size_t i = 0; i < 3; i++)
		cert_put(certs[i]);
	cert_put(ca_cert);
	identity_put(delegate);
	client_ca_free(ca);
	mem_free((void *)(uintptr_t)status_file.p);
}

TESTS(good_revoked_and_unknown_are_told_apart, of_other_authorities_nothing_is_said,
	only_the_authority_or_its_delegate_answers,
	every_truncation_and_every_addition_is_refused, more_than_the_bounds_is_refused,
	an_answer_that_is_none_says_why)
