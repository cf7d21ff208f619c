// SPDX-License-Identifier: Apache-2.0
#include "pki/resign.h"

#include "base/mem.h"
#include "base/read.h"

enum {
	TAG_SEQUENCE = 0x30,
	TAG_BIT_STRING = 0x03,
	SIGNATURE_MOST = 1024,
	MOST = 0xffffff
};

/* The next element with its header (X.690 §8.1). */
static struct span
read_element(struct read *r, uint32_t tag)
{
	struct span from = r->left;
	uint32_t got = read_be(r, 1);
	uint32_t n = read_be(r, 1);

	if (n >= 0x81 && n <= 0x83) {
		n = read_be(r, n - 0x80);
	} else if (n > 0x7f) {
		r->bad = true;
	}
	(void)read_bytes(r, n);
	if (r->bad || got != tag) {
		r->bad = true;
		return (struct span){0};
	}
	return span_first(from, from.n - r->left.n);
}

bool
resign_split(struct span der, struct resign *out, struct err *err)
{
	struct read outer = read_from(der);
	struct span whole = read_element(&outer, TAG_SEQUENCE);
	struct resign r = {0};

	if (!read_done(&outer) || whole.n == 0)
		return err_set(err, ERR_PKI_MINT, "no certificate to be signed");
	/* Its header has one octet, the length's first, and what that one announces. */
	size_t head = whole.p[1] < 0x80 ? 2 : 2U + (whole.p[1] & 0x7fU);
	struct read inner = read_from(span_from(whole, head));
	r.tbs = read_element(&inner, TAG_SEQUENCE);
	r.algorithm = read_element(&inner, TAG_SEQUENCE);
	(void)read_element(&inner, TAG_BIT_STRING);
	if (!read_done(&inner)) {
		return err_set(
			err, ERR_PKI_MINT, "a certificate of a form that is not ours");
	}
	*out = r;
	return true;
}

/* As it says itself; what nothing of ours writes is taken for SHA-256, and then the
 * signature does not verify. */
static enum key_hash
hash_of(const struct resign *r)
{
	const unsigned char *p = r->algorithm.p;
	X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &p, (long)r->algorithm.n);
	const ASN1_OBJECT *name = NULL;
	int hash = NID_undef;

	if (algorithm)
		X509_ALGOR_get0(&name, NULL, NULL, algorithm);
	if (name)
		(void)OBJ_find_sigid_algs(OBJ_obj2nid(name), &hash, NULL);
	X509_ALGOR_free(algorithm);
	if (hash == NID_sha384)
		return KEY_SHA384;
	return hash == NID_sha512 ? KEY_SHA512 : KEY_SHA256;
}

struct key_job
resign_job(const struct resign *r, const EVP_PKEY *issuer,
	uint8_t digest[SIGNER_DIGEST_MAX])
{
	struct key_job job = {.hash = hash_of(r), .padding = KEY_PKCS1};

	if (EVP_PKEY_is_a(issuer, "ED25519"))
		return (struct key_job){.hash = KEY_HASH_NONE, .input = r->tbs};
	job.input = span_of(digest, signer_digest(job.hash, r->tbs, digest));
	return job;
}

static size_t
head_size(size_t n)
{
	if (n > 0xffff)
		return 5;
	if (n > 0xff)
		return 4;
	return n > 0x7f ? 3 : 2;
}

static void
write_head(struct write *w, uint32_t tag, size_t n)
{
	size_t octets = head_size(n) - 2; /* of a length in the long form */

	write_be(w, tag, 1);
	if (octets > 0)
		write_be(w, 0x80 + (uint32_t)octets, 1);
	write_be(w, (uint32_t)n, octets ? octets : 1); /* resign_join() bounds it */
}

bool
resign_join(const struct resign *r, EVP_PKEY *issuer, struct span signature,
	struct span *der, struct err *err)
{
	uint8_t digest[SIGNER_DIGEST_MAX];
	struct key_job job = resign_job(r, issuer, digest);
	size_t bits = signature.n + 1; /* an octet for "no unused bits" */

	if (signature.n > SIGNATURE_MOST || !signer_check(issuer, &job, signature)) {
		return err_set(err, ERR_TLS_REMOTE_LIED,
			"what came is no signature of the authority's key");
	}
	size_t body = r->tbs.n + r->algorithm.n + head_size(bits) + bits;
	if (body > MOST)
		return err_set(err, ERR_PKI_MINT, "%zu octets are too many", body);
	size_t size = head_size(body) + body;
	uint8_t *p = mem_alloc(size);
	struct write w = write_to(p, size);
	write_head(&w, TAG_SEQUENCE, body);
	write_span(&w, r->tbs);
	write_span(&w, r->algorithm);
	write_head(&w, TAG_BIT_STRING, bits);
	write_be(&w, 0, 1);
	write_span(&w, signature);
	*der = write_done(&w);
	return true;
}
