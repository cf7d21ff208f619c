// SPDX-License-Identifier: Apache-2.0
/*
 * engine: see engine.h. OpenSSL is asked to go on whenever something may have changed;
 * it says itself what it lacks, and that is the state. Nothing here remembers what woke
 * it.
 */
#include "tls/engine.h"

#include <openssl/err.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "pki/identity.h"
#include "tls/engine_priv.h"
#include "tls/profile_priv.h"
#include "tls/remote_priv.h"
#include "tls/resume_priv.h"

enum {
	RECORD_MAX = 16384,
	/* What a record adds to its plaintext, in the worst suite, and then some. */
	RECORD_EXTRA = 128,
	/* The first records after a pause fit a segment each, so that the peer can use
	 * the first before the last has come; ten of them are a fresh TCP window. */
	RECORD_FIRST = 1400,
	BURST_SMALL = 10 * RECORD_FIRST,
	PAUSE_MS = 1000,
	UNWIND_MAX = 16, /* pauses a refused handshake may still make */
	HOST_TEXT = 256,
};

/* ---- failing ---- */

/* What the peer said goes before what we think of it. */
static void
describe(const struct tls *t, struct err *why)
{
	bool open = t->state == TLS_OPEN || t->state == TLS_ENDED;

	if (t->refused == ERR_TLS_REMOTE) {
		err_set(why, t->refused, "the signature was refused or late");
	} else if (t->refused != ERR_NONE) {
		err_set(why, t->refused, "the signature does not verify");
	} else if (t->alert_received > 0) {
		err_set(why, ERR_TLS_ALERT, "the peer sent %s (%d)%s",
			tls_alert_name(t->alert_received), t->alert_received,
			open ? "" : " in the handshake");
	} else if (t->wire.ended && buf_empty(t->wire.in)) {
		err_set(why, ERR_TLS_TRUNCATED, "the stream ended %s",
			open ? "without close_notify" : "in the handshake");
	} else {
		ossl_err(why, open ? ERR_TLS_RECORD : ERR_TLS_HANDSHAKE, "%s",
			t->alert_sent > 0 ? tls_alert_name(t->alert_sent)
					  : "TLS cannot go on");
	}
}

static enum tls_state
fail(struct tls *t)
{
	if (!t->why)
		t->why = mem_alloc(sizeof(*t->why));
	describe(t, t->why);
	ossl_forget();
	t->state = TLS_FAILED;
	return t->state;
}

/* ---- callbacks of OpenSSL; some run on a fibre's small stack ---- */

struct tls *
engine_of(const SSL *ssl)
{
	return SSL_get_app_data(ssl);
}

static void
note_alert(const SSL *ssl, int where, int value)
{
	struct tls *t = engine_of(ssl);

	if (!(where & SSL_CB_ALERT) || !t)
		return;
	/* OpenSSL answers a stream that just ends with decode_error: to nobody, and it
	 * is no finding of ours. */
	bool to_nobody = t->wire.ended && buf_empty(t->wire.in);
	if (where & SSL_CB_READ) {
		t->alert_received = value & 0xff;
	} else if (!to_nobody) {
		t->alert_sent = value & 0xff;
	}
}

/* The one protocol we were told, if the client offers it. */
// NOLINTBEGIN(readability-function-size): OpenSSL's signature
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned in_n, void *unused)
{
	const struct tls *t = engine_of(ssl);
	const unsigned char *at = in;
	const unsigned char *end = in + in_n;

	(void)unused;
	while (at < end && t->alpn.n > 0) {
		struct span name =
			span_of(at + 1, at[0]); /* OpenSSL checked the list */
		if (span_eq(name, t->alpn)) {
			*out = at + 1;
			*out_n = at[0];
			return SSL_TLSEXT_ERR_OK;
		}
		at += 1 + at[0];
	}
	return SSL_TLSEXT_ERR_NOACK;
}
// NOLINTEND(readability-function-size)

static int
give_staple(SSL *ssl, void *unused)
{
	const struct tls *t = engine_of(ssl);

	(void)unused;
	if (t->staple.n == 0)
		return SSL_TLSEXT_ERR_NOACK;
	uint8_t *copy = OPENSSL_memdup(t->staple.p, t->staple.n);
	if (!copy || !SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)t->staple.n)) {
		OPENSSL_free(copy);
		return SSL_TLSEXT_ERR_NOACK;
	}
	return SSL_TLSEXT_ERR_OK;
}

/* A session that can be resumed has come; the newest is the best. */
static int
keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct tls *t = engine_of(ssl);

	SSL_SESSION_free(t->session);
	t->session = session;
	return 1; /* the reference is ours now */
}

static int
wait_for_identity(SSL *ssl, void *unused)
{
	(void)unused;
	return engine_of(ssl)->presented ? 1 : -1;
}

/* A fibre is about to pause for a signature. */
static int
take_ask(SSL *ssl, void *unused)
{
	struct tls *t = engine_of(ssl);

	(void)unused;
	t->ask = remote_asking();
	t->owner->asked(t->owner, t->ask);
	if (remote_is_answered(t->ask)) { /* at once: no pause, and the ask goes */
		t->refused = remote_outcome(t->ask);
		t->ask = NULL;
	}
	return 1;
}

void
engine_prepare(SSL_CTX *ctx)
{
	SSL_CTX_set_info_callback(ctx, note_alert);
}

void
engine_prepare_server(SSL_CTX *ctx)
{
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	SSL_CTX_set_tlsext_status_cb(ctx, give_staple);
}

// NOLINTBEGIN(readability-function-size,readability-non-const-parameter): OpenSSL's
static int
ask_scts(SSL *ssl, unsigned type, unsigned where, const unsigned char **out,
	size_t *out_n, X509 *leaf, size_t depth, int *alert, void *unused)
{
	(void)type;
	(void)where;
	(void)leaf;
	(void)depth;
	(void)alert;
	(void)unused;
	*out = NULL;
	*out_n = 0;
	return engine_of(ssl)->wants_scts ? 1 : 0;
}
// NOLINTEND(readability-function-size,readability-non-const-parameter)

/* In TLS 1.3 each certificate may have some; the leaf's are wanted. */
// NOLINTBEGIN(readability-function-size,readability-non-const-parameter): OpenSSL's
static int
take_scts(SSL *ssl, unsigned type, unsigned where, const unsigned char *in, size_t in_n,
	X509 *leaf, size_t depth, int *alert, void *unused)
{
	struct tls *t = engine_of(ssl);

	(void)type;
	(void)where;
	(void)leaf;
	(void)alert;
	(void)unused;
	if (depth == 0 && t->scts.n == 0 && in_n > 0) {
		t->scts = (struct span){
			(const uint8_t *)mem_cstr(span_of(in, in_n)), in_n};
	}
	return 1;
}
// NOLINTEND(readability-function-size,readability-non-const-parameter)

bool
engine_prepare_client(SSL_CTX *ctx)
{
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	return SSL_CTX_add_custom_ext(ctx, TLSEXT_TYPE_signed_certificate_timestamp,
		       SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
			       SSL_EXT_TLS1_3_CERTIFICATE,
		       ask_scts, NULL, NULL, take_scts, NULL) == 1;
}

/* ---- beginning ---- */

static bool
begin(struct tls *t, struct err *err)
{
	t->ssl = SSL_new(t->profile->ctx);
	BIO *bio = t->ssl ? bio_new(t->profile->wire, &t->wire) : NULL;

	if (!bio || SSL_set_app_data(t->ssl, t) != 1) {
		BIO_free(bio);
		return ossl_err(err, ERR_TLS_HANDSHAKE, "no SSL");
	}
	SSL_set_bio(t->ssl, bio, bio); /* owns it */
	return true;
}

static struct tls *
engine_new(struct profile *p, struct buf *in, struct buf *out)
{
	struct tls *t = mem_alloc(sizeof(*t));

	*t = (struct tls){
		.profile = profile_get(p),
		.wire = {.in = in, .out = out},
		.alert_sent = TLS_NO_ALERT,
		.alert_received = TLS_NO_ALERT,
	};
	return t;
}

/* What comes with a key that may be elsewhere. */
static bool
use_key(struct tls *t, const struct identity *id, struct err *err)
{
	t->presented = true;
	if (!remote_is(id->key))
		return true;
	if (!t->owner)
		return err_set(err, ERR_TLS_IDENTITY, "nobody to ask for signatures");
	SSL_set_mode(t->ssl, SSL_MODE_ASYNC);
	if (SSL_set_async_callback(t->ssl, take_ask) != 1)
		return ossl_err(err, ERR_TLS_IDENTITY, "asynchronous keys");
	return true;
}

static bool
use_identity(struct tls *t, const struct identity *id, struct err *err)
{
	if (SSL_use_cert_and_key(t->ssl, id->leaf, id->key, id->rest, 1) != 1)
		return ossl_err(err, ERR_TLS_IDENTITY, "certificate and key");
	return use_key(t, id, err);
}

static bool
name_peer(struct tls *t, const struct tls_client_spec *spec, struct err *err)
{
	char host[HOST_TEXT];

	if (spec->host.n > 0) {
		if (!span_copy(host, sizeof(host), spec->host)) {
			return err_set(err, ERR_TLS_HANDSHAKE,
				"server name of %zu octets", spec->host.n);
		}
		if (SSL_set_tlsext_host_name(t->ssl, host) != 1)
			return ossl_err(err, ERR_TLS_HANDSHAKE, "server name");
	}
	/* This function alone returns 0 for success. */
	if (spec->alpn.n > 0 &&
		SSL_set_alpn_protos(t->ssl, spec->alpn.p, (unsigned)spec->alpn.n) != 0)
		return ossl_err(err, ERR_TLS_HANDSHAKE, "ALPN list");
	return true;
}

static bool
begin_client(struct tls *t, const struct tls_client_spec *spec, struct err *err)
{
	if (!begin(t, err) || !name_peer(t, spec, err))
		return false;
	t->owner = spec->owner;
	if (spec->identity && !use_identity(t, spec->identity, err))
		return false;
	t->wants_scts = spec->scts;
	SSL_set_tlsext_status_type(t->ssl, TLSEXT_STATUSTYPE_ocsp);
	SSL_set_connect_state(t->ssl);
	if (spec->session && SSL_set_session(t->ssl, spec->session->ssl) != 1)
		ossl_forget(); /* it does not fit any more: a full handshake then */
	return true;
}

struct tls *
tls_client_new(const struct tls_client_spec *spec, struct err *err)
{
	struct tls *t = engine_new(spec->profile, spec->wire_in, spec->wire_out);

	must(t->profile->spec.role == PROFILE_CLIENT);
	if (begin_client(t, spec, err))
		return t;
	tls_free(t);
	return NULL;
}

/* The session has been made by now, and its ticket has not. */
static int
set_session_time(SSL *ssl, void *unused)
{
	SSL_SESSION *session = SSL_get_session(ssl);

	uint32_t session_s = engine_of(ssl)->session_s;

	(void)unused;
	if (!session)
		return 1;
	if (session_s != TLS_NO_SESSION) {
		SSL_SESSION_set_timeout(session, (long)session_s);
		return 1;
	}
	/* What has no id goes into no cache (RFC 5246 §7.4.1.3). */
	return SSL_SESSION_set1_id(session, (const unsigned char *)"", 0);
}

static void
limit_session(struct tls *t, uint32_t session_s)
{
	t->session_s = session_s;
	if (session_s == TLS_NO_SESSION) {
		SSL_set_options(t->ssl, SSL_OP_NO_TICKET);
		(void)SSL_set_num_tickets(t->ssl, 0);
	}
	if (session_s > 0)
		SSL_set_cert_cb(t->ssl, set_session_time, NULL);
}

/* Sessions stay with the first context, so that all of a profile share them. */
static bool
dress_up(struct tls *t, const struct tls_server_spec *spec, struct err *err)
{
	SSL_CTX *ctx = spec->second ? NULL : dress_for(t->profile, spec->identity);

	if (!ctx)
		return tls_present(t, spec->identity, spec->second, err);
	if (SSL_set_SSL_CTX(t->ssl, ctx) != ctx)
		return ossl_err(err, ERR_TLS_IDENTITY, "certificate and key");
	return use_key(t, spec->identity, err);
}

static bool
begin_server(struct tls *t, const struct tls_server_spec *spec, struct err *err)
{
	if (!begin(t, err))
		return false;
	t->owner = spec->owner;
	t->judge = spec->judge;
	t->alpn = spec->alpn;
	t->staple = spec->staple;
	if (spec->binding &&
		SSL_set_session_id_context(t->ssl, spec->binding, PROFILE_POLICY) != 1)
		return ossl_err(err, ERR_TLS_HANDSHAKE, "session binding");
	if (!spec->identity) {
		SSL_set_cert_cb(t->ssl, wait_for_identity, NULL);
	} else if (!dress_up(t, spec, err)) {
		return false;
	}
	if (spec->identity)
		limit_session(t, spec->session_s);
	if (spec->early_most > 0)
		early_begin(t, spec->early_most, spec->once);
	SSL_set_accept_state(t->ssl);
	return true;
}

struct tls *
tls_server_new(const struct tls_server_spec *spec, struct err *err)
{
	struct tls *t = engine_new(spec->profile, spec->wire_in, spec->wire_out);

	must(t->profile->spec.role == PROFILE_SERVER);
	if (begin_server(t, spec, err))
		return t;
	tls_free(t);
	return NULL;
}

bool
tls_present(struct tls *t, struct identity *identity, struct identity *second,
	struct err *err)
{
	return use_identity(t, identity, err) &&
		(!second || use_identity(t, second, err));
}

/* ---- the handshake ---- */

static enum tls_state
opened(struct tls *t)
{
	/* Else every read and write would enter a fibre: 1,061 instructions a call. */
	SSL_clear_mode(t->ssl, SSL_MODE_ASYNC);
	/* OpenSSL tells of new sessions, but not of a TLS 1.2 one that was renewed by
	 * its resumption, whose predecessor it marks as spent. */
	if (t->profile->spec.role == PROFILE_CLIENT && !t->session &&
		SSL_session_reused(t->ssl) && SSL_version(t->ssl) < TLS1_3_VERSION)
		t->session = SSL_get1_session(t->ssl);
	t->state =
		t->profile->spec.role == PROFILE_CLIENT ? TLS_WANTS_VERDICT : TLS_OPEN;
	return t->state;
}

static enum tls_state
shake(struct tls *t)
{
	if (t->ask)
		t->refused = remote_outcome(t->ask);
	t->ask = NULL;
	ossl_forget();
	int r = early_shake(t);
	if (r == 1)
		return opened(t);
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		t->state = TLS_SHAKING;
		return t->state;
	case SSL_ERROR_WANT_X509_LOOKUP:
		t->state = TLS_WANTS_IDENTITY;
		return t->state;
	case SSL_ERROR_WANT_ASYNC:
		t->state = TLS_WANTS_SIGNATURE;
		return t->state;
	case SSL_ERROR_WANT_ASYNC_JOB: /* no fibre left: too many wait already */
		t->refused = ERR_TLS_REMOTE;
		return fail(t);
	default: /* an error, or the end of the stream */
		return fail(t);
	}
}

enum tls_state
tls_advance(struct tls *t, struct err *err)
{
	switch (t->state) {
	case TLS_SHAKING:
	case TLS_WANTS_IDENTITY:
		shake(t);
		break;
	case TLS_WANTS_SIGNATURE:
		/* Entering the fibre without an answer would only pause it again. */
		if (remote_is_answered(t->ask))
			shake(t);
		break;
	case TLS_WANTS_VERDICT:
	case TLS_OPEN:
	case TLS_ENDED:
	case TLS_FAILED:
		break;
	}
	if (t->state == TLS_FAILED)
		*err = *t->why;
	return t->state;
}

enum tls_state
tls_state(const struct tls *t)
{
	return t->state;
}

void
tls_accept(struct tls *t)
{
	must(t->state == TLS_WANTS_VERDICT);
	t->accepted = true;
	t->state = TLS_OPEN;
}

/* ---- plaintext ---- */

/* Why OpenSSL did not read or write; a want is no news. */
static void
look_at_error(struct tls *t, int r)
{
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	case SSL_ERROR_ZERO_RETURN:
		t->state = TLS_ENDED;
		break;
	default: /* whatever else there may be, it cannot go on */
		fail(t);
		break;
	}
}

/* A small message needs a small block: what has come bounds what can come out. */
static size_t
read_size(const struct tls *t)
{
	size_t wire = buf_len(t->wire.in);
	size_t inside = (size_t)SSL_pending(t->ssl); /* never negative */
	size_t n = wire > inside ? wire : inside;

	return n < RECORD_MAX ? n : RECORD_MAX;
}

size_t
tls_read(struct tls *t, struct buf *plain)
{
	size_t all = buf_move(plain, &t->early_in, buf_room(plain));

	while (t->state == TLS_OPEN && !buf_full(plain)) {
		size_t n = 0;
		size_t space = 0;
		size_t want = read_size(t);
		if (want == 0 && !t->wire.ended)
			break;
		uint8_t *dst = buf_space(plain, want > 0 ? want : 1, &space);
		ossl_forget();
		int r = early_read(t, dst, space, &n);
		if (r != 1) {
			look_at_error(t, r);
			break;
		}
		buf_added(plain, n);
		all += n;
	}
	/* Room that nothing came into, such as for a ticket, is not kept by an idle
	 * connection. */
	if (buf_empty(plain))
		buf_fini(plain);
	return all;
}

/* How much goes into the next record; 0 when it has to wait for room. */
static size_t
record_size(const struct tls *t, size_t have)
{
	size_t most = t->burst < BURST_SMALL ? RECORD_FIRST : RECORD_MAX;
	size_t room = buf_room(t->wire.out);

	if (t->retry > 0)
		return t->retry; /* OpenSSL insists on the same octets */
	if (room <= RECORD_EXTRA)
		return buf_empty(t->wire.out) && have > 0 ? 1 : 0;
	if (most > room - RECORD_EXTRA)
		most = room - RECORD_EXTRA;
	return have < most ? have : most;
}

size_t
tls_write(struct tls *t, struct buf *plain)
{
	uint64_t now = clock_now();
	size_t all = 0;

	if (now - t->written_ms > PAUSE_MS)
		t->burst = 0;
	while ((t->state == TLS_OPEN || t->state == TLS_ENDED) && !t->told_end) {
		size_t done = 0;
		size_t n = record_size(t, buf_len(plain));
		if (n == 0)
			break;
		ossl_forget();
		int r = early_write(t, span_first(buf_peek(plain), n), &done);
		t->retry = r == 1 ? 0 : n;
		if (r != 1) {
			look_at_error(t, r);
			break;
		}
		buf_drop(plain, done);
		t->burst += done;
		t->written_ms = now;
		all += done;
	}
	return all;
}

bool
tls_has_more(const struct tls *t)
{
	return t->state == TLS_OPEN &&
		(SSL_pending(t->ssl) > 0 || !buf_empty(&t->early_in));
}

/* ---- ending ---- */

bool
tls_end(struct tls *t)
{
	if (tls_is_early(t) && !t->wire.ended)
		return false; /* nothing can follow it before the handshake is over */
	if (t->told_end || t->state == TLS_FAILED || !SSL_is_init_finished(t->ssl))
		return true; /* nothing to say, or nothing left to say it with */
	if (t->retry > 0)
		return false;
	ossl_forget();
	t->told_end = SSL_shutdown(t->ssl) >= 0; /* 0: said; 1: both have */
	ossl_forget();
	return t->told_end;
}

void
tls_wire_ended(struct tls *t)
{
	t->wire.ended = true;
}

/* A paused fibre owns memory that only running it to its end gives back. */
static void
unwind(struct tls *t)
{
	for (int i = 0; i < UNWIND_MAX && t->ask; i++) {
		remote_refuse(t->ask);
		t->ask = NULL;
		(void)SSL_do_handshake(t->ssl); /* may pause again, with a new ask */
	}
	must(!t->ask); /* a handshake signs once, and fails when refused */
}

void
tls_free(struct tls *t)
{
	if (!t)
		return;
	if (t->ask) {
		t->owner = &remote_nobody;
		unwind(t);
	}
	/* Without this OpenSSL takes the session for a broken one, and marks it as not
	 * to be resumed; a transport that ends early does not make it so (RFC 5246
	 * §7.2.1). */
	if (t->ssl && t->state != TLS_FAILED)
		SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	peer_free(t);
	SSL_free(t->ssl);
	SSL_SESSION_free(t->session);
	buf_fini(&t->early_in);
	profile_put(t->profile);
	mem_free((void *)(uintptr_t)t->scts.p);
	mem_free(t->why);
	ossl_forget();
	mem_free(t);
}
