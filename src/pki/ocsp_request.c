// SPDX-License-Identifier: Apache-2.0
/*
 * ocsp_request: asking a responder, in the lightweight way (RFC 5019 §2.1, §5): one
 * certificate, SHA-1 for its name (which everybody knows, and which protects nothing
 * here), no nonce, so that an answer can be made ahead and cached by whoever carries
 * it.
 */
#include "base/mem.h"
#include "base/text.h"
#include "pki/revoke_priv.h"

bool
revoke_ocsp_request(
	struct cert *c, struct cert *issuer, struct span *der, struct err *err)
{
	X509 *x = cert_x509(c, err);
	X509 *ix = x ? cert_x509(issuer, err) : NULL;
	if (!ix)
		return false;
	AUTO(OCSP_REQUEST) *req = OCSP_REQUEST_new();
	AUTO(OCSP_CERTID) *id = OCSP_cert_to_id(EVP_sha1(), x, ix);
	AUTO_OCTETS *p = NULL;
	if (!req || !id || !OCSP_request_add0_id(req, id))
		return ossl_err(err, ERR_PKI_OCSP, "making a request");
	(void)KEEP(id); /* req owns it now */
	int n = i2d_OCSP_REQUEST(req, &p);
	if (n <= 0)
		return ossl_err(err, ERR_PKI_OCSP, "making a request");
	*der = (struct span){
		(const uint8_t *)mem_cstr(span_of(p, (size_t)n)), (size_t)n};
	return true;
}

/* Everything but letters and digits is escaped: RFC 6960 A.1 asks for +, / and =. */
static void
put_escaped(struct text *t, struct span base64)
{
	for (size_t i = 0; i < base64.n; i++) {
		uint8_t c = base64.p[i];
		bool plain = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		bool digit = c >= '0' && c <= '9';
		text_add(t, plain || digit ? "%c" : "%%%02X", c);
	}
}

bool
revoke_ocsp_url(struct span responder, struct span der, struct text *t)
{
	char base64[REVOKE_GET_MOST * 4 / 3 + 8];
	struct text b = text_to(base64, sizeof base64);

	/* To an address that is a question already nothing can be added. */
	if (der.n > REVOKE_GET_MOST || span_chr(responder, '?') < responder.n)
		return false;
	text_put_base64(&b, der);
	bool slash = responder.n > 0 && responder.p[responder.n - 1] == '/';
	text_add(t, "%.*s%s", SPAN_ARG(responder), slash ? "" : "/");
	put_escaped(t, text_span(&b));
	return !b.cut && !t->cut;
}
