// SPDX-License-Identifier: Apache-2.0
/*
 * ossl: OpenSSL's objects with owners, and its errors as ours.
 *
 *	AUTO(X509) *crt = X509_new();     freed when the scope ends
 *	return KEEP(crt);                 … unless handed on
 *
 * To use a new type with AUTO, add a row to OSSL_TYPES. Only pki/ and tls/ include
 * this.
 */
#pragma once

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/pkcs12.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/err.h"

#define AUTO(T) CLEANUP(auto_free_##T) T

/* Takes the pointer out of its owner, which forgets it. */
#define KEEP(p)                               \
	(__extension__({                      \
		__typeof__(p) kept_##p = (p); \
		(p) = NULL;                   \
		kept_##p;                     \
	}))

// clang-format off
#define OSSL_TYPES(X)                                                                       \
	X(ASN1_BIT_STRING, ASN1_BIT_STRING_free) X(ASN1_IA5STRING, ASN1_IA5STRING_free)     \
	X(ASN1_INTEGER, ASN1_INTEGER_free)       X(ASN1_OBJECT, ASN1_OBJECT_free)           \
	X(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free) X(ASN1_TIME, ASN1_TIME_free)           \
	X(ASN1_STRING, ASN1_STRING_free)         X(AUTHORITY_KEYID, AUTHORITY_KEYID_free) X(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free) \
	X(BIGNUM, BN_free)                       X(BIO, BIO_free_all)                       \
	X(CRL_DIST_POINTS, CRL_DIST_POINTS_free) X(DIST_POINT, DIST_POINT_free)             \
	X(EVP_MD_CTX, EVP_MD_CTX_free)           X(EVP_PKEY, EVP_PKEY_free)                 \
	X(EVP_PKEY_CTX, EVP_PKEY_CTX_free)       X(GENERAL_NAME, GENERAL_NAME_free)         \
	X(GENERAL_NAMES, GENERAL_NAMES_free)     X(GENERAL_SUBTREE, GENERAL_SUBTREE_free)   \
	X(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free) X(OCSP_BASICRESP, OCSP_BASICRESP_free)   \
	X(OCSP_CERTID, OCSP_CERTID_free)         X(OCSP_REQUEST, OCSP_REQUEST_free)         \
	X(OCSP_RESPONSE, OCSP_RESPONSE_free)     X(PKCS12, PKCS12_free)                     \
	X(PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free) X(SSL, SSL_free)                   \
	X(SSL_CTX, SSL_CTX_free)                 X(SSL_SESSION, SSL_SESSION_free)           \
	X(X509, X509_free)                       X(X509_CRL, X509_CRL_free)                 \
	X(X509_EXTENSION, X509_EXTENSION_free)   X(X509_NAME, X509_NAME_free)               \
	X(X509_REQ, X509_REQ_free)               X(X509_REVOKED, X509_REVOKED_free)         \
	X(X509_STORE, X509_STORE_free)           X(X509_STORE_CTX, X509_STORE_CTX_free)
// clang-format on

#define OSSL_CLEANUP(T, free_it)                    \
	static inline void auto_free_##T(T **owner) \
	{                                           \
		free_it(*owner);                    \
	}
OSSL_TYPES(OSSL_CLEANUP)
#undef OSSL_CLEANUP

static inline UNUSED void
auto_free_certs(STACK_OF(X509) * *owner)
{
	sk_X509_pop_free(*owner, X509_free);
}

static inline UNUSED void
auto_free_octets(uint8_t **owner)
{
	OPENSSL_free(*owner);
}

/* AUTO_CERTS *rest: a list with its members. AUTO_OCTETS *der: from i2d_…(x, &der). */
#define AUTO_CERTS  CLEANUP(auto_free_certs) STACK_OF(X509)
#define AUTO_OCTETS CLEANUP(auto_free_octets) uint8_t

/* Empties OpenSSL's queue, which mostly is empty: to look costs a fifth. */
static inline UNUSED void
ossl_forget(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

/*
 * For PEM that is no key: nobody is asked. Without it OpenSSL asks the terminal for the
 * passphrase of whatever says that it is encrypted, and waits, whoever sent it.
 */
int ossl_no_passphrase(char *dst, int cap, int writing, void *arg);

/*
 * As err_set(), with the reason on OpenSSL's queue behind the text; the queue is empty
 * afterwards. Returns false.
 */
bool ossl_err(struct err *err, enum err_code code, const char *fmt, ...) PRINTF(3, 4);
