// SPDX-License-Identifier: Apache-2.0
#include "tls/profile_priv.h"

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/chain.h"
#include "tls/bio_priv.h"
#include "tls/engine_priv.h"
#include "tls/resume_priv.h"
#include "tls/slim_priv.h"

/* RFC 8879 came with OpenSSL 3.2: a small message that unpacks to a large one, for
 * which nobody here has a use. */
#ifdef SSL_OP_NO_RX_CERTIFICATE_COMPRESSION
#define NO_PACKED_CERTIFICATES \
	(SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION)
#else
#define NO_PACKED_CERTIFICATES 0
#endif

enum { CIPHERS_MAX = 1024, SESSION_IDS = 512 };

/*
 * AES-128 first: as safe for a session, and its key schedule runs on SHA-256, which the
 * processor has instructions for. A mobile client that puts ChaCha first gets it.
 */
static const char *const our_suites =
	"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char *const our_ciphers =
	"ECDHE+AESGCM+AES128:ECDHE+AESGCM+AES256:ECDHE+CHACHA20";
static const char *const cbc_ciphers = ":ECDHE+AES:!AESCCM";
static const char *const rsa_ciphers = ":kRSA+AESGCM";
static const char *const rsa_cbc_ciphers = ":kRSA+AES:!AESCCM";
static const char *const old_ciphers = ":ECDHE+AES:DHE+AES:kRSA+AES:!AESCCM";

/* OpenSSL takes the alert from its own code for what is wrong. */
static int
fault_of(uint8_t alert)
{
	switch (alert) {
	case TLS_ALERT_UNSUPPORTED_CERTIFICATE:
		return X509_V_ERR_INVALID_PURPOSE;
	case TLS_ALERT_CERTIFICATE_REVOKED:
		return X509_V_ERR_CERT_REVOKED;
	case TLS_ALERT_CERTIFICATE_EXPIRED:
		return X509_V_ERR_CERT_HAS_EXPIRED;
	case TLS_ALERT_UNKNOWN_CA:
		return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
	default: /* bad_certificate */
		return X509_V_ERR_CERT_REJECTED;
	}
}

/* What the client sent, leaf first, is kept and shown to the engine's judge, if it has
 * one: 0, or an alert. */
static uint8_t
take_chain(struct tls *t, X509_STORE_CTX *store)
{
	struct chain *chain = mem_alloc(sizeof(*chain));
	uint8_t alert = t->judge ? TLS_ALERT_BAD_CERTIFICATE : 0;
	struct err err = {0};

	if (chain_from_x509(chain, NULL, X509_STORE_CTX_get0_untrusted(store), &err)) {
		alert = t->judge ? t->judge->judged(t->judge, chain) : 0;
		peer_keep(t, chain);
	} else {
		mem_free(chain);
	}
	return alert;
}

/*
 * What OpenSSL thinks of a certificate decides nothing here: pki/trust has the last
 * word, after the handshake or, where there is a judge, in it. So no chain is built,
 * which would cost more than the handshake's own signature; that the peer holds the
 * leaf's key is checked by TLS all the same.
 */
static int
leave_to_trust(X509_STORE_CTX *store, void *unused)
{
	int index = SSL_get_ex_data_X509_STORE_CTX_idx();
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, index);
	struct tls *t = ssl && SSL_is_server(ssl) ? engine_of(ssl) : NULL;
	uint8_t alert = t ? take_chain(t, store) : 0;

	(void)unused;
	X509_STORE_CTX_set_error(store, alert ? fault_of(alert) : X509_V_OK);
	return alert == 0;
}

static bool
set_versions(SSL_CTX *ctx, const struct profile_spec *spec, struct err *err)
{
	int least = spec->insecure_old_versions ? TLS_1_0 : TLS_1_2;
	int min = spec->min_version ? spec->min_version : least;

	if (spec->level == PROFILE_MODERN && min < TLS_1_3)
		min = TLS_1_3;

	if (min < least || (spec->max_version && spec->max_version < min)) {
		return err_set(err, ERR_TLS_PROFILE, "versions from %04x to %04x",
			(unsigned)min, (unsigned)spec->max_version);
	}
	if (SSL_CTX_set_min_proto_version(ctx, min) != 1 ||
		SSL_CTX_set_max_proto_version(ctx, spec->max_version) != 1)
		return ossl_err(err, ERR_TLS_PROFILE, "versions");
	return true;
}

static bool
set_ciphers(SSL_CTX *ctx, const struct profile_spec *spec, struct err *err)
{
	char list[CIPHERS_MAX];
	struct text t = text_to(list, sizeof(list));

	text_add(&t, "%s", spec->ciphers ? spec->ciphers : our_ciphers);
	bool compat = spec->level == PROFILE_COMPAT;
	bool cbc = spec->insecure_cbc || compat;
	if (cbc)
		text_add(&t, "%s", cbc_ciphers);
	if (spec->insecure_rsa_key_exchange || compat)
		text_add(&t, "%s", cbc ? rsa_cbc_ciphers : rsa_ciphers);
	if (spec->insecure_old_versions)
		text_add(&t, "%s", old_ciphers);
	if (t.cut)
		return err_set(err, ERR_TLS_PROFILE, "the cipher list is too long");
	if (SSL_CTX_set_cipher_list(ctx, list) != 1)
		return ossl_err(err, ERR_TLS_PROFILE, "ciphers \"%s\"", list);
	const char *suites = spec->suites ? spec->suites : our_suites;
	if (SSL_CTX_set_ciphersuites(ctx, suites) != 1)
		return ossl_err(err, ERR_TLS_PROFILE, "suites \"%s\"", suites);
	return true;
}

static bool
set_common(SSL_CTX *ctx, const struct profile_spec *spec, struct err *err)
{
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_options(ctx,
		SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
			NO_PACKED_CERTIFICATES | SSL_OP_CIPHER_SERVER_PREFERENCE |
			SSL_OP_PRIORITIZE_CHACHA);
	/* The buffers of an idle connection go back: 34 KB of its 48. */
	SSL_CTX_set_mode(ctx,
		SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
			SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_cert_verify_callback(ctx, leave_to_trust, NULL);
	if (SSL_CTX_set_session_id_context(ctx, spec->policy, sizeof(spec->policy)) !=
		1)
		return ossl_err(err, ERR_TLS_PROFILE, "session id context");
	return true;
}

/* The names of authorities in the CertificateRequest, so that a browser offers only
 * what can be good. */
static bool
set_ca_names(SSL_CTX *ctx, const struct profile_spec *spec, struct err *err)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

	for (size_t i = 0; names && i < spec->n_ca_names; i++) {
		const uint8_t *p = spec->ca_names[i].p;
		X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)spec->ca_names[i].n);
		if (!name || sk_X509_NAME_push(names, name) <= 0) {
			X509_NAME_free(name);
			sk_X509_NAME_pop_free(names, X509_NAME_free);
			return ossl_err(
				err, ERR_TLS_PROFILE, "name of a client authority");
		}
	}
	SSL_CTX_set0_CA_list(ctx, names);
	return true;
}

static void
set_server(SSL_CTX *ctx, const struct profile_spec *spec)
{
	int verify = SSL_VERIFY_NONE;

	if (spec->client_cert != CLIENT_CERT_OFF)
		verify = SSL_VERIFY_PEER;
	if (spec->client_cert == CLIENT_CERT_REQUIRE)
		verify |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
	SSL_CTX_set_verify(ctx, verify, NULL);

	/* The client keeps the session, in its ticket. Only TLS 1.2 without tickets
	 * goes by an id, into what all workers share, or a small cache of this process.
	 */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (spec->tickets && spec->session_timeout_s > 0) {
		SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
		SSL_CTX_sess_set_cache_size(ctx, SESSION_IDS);
		if (spec->ids)
			ids_prepare(ctx);
		SSL_CTX_set_timeout(ctx, (long)spec->session_timeout_s);
		/* One ticket a handshake: without early data a client may use it again,
		 * and each costs an encryption and a record. */
		SSL_CTX_set_num_tickets(ctx, 1);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, tickets_key);
		if (spec->client_cert != CLIENT_CERT_OFF)
			peer_prepare(ctx);
	} else {
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_num_tickets(ctx, 0);
	}
	engine_prepare_server(ctx);
}

static bool
set_client(SSL_CTX *ctx, struct err *err)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
	/* Sessions come to the engine by callback and go to our own cache, which knows
	 * under what verdict they may be used. */
	SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	return engine_prepare_client(ctx) ||
		ossl_err(err, ERR_TLS_PROFILE, "timestamps of transparency logs");
}

static bool
fill(SSL_CTX *ctx, struct profile *p, struct err *err)
{
	const struct profile_spec *spec = &p->spec;

	SSL_CTX_set_app_data(ctx, p);
	if (!set_versions(ctx, spec, err) || !set_ciphers(ctx, spec, err) ||
		!set_common(ctx, spec, err))
		return false;
	if (spec->insecure_old_versions) /* their handshakes are signed with SHA-1 */
		SSL_CTX_set_security_level(ctx, 0);
	engine_prepare(ctx);
	if (spec->role == PROFILE_CLIENT)
		return set_client(ctx, err);
	set_server(ctx, spec);
	return true;
}

SSL_CTX *
profile_context(struct profile *p, struct err *err)
{
	/* Who reads certificates gains by the slim context; who only signs loses by it,
	 * since the key of an identity lives in the default one. */
	bool reads = p->spec.role == PROFILE_CLIENT ||
		p->spec.client_cert != CLIENT_CERT_OFF;
	AUTO(SSL_CTX) *ctx =
		SSL_CTX_new_ex(reads ? slim_context() : NULL, NULL, TLS_method());

	if (!ctx) {
		(void)ossl_err(err, ERR_TLS_PROFILE, "no SSL_CTX");
		return NULL;
	}
	return fill(ctx, p, err) ? KEEP(ctx) : NULL;
}

static const char *
own_text(const char *text)
{
	return text ? mem_cstr(span_str(text)) : NULL;
}

static bool
open_profile(struct profile *p, const struct profile_spec *spec, struct err *err)
{
	p->wire = bio_method_new();
	if (!p->wire)
		return ossl_err(err, ERR_TLS_PROFILE, "no BIO_METHOD");
	p->ctx = profile_context(p, err);
	return p->ctx && (spec->n_ca_names == 0 || set_ca_names(p->ctx, spec, err));
}

struct profile *
profile_new(const struct profile_spec *spec, struct err *err)
{
	struct profile *p = mem_alloc(sizeof(*p));

	*p = (struct profile){.refs = 1, .spec = *spec};
	p->spec.ciphers = own_text(spec->ciphers);
	p->spec.suites = own_text(spec->suites);
	p->spec.ca_names = NULL;
	p->spec.n_ca_names = 0;
	if (!open_profile(p, spec, err)) {
		profile_put(p);
		return NULL;
	}
	return p;
}

struct profile *
profile_get(struct profile *p)
{
	p->refs++;
	return p;
}

void
profile_put(struct profile *p)
{
	if (!p || --p->refs > 0)
		return;
	dress_free(p);
	SSL_CTX_free(p->ctx);
	BIO_meth_free(p->wire);
	mem_free((void *)(uintptr_t)p->spec.ciphers);
	mem_free((void *)(uintptr_t)p->spec.suites);
	mem_free(p);
}

/* Asked of the library, not of its headers: the one may be newer than the other. */
bool
profile_has_hybrid(void)
{
	EVP_KEYMGMT *group = EVP_KEYMGMT_fetch(NULL, "X25519MLKEM768", NULL);
	bool has = group != NULL;

	EVP_KEYMGMT_free(group);
	ERR_clear_error();
	return has;
}

enum profile_role
profile_role(const struct profile *p)
{
	return p->spec.role;
}

enum profile_client_cert
profile_client_cert(const struct profile *p)
{
	return p->spec.client_cert;
}

const uint8_t *
profile_policy(const struct profile *p)
{
	return p->spec.policy;
}

struct profile *
profile_of(const SSL_CTX *ctx)
{
	return SSL_CTX_get_app_data(ctx);
}
