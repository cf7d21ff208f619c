// SPDX-License-Identifier: Apache-2.0
/*
 * hello: see hello.h. Two halves: joining records into one message (hello_peek), and
 * reading that message (hello_parse).
 */
#include "tls/hello.h"

#include <string.h>

#include "base/mem.h"
#include "base/read.h"

enum {
	RECORD_HEADER = 5,
	RECORD_HANDSHAKE = 22,
	RECORD_MAX = 16384, /* plaintext, RFC 8446 §5.1 */
	MESSAGE_HEADER = 4,
	MESSAGE_CLIENT_HELLO = 1,
	NAME_MAX_OCTETS = 253, /* RFC 1035 §2.3.4, as text without the closing dot */
	LABEL_MAX = 63,
};

enum { /* IANA TLS ExtensionType Values, those policy looks at */
	EXT_SERVER_NAME = 0,
	EXT_STATUS_REQUEST = 5,
	EXT_GROUPS = 10,
	EXT_POINTS = 11,
	EXT_SIGALGS = 13,
	EXT_ALPN = 16,
	EXT_DELEGATED = 34,
	EXT_TICKET = 35,
	EXT_PSK = 41,
	EXT_EARLY_DATA = 42,
	EXT_VERSIONS = 43,
	EXT_KEY_SHARE = 51,
	EXT_ECH = 0xfe0d,
};

enum { /* SignatureSchemes, groups, versions: RFC 8446 §4.2 */
	SIG_ECDSA_P256 = 0x0403,
	SIG_RSA_PSS_256 = 0x0804,
	SIG_RSA_PSS_512 = 0x0806,
	SIG_RSA_256 = 0x0401,
	SIG_RSA_384 = 0x0501,
	SIG_RSA_512 = 0x0601,
	GROUP_P256 = 23,
	VERSION_1_2 = 0x0303,
	VERSION_1_3 = 0x0304,
};

/* TLS 1.2 suites that OpenSSL's security level 2 leaves, by what signs. */
static const uint16_t suites_ecdsa[] = {
	0xc02b, 0xc02c, 0xcca9, 0xc0ac, 0xc0ad, 0xc023, 0xc024, 0xc009, 0xc00a};
static const uint16_t suites_rsa[] = {
	0xc02f, 0xc030, 0xcca8, 0xc027, 0xc028, 0xc013, 0xc014};

/* ---- reading the message ---- */

static bool
is_name_octet(uint8_t c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

/*
 * What a name must be so that no reader takes it for another: labels of letters,
 * digits,
 * '-' and '_' (which exists in the wild), no empty one, and so no closing dot either
 * (RFC 6066 §3). An IPv4 address as text has that form; it is let through as the name
 * it says it is, because some clients send it and none is harmed.
 */
static bool
is_host(struct span s)
{
	size_t label = 0;

	if (s.n == 0 || s.n > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		bool dot = s.p[i] == '.';
		if (dot ? label == 0 : !is_name_octet(s.p[i]))
			return false;
		label = dot ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

/* RFC 6066 §3: a list by grammar, yet one name per type, and only type 0 exists. */
static bool
read_server_name(struct read *ext, struct hello *h)
{
	struct read list = read_vec(ext, 2);
	uint32_t type = read_be(&list, 1);

	h->host = read_vec(&list, 2).left;
	h->has_sni = true;
	return type == 0 && is_host(h->host) && read_done(&list);
}

static bool
read_alpn(struct read *ext, struct hello *h)
{
	h->alpn = read_vec(ext, 2).left;

	struct read list = read_from(h->alpn);
	bool ok = h->alpn.n > 0;
	while (ok && read_more(&list))
		ok = read_vec(&list, 1).left.n > 0;
	return ok && read_done(&list);
}

/* A list of 2-octet values behind a length of `bytes`; never empty. */
static bool
read_pairs(struct read *ext, size_t bytes, struct span *out)
{
	*out = read_vec(ext, bytes).left;
	return out->n > 0 && out->n % 2 == 0;
}

static bool
read_key_shares(struct read *ext, struct hello *h)
{
	h->key_shares = read_vec(ext, 2).left; /* may be empty: asks for a retry */

	struct read list = read_from(h->key_shares);
	while (read_more(&list)) {
		read_bytes(&list, 2);
		if (read_vec(&list, 2).left.n == 0)
			return false;
	}
	return read_done(&list);
}

/* Extensions whose presence is all we look at: their bodies are the TLS engine's. */
static void
note_extension(uint32_t type, struct read *ext, struct hello *h)
{
	struct span body = read_bytes(ext, ext->left.n);

	h->has_status |= type == EXT_STATUS_REQUEST;
	h->has_delegated |= type == EXT_DELEGATED;
	h->has_ticket |= type == EXT_TICKET && body.n > 0;
	h->has_psk |= type == EXT_PSK;
	h->has_early_data |= type == EXT_EARLY_DATA;
	h->has_ech |= type == EXT_ECH;
}

static bool
read_extension(uint32_t type, struct read ext, struct hello *h)
{
	bool ok = true;

	switch (type) {
	case EXT_SERVER_NAME:
		ok = read_server_name(&ext, h);
		break;
	case EXT_ALPN:
		ok = read_alpn(&ext, h);
		break;
	case EXT_GROUPS:
		ok = read_pairs(&ext, 2, &h->groups);
		break;
	case EXT_SIGALGS:
		ok = read_pairs(&ext, 2, &h->sigalgs);
		break;
	case EXT_VERSIONS:
		ok = read_pairs(&ext, 1, &h->versions);
		break;
	case EXT_POINTS:
		h->points = read_vec(&ext, 1).left;
		break;
	case EXT_KEY_SHARE:
		ok = read_key_shares(&ext, h);
		break;
	default:
		note_extension(type, &ext, h);
		break;
	}
	return ok && read_done(&ext);
}

/* RFC 8446 §4.2: no two extensions of one type; two readers could take either. */
static bool
is_new_type(uint16_t *seen, uint16_t n, uint16_t type)
{
	for (uint16_t i = 0; i < n; i++) {
		if (seen[i] == type)
			return false;
	}
	seen[n] = type;
	return true;
}

static bool
read_extensions(struct read *r, struct hello *h, struct err *err)
{
	uint16_t seen[HELLO_EXTENSIONS_MAX] = {0};
	struct read exts = read_vec(r, 2);

	h->extensions = exts.left;
	while (read_more(&exts)) {
		uint16_t type = (uint16_t)read_be(&exts, 2); /* two octets */
		if (h->n_extensions == HELLO_EXTENSIONS_MAX) {
			return err_set(err, ERR_TLS_HELLO, "more than %d extensions",
				HELLO_EXTENSIONS_MAX);
		}
		if (!is_new_type(seen, h->n_extensions, type)) {
			return err_set(
				err, ERR_TLS_HELLO, "two extensions of type %u", type);
		}
		h->n_extensions++;
		if (!read_extension(type, read_vec(&exts, 2), h)) {
			return err_set(
				err, ERR_TLS_HELLO, "extension %u is malformed", type);
		}
	}
	if (!read_done(&exts))
		return err_set(err, ERR_TLS_HELLO, "extensions cut short");
	return true;
}

static uint16_t
highest_version(const struct hello *h)
{
	uint16_t best = 0;
	struct read list = read_from(h->versions);

	/* RFC 8446 §4.2.1: without the list, TLS 1.3 cannot be meant. */
	if (h->versions.n == 0) {
		return h->legacy_version > VERSION_1_2 ? VERSION_1_2
						       : h->legacy_version;
	}
	while (read_more(&list)) {
		uint16_t v = (uint16_t)read_be(&list, 2); /* two octets */
		if (v > best && !hello_is_grease(v))
			best = v;
	}
	return best;
}

bool
hello_parse(struct span message, struct hello *out, struct err *err)
{
	struct hello h = {.message = message};
	struct read whole = read_from(message);

	uint32_t kind = read_be(&whole, 1);
	struct read r = read_vec(&whole, 3);
	h.legacy_version = (uint16_t)read_be(&r, 2); /* two octets */
	h.random = read_bytes(&r, 32);
	h.session_id = read_vec(&r, 1).left;
	h.ciphers = read_vec(&r, 2).left;
	h.compressions = read_vec(&r, 1).left;
	if (kind != MESSAGE_CLIENT_HELLO || r.bad || !read_done(&whole))
		return err_set(err, ERR_TLS_HELLO, "malformed, %zu octets", message.n);
	if (h.session_id.n > 32 || h.ciphers.n == 0 || h.ciphers.n % 2 != 0 ||
		h.compressions.n == 0) {
		return err_set(err, ERR_TLS_HELLO,
			"session id of %zu, suites of %zu, compressions of %zu octets",
			h.session_id.n, h.ciphers.n, h.compressions.n);
	}

	/* TLS 1.2 allows a hello that ends here (RFC 5246 §7.4.1.2). */
	if (read_more(&r) && !read_extensions(&r, &h, err))
		return false;
	if (!read_done(&r))
		return err_set(err, ERR_TLS_HELLO, "octets behind the extensions");

	h.version_max = highest_version(&h);
	*out = h;
	return true;
}

/* ---- joining records ---- */

static void
join(struct hello_peek *k, struct span piece)
{
	k->joined = mem_grow(k->joined, &k->cap, k->n + piece.n, 1);
	memcpy(k->joined + k->n, piece.p, piece.n); /* grown above */
	k->n += piece.n;
}

/* Octets the message has by its own header, or 0 while that is incomplete. */
static size_t
message_size(struct span so_far)
{
	struct read r = read_from(so_far);

	read_bytes(&r, 1);
	size_t body = read_be(&r, 3);
	return r.bad ? 0 : MESSAGE_HEADER + body;
}

static enum hello_turn
refuse(struct err *err, const char *why)
{
	err_set(err, ERR_TLS_HELLO, "%s", why);
	return HELLO_BAD;
}

/* The header of the record at the front of `rest`; checked octet by octet, so that what
 * cannot become a hello is known at once. */
static enum hello_turn
check_record(struct span rest, bool first, struct err *err)
{
	static const uint8_t want[2] = {RECORD_HANDSHAKE, 3};

	for (size_t i = 0; i < 2 && i < rest.n; i++) {
		if (rest.p[i] == want[i])
			continue;
		if (first)
			return HELLO_NOT_TLS;
		return refuse(err, "another record inside the message");
	}
	if (rest.n < RECORD_HEADER)
		return HELLO_WANTS_MORE;

	size_t n = ((size_t)rest.p[3] << 8) | rest.p[4];
	if (n == 0 || n > RECORD_MAX)
		return refuse(err, "record of impossible length");
	if (first && rest.n > RECORD_HEADER &&
		rest.p[RECORD_HEADER] != MESSAGE_CLIENT_HELLO)
		return refuse(err, "first message is no ClientHello");
	return rest.n < RECORD_HEADER + n ? HELLO_WANTS_MORE : HELLO_READY;
}

/* What is known of the message so far; the first record stays where it lies. */
static struct span
so_far(const struct hello_peek *k, struct span first)
{
	return k->joined ? span_of(k->joined, k->n) : span_first(first, k->n);
}

static enum hello_turn
take_record(
	struct hello_peek *k, struct span wire, struct span *message, struct err *err)
{
	struct span rest = span_from(wire, k->done);
	enum hello_turn turn = check_record(rest, k->done == 0, err);
	if (turn != HELLO_READY)
		return turn;

	size_t n =
		((size_t)rest.p[3] << 8) | rest.p[4]; /* whole, check_record() says */
	struct span first = span_from(wire, RECORD_HEADER);
	struct span piece = span_slice(rest, RECORD_HEADER, RECORD_HEADER + n);
	if (k->done > 0 && !k->joined) {
		struct span begun = span_first(first, k->n);
		k->n = 0;
		join(k, begun);
	}
	if (k->joined) {
		join(k, piece);
	} else {
		k->n = n;
	}
	k->done += RECORD_HEADER + n;

	size_t size = message_size(so_far(k, first));
	if (size > HELLO_MAX)
		return refuse(err, "longer than 64 KiB");
	if (size == 0 || k->n < size)
		return HELLO_WANTS_MORE;
	if (k->n > size)
		return refuse(err, "octets behind the message in its record");
	*message = so_far(k, first);
	return HELLO_READY;
}

enum hello_turn
hello_peek(struct hello_peek *k, struct span wire, struct hello *out, struct err *err)
{
	struct span message = {0};
	size_t before;
	enum hello_turn turn;

	do {
		before = k->done;
		turn = take_record(k, wire, &message, err);
	} while (turn == HELLO_WANTS_MORE && k->done > before);

	if (turn == HELLO_WANTS_MORE && wire.n >= HELLO_WIRE_MAX)
		return refuse(err, "its records exceed 128 KiB");
	if (turn != HELLO_READY)
		return turn;
	if (!hello_parse(message, out, err))
		return HELLO_BAD;
	out->record_version = (uint16_t)((wire.p[1] << 8) | wire.p[2]); /* two octets */
	return HELLO_READY;
}

void
hello_peek_fini(struct hello_peek *k)
{
	mem_free(k->joined);
	*k = (struct hello_peek){0};
}

/* ---- asking ---- */

void
hello_keep(struct hello *h, struct arena *a)
{
	struct span *spans[] = {&h->random, &h->session_id, &h->ciphers,
		&h->compressions, &h->extensions, &h->host, &h->alpn, &h->versions,
		&h->groups, &h->points, &h->sigalgs, &h->key_shares};
	struct span copy = arena_copy(a, h->message);

	for (size_t i = 0; i < COUNT_OF(spans); i++) {
		if (spans[i]->n > 0)
			spans[i]->p = copy.p + (spans[i]->p - h->message.p);
	}
	h->message = copy;
}

bool
hello_next_alpn(struct span *rest, struct span *name)
{
	struct read list = read_from(*rest);

	*name = read_vec(&list, 1).left;
	*rest = list.left;
	return name->n > 0;
}

bool
hello_offers(const struct hello *h, struct span proto)
{
	struct span rest = h->alpn;
	struct span name;

	while (hello_next_alpn(&rest, &name)) {
		if (span_eq(name, proto))
			return true;
	}
	return false;
}

bool
hello_has(struct span list, uint16_t v)
{
	for (size_t i = 0; i + 1 < list.n; i += 2) {
		if (list.p[i] == v >> 8 && list.p[i + 1] == (v & 0xff))
			return true;
	}
	return false;
}

bool
hello_is_grease(uint16_t v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

static bool
has_any(struct span list, const uint16_t *wanted, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (hello_has(list, wanted[i]))
			return true;
	}
	return false;
}

bool
hello_takes_ecdsa(const struct hello *h)
{
	if (!hello_has(h->sigalgs, SIG_ECDSA_P256))
		return false;
	if (h->version_max >= VERSION_1_3)
		return true;
	/* In TLS 1.2 the groups also bound the certificate's curve (RFC 8422 §5.1). */
	return (h->groups.n == 0 || hello_has(h->groups, GROUP_P256)) &&
		has_any(h->ciphers, suites_ecdsa, COUNT_OF(suites_ecdsa));
}

bool
hello_takes_rsa(const struct hello *h)
{
	static const uint16_t pss[] = {
		SIG_RSA_PSS_256, SIG_RSA_PSS_256 + 1, SIG_RSA_PSS_512};
	static const uint16_t pkcs1[] = {SIG_RSA_256, SIG_RSA_384, SIG_RSA_512};

	if (has_any(h->sigalgs, pss, COUNT_OF(pss)) && h->version_max >= VERSION_1_3)
		return true;
	return has_any(h->ciphers, suites_rsa, COUNT_OF(suites_rsa)) &&
		(has_any(h->sigalgs, pss, COUNT_OF(pss)) ||
			has_any(h->sigalgs, pkcs1, COUNT_OF(pkcs1)));
}
