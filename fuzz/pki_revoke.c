// SPDX-License-Identifier: Apache-2.0
/* Revocation lists and OCSP answers from anybody. The first octet chooses which. */
#include "base/must.h"
#include "pki/chain.h"
#include "pki/revoke.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* Some certificate to ask about; its own issuer, so that every step is reached. */
static const char pem[] =
	"-----BEGIN CERTIFICATE-----\n"
	"MIIBjzCCATWgAwIBAgIULynTnRkEyQdTxY6YtL5u47J1aHMwCgYIKoZIzj0EAwIw\n"
	"GjEYMBYGA1UEAwwPeDUwOS1saW1iby1yb290MCAXDTcwMDEwMTAwMDAwMVoYDzI5\n"
	"NjkwNTAzMDAwMDAxWjAaMRgwFgYDVQQDDA94NTA5LWxpbWJvLXJvb3QwWTATBgcq\n"
	"hkjOPQIBBggqhkjOPQMBBwNCAAS3VXKgkzZguQjksN8curC72qSCFg6Zx2vsShnc\n"
	"+diRzKDKyhwlPUmy6Z0GYJTDTl65IdA32VqGZl5haKjHJ0fZo1cwVTAPBgNVHRMB\n"
	"Af8EBTADAQH/MAsGA1UdDwQEAwIBBjAWBgNVHREEDzANggtleGFtcGxlLmNvbTAd\n"
	"BgNVHQ4EFgQUoLQIeAgfjeluXvayKmMxadUm7eYwCgYIKoZIzj0EAwIDSAAwRQIg\n"
	"B1MeplOybCtLVfnEMpKoQuiRsha/qSW0d/7agm7qdHACIQDeFm/4C+VirlGdM0+M\n"
	"QGXpBdzDJ768FsL9qMQpatGC8w==\n"
	"-----END CERTIFICATE-----\n";

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct cert *c;
	struct err err = {0};

	if (!c)
		c = cert_from_text(span_str(pem), &err);
	must(c);
	if (n == 0)
		return 0;
	struct revoke *r = revoke_new(1024 * 1024);
	struct span rest = {p + 1, n - 1};
	if (p[0] & 1)
		(void)revoke_add_ocsp(r, rest, c, c, &err);
	else if (!revoke_add_crl(r, rest, &err))
		must(err.code == ERR_PKI_CRL);
	must(revoke_ask(r, c, c, 1700000000) <= REVOKE_REVOKED);
	revoke_free(r);
	return 0;
}
