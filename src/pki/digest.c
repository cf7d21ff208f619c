// SPDX-License-Identifier: Apache-2.0
#include "pki/digest.h"

#include <openssl/err.h>

#include "base/must.h"
#include "pki/ossl.h"

/* OpenSSL keeps its registries per process, and so these are. */
static struct worn {
	bool tried;
	bool busy;
	EVP_MD *md;      /* NULL: not to be had */
	EVP_MD_CTX *ctx; /* used again and again */
} worn[DIGESTS];

static const char *const names[DIGESTS] = {
	[DIGEST_MD5] = "MD5",
	[DIGEST_SHA1] = "SHA1",
	[DIGEST_SHA256] = "SHA256",
};

static struct worn *
find(enum digest kind)
{
	struct worn *d = &worn[kind];

	if (!d->tried) {
		d->tried = true;
		d->md = EVP_MD_fetch(NULL, names[kind], NULL);
		d->ctx = EVP_MD_CTX_new();
		ERR_clear_error();
	}
	return d;
}

bool
digest_begin(enum digest kind)
{
	struct worn *d = find(kind);

	must(!d->busy);
	d->busy = d->md && d->ctx && EVP_DigestInit_ex(d->ctx, d->md, NULL) == 1;
	return d->busy;
}

void
digest_add(enum digest kind, struct span s)
{
	must(worn[kind].busy);
	must(EVP_DigestUpdate(worn[kind].ctx, s.p, s.n) == 1); /* memory only */
}

size_t
digest_end(enum digest kind, uint8_t *out)
{
	unsigned n = 0;

	must(worn[kind].busy);
	worn[kind].busy = false;
	must(EVP_DigestFinal_ex(worn[kind].ctx, out, &n) == 1);
	return n;
}

void
digest_sha256(struct span s, uint8_t out[DIGEST_SHA256_SIZE])
{
	must(digest_begin(DIGEST_SHA256));
	digest_add(DIGEST_SHA256, s);
	(void)digest_end(DIGEST_SHA256, out);
}
