// SPDX-License-Identifier: Apache-2.0
#include "tls/hello.h"

#include <string.h>

#include "base/mem.h"
#include "base/read.h"
#include "base/text.h"
#include "tests/test.h"

/* A ClientHello being made; the lists are what a test wants to say. */
struct made {
	uint16_t version;
	const uint16_t *ciphers;
	size_t n_ciphers;
	/* extensions in order; bodies of those we know are made up */
	const uint16_t *types;
	size_t n_types;
	const uint16_t *groups;
	size_t n_groups;
	const uint16_t *sigalgs;
	size_t n_sigalgs;
	struct span points;
	struct span host;
	struct span alpn;
	const uint16_t *versions;
	size_t n_versions;
};

static uint8_t message[70000];

static void
put_pairs(struct write *w, size_t bytes, const uint16_t *v, size_t n)
{
	size_t list = write_open(w, bytes);
	for (size_t i = 0; i < n; i++)
		write_be(w, v[i], 2);
	write_close(w, list, bytes);
}

static void
put_host(struct write *w, struct span host)
{
	size_t list = write_open(w, 2);
	write_be(w, 0, 1);
	size_t name = write_open(w, 2);
	write_span(w, host);
	write_close(w, name, 2);
	write_close(w, list, 2);
}

static void
put_extension(struct write *w, const struct made *m, uint16_t type)
{
	write_be(w, type, 2);
	size_t body = write_open(w, 2);
	size_t list = 0;

	switch (type) {
	case 0:
		put_host(w, m->host);
		break;
	case 10:
		put_pairs(w, 2, m->groups, m->n_groups);
		break;
	case 11:
		list = write_open(w, 1);
		write_span(w, m->points);
		write_close(w, list, 1);
		break;
	case 13:
		put_pairs(w, 2, m->sigalgs, m->n_sigalgs);
		break;
	case 16:
		list = write_open(w, 2);
		write_span(w, m->alpn);
		write_close(w, list, 2);
		break;
	case 43:
		put_pairs(w, 1, m->versions, m->n_versions);
		break;
	case 51:
		list = write_open(w, 2);
		write_close(w, list, 2);
		break;
	default: /* any body will do */
		break;
	}
	write_close(w, body, 2);
}

static struct span
make(const struct made *m)
{
	struct write w = write_to(message, sizeof(message));

	write_be(&w, 1, 1);
	size_t body = write_open(&w, 3);
	write_be(&w, m->version, 2);
	write_span(&w, SPAN("0123456789abcdef0123456789abcdef"));
	write_be(&w, 0, 1);
	put_pairs(&w, 2, m->ciphers, m->n_ciphers);
	write_span(&w, SPAN("\1\0"));
	if (m->n_types > 0) {
		size_t exts = write_open(&w, 2);
		for (size_t i = 0; i < m->n_types; i++)
			put_extension(&w, m, m->types[i]);
		write_close(&w, exts, 2);
	}
	write_close(&w, body, 3);
	return write_done(&w);
}

#define LIST(...) \
	(const uint16_t[]){__VA_ARGS__}, COUNT_OF(((const uint16_t[]){__VA_ARGS__}))

static const struct made browser = {
	0x0303,
	LIST(0x5a5a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
		0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035),
	LIST(0x2a2a, 0x0000, 0x0017, 0xff01, 0x000a, 0x000b, 0x0023, 0x0010, 0x0005,
		0x000d, 0x0012, 0x0033, 0x002d, 0x002b, 0x001b, 0x4469, 0x0015),
	LIST(0x6a6a, 29, 23, 24),
	LIST(0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601),
	{(const uint8_t *)"\0", 1},
	SPAN_INIT("a.example"),
	SPAN_INIT("\2h2\x08http/1.1"),
	LIST(0x7a7a, 0x0304, 0x0303),
};

/* Cuts a message into records of at most `size` octets. */
static struct span
records(struct span m, size_t size)
{
	static uint8_t wire[500000];
	struct write w = write_to(wire, sizeof(wire));

	while (m.n > 0) {
		struct span piece = span_first(m, size);
		write_be(&w, 22, 1);
		write_be(&w, 0x0301, 2);
		write_be(&w, (uint32_t)piece.n, 2);
		write_span(&w, piece);
		m = span_from(m, piece.n);
	}
	return write_done(&w);
}

static void
says_what_policy_needs(void)
{
	struct err err = {0};
	struct hello h = {0};

	CHECK_OK(hello_parse(make(&browser), &h, &err), &err);
	CHECK_SPAN(h.host, "a.example");
	CHECK(hello_offers(&h, SPAN("h2")) && hello_offers(&h, SPAN("http/1.1")));
	CHECK(!hello_offers(&h, SPAN("h3")));
	CHECK_INT(h.version_max, 0x0304);
	CHECK_INT(h.n_extensions, 17);
	CHECK(hello_takes_ecdsa(&h) && hello_takes_rsa(&h));
	CHECK(h.has_sni && !h.has_ech && !h.has_psk && !h.has_early_data &&
		!h.has_ticket);
	CHECK(h.has_status);
	CHECK_SPAN(h.random, "0123456789abcdef0123456789abcdef");
	CHECK(hello_has(h.groups, 23) && !hello_has(h.groups, 25));
}

static void
a_client_without_ecdsa_is_known(void)
{
	struct made m = browser;
	struct hello h = {0};
	struct err err = {0};
	const uint16_t only_rsa[] = {0x0401, 0x0804};
	const uint16_t suites[] = {0xc02f};
	const uint16_t old[] = {0x0303};

	m.sigalgs = only_rsa;
	m.n_sigalgs = 2;
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK(!hello_takes_ecdsa(&h) && hello_takes_rsa(&h));

	/* TLS 1.2: the suites say it, whatever the signature algorithms. */
	m = browser;
	m.versions = old;
	m.n_versions = 1;
	m.ciphers = suites;
	m.n_ciphers = 1;
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK(!hello_takes_ecdsa(&h) && hello_takes_rsa(&h));
}

static void
a_hello_without_extensions_is_tls_1_2_at_most(void)
{
	struct made m = browser;
	struct hello h = {0};
	struct err err = {0};

	m.n_types = 0;
	m.version = 0x0399;
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK_INT(h.version_max, 0x0303);
	CHECK(!h.has_sni && h.host.n == 0 && h.extensions.n == 0);
}

static void
every_truncation_is_refused_and_changes_nothing(void)
{
	struct span whole = make(&browser);

	for (size_t n = 0; n < whole.n; n++) {
		struct err err = {0};
		struct hello h = {.alpn = SPAN("before")};
		CHECK(!hello_parse(span_first(whole, n), &h, &err));
		CHECK(err.code == ERR_TLS_HELLO && err.text[0] != '\0');
		CHECK_SPAN(h.alpn, "before");
	}
}

static void
every_octet_too_many_is_refused(void)
{
	struct span whole = make(&browser);
	struct err err = {0};
	struct hello h = {0};

	message[whole.n] = 0;
	CHECK(!hello_parse(span_of(message, whole.n + 1), &h, &err));
	message[3]++; /* the message's own length now covers it */
	CHECK(!hello_parse(span_of(message, whole.n + 1), &h, &err));
}

static void
bad_names_are_refused(void)
{
	static const struct span bad[] = {SPAN_INIT(""), SPAN_INIT("a..example"),
		SPAN_INIT(".example"), SPAN_INIT("a.example."),
		SPAN_INIT("a\0.example"), SPAN_INIT("a example"),
		SPAN_INIT("*.example"), SPAN_INIT("a,DNS:b"), SPAN_INIT("::1"),
		SPAN_INIT("b\xc3\xbc"
			  "cher.example"),
		SPAN_INIT("x23456789012345678901234567890123456789012345678901234567890"
			  "1234")};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct made m = browser;
		struct hello h = {0};
		struct err err = {0};
		m.host = bad[i];
		CHECK(!hello_parse(make(&m), &h, &err));
		CHECK(err.code == ERR_TLS_HELLO);
	}
}

static void
good_names_are_kept_as_sent(void)
{
	static const struct span good[] = {SPAN_INIT("a"), SPAN_INIT("A.Example"),
		SPAN_INIT("_sip.a-b.example"), SPAN_INIT("xn--bcher-kva.example"),
		SPAN_INIT("192.0.2.1"),
		SPAN_INIT("x23456789012345678901234567890123456789012345678901234567890"
			  "123")};

	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct made m = browser;
		struct hello h = {0};
		struct err err = {0};
		m.host = good[i];
		CHECK_OK(hello_parse(make(&m), &h, &err), &err);
		CHECK(span_eq(h.host, good[i]));
	}
}

static void
a_second_extension_of_a_type_is_refused(void)
{
	static const uint16_t types[] = {0, 10, 13, 11, 16, 43, 51, 0x1234};

	for (size_t i = 0; i < COUNT_OF(types); i++) {
		const uint16_t twice[] = {types[i], 23, types[i]};
		struct made m = browser;
		struct hello h = {0};
		struct err err = {0};
		m.types = twice;
		m.n_types = 3;
		CHECK(!hello_parse(make(&m), &h, &err));
		CHECK(span_find(span_str(err.text), SPAN("two extensions")) == 0);
	}
}

static void
lists_of_half_a_value_are_refused(void)
{
	struct err err = {0};
	struct hello h = {0};
	struct span whole = make(&browser);
	size_t at = span_find(whole, SPAN("\0\x0a\0\x0a\0\x08")); /* supported_groups */

	CHECK(at < whole.n);
	message[at + 5] = 7; /* one octet is left behind, and the list is odd */
	CHECK(!hello_parse(whole, &h, &err));
}

static void
an_alpn_name_without_octets_is_refused(void)
{
	struct made m = browser;
	struct hello h = {0};
	struct err err = {0};

	m.alpn = SPAN("\2h2\0");
	CHECK(!hello_parse(make(&m), &h, &err));
	m.alpn = SPAN("");
	CHECK(!hello_parse(make(&m), &h, &err));
	m.alpn = SPAN("\3h2");
	CHECK(!hello_parse(make(&m), &h, &err));
}

static void
too_many_extensions_are_refused(void)
{
	uint16_t types[HELLO_EXTENSIONS_MAX + 1];
	struct made m = browser;
	struct hello h = {0};
	struct err err = {0};

	for (size_t i = 0; i < COUNT_OF(types); i++)
		types[i] = (uint16_t)(1000 + i);
	m.types = types;
	m.n_types = HELLO_EXTENSIONS_MAX;
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	m.n_types++;
	CHECK(!hello_parse(make(&m), &h, &err));
}

/* ---- peeking ---- */

static void
a_hello_is_found_however_it_is_cut(void)
{
	static const size_t sizes[] = {1, 2, 3, 4, 5, 100, 16384};
	struct span m = make(&browser);

	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct span wire = records(m, sizes[i]);
		struct hello_peek k = {0};
		struct hello h = {0};
		struct err err = {0};
		for (size_t n = 0; n < wire.n; n++) {
			CHECK_INT(hello_peek(&k, span_first(wire, n), &h, &err),
				HELLO_WANTS_MORE);
		}
		CHECK_INT(hello_peek(&k, wire, &h, &err), HELLO_READY);
		CHECK_SPAN(h.host, "a.example");
		CHECK_INT(h.record_version, 0x0301);
		CHECK(span_eq(h.message, m));
		hello_peek_fini(&k);
	}
}

static void
bytes_behind_the_hello_do_not_matter(void)
{
	struct span wire = records(make(&browser), 16384);
	uint8_t *longer = mem_alloc(wire.n + 3);
	struct hello_peek k = {0};
	struct hello h = {0};
	struct err err = {0};
	struct write w = write_to(longer, wire.n + 3);

	write_span(&w, wire);
	write_span(&w, SPAN("\x17\3\3")); /* early data begins */
	CHECK_INT(hello_peek(&k, write_done(&w), &h, &err), HELLO_READY);
	hello_peek_fini(&k);
	mem_free(longer);
}

static void
what_is_no_tls_is_known_from_its_first_octets(void)
{
	static const struct span alien[] = {SPAN_INIT("G"), SPAN_INIT("\x16\2"),
		SPAN_INIT("\x15\3"), SPAN_INIT("\0"), SPAN_INIT("\x80\x2e\1\3\1")};

	for (size_t i = 0; i < COUNT_OF(alien); i++) {
		struct hello_peek k = {0};
		struct hello h = {0};
		struct err err = {0};
		CHECK_INT(hello_peek(&k, alien[i], &h, &err), HELLO_NOT_TLS);
		hello_peek_fini(&k);
	}
}

static void
broken_records_are_refused(void)
{
	static const struct span bad[] = {
		SPAN_INIT("\x16\3\1\0\0"),          /* nothing in it */
		SPAN_INIT("\x16\3\1\x40\1"),        /* one octet too long */
		SPAN_INIT("\x16\3\1\0\1\2"),        /* a ServerHello */
		SPAN_INIT("\x16\3\1\0\1\1\x17"),    /* application data in between */
		SPAN_INIT("\x16\3\1\0\4\1\1\0\0"),  /* 64 KiB and 4 */
		SPAN_INIT("\x16\3\1\0\5\1\0\0\0x"), /* one octet behind the message */
	};

	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct hello_peek k = {0};
		struct hello h = {0};
		struct err err = {0};
		CHECK_INT(hello_peek(&k, bad[i], &h, &err), HELLO_BAD);
		CHECK_INT(err.code, ERR_TLS_HELLO);
		hello_peek_fini(&k);
	}
}

static void
the_longest_hello_is_taken_and_a_longer_one_is_not(void)
{
	static uint8_t whole[HELLO_MAX + 1];
	struct span m = make(&browser);
	size_t at = m.n - 6; /* padding (21) is the last extension, empty */

	memcpy(whole, m.p, m.n);
	for (size_t n = HELLO_MAX; n <= HELLO_MAX + 1; n++) {
		size_t pad = n - m.n;
		struct write body = write_to(whole + 1, 3);
		write_be(&body, (uint32_t)(n - 4), 3);
		size_t exts = span_find(m, SPAN("\x2a\x2a")) - 2;
		struct write w = write_to(whole + exts, 2);
		write_be(&w, (uint32_t)(n - exts - 2), 2);
		struct write p = write_to(whole + at + 4, 2);
		write_be(&p, (uint32_t)pad, 2);

		struct hello_peek k = {0};
		struct hello h = {0};
		struct err err = {0};
		enum hello_turn turn =
			hello_peek(&k, records(span_of(whole, n), 16384), &h, &err);
		CHECK_INT(turn, n <= HELLO_MAX ? HELLO_READY : HELLO_BAD);
		hello_peek_fini(&k);
	}
}

static void
keeping_moves_everything_into_the_arena(void)
{
	struct arena a;
	struct hello h = {0};
	struct err err = {0};

	arena_init(&a, 8192);
	CHECK_OK(hello_parse(make(&browser), &h, &err), &err);
	hello_keep(&h, &a);
	memset(message, 'x', sizeof(message));
	CHECK_SPAN(h.host, "a.example");
	CHECK(hello_offers(&h, SPAN("h2")));
	CHECK_INT(h.message.p[0], 1);
	arena_fini(&a);
}

/* ---- fingerprints ---- */

/* The two examples of the method's own description. */
static void
ja3_is_as_published(void)
{
	struct made m = {
		769,
		LIST(47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4),
		LIST(0, 10, 11),
		LIST(23, 24, 25),
		.points = {(const uint8_t *)"\0", 1},
		.host = SPAN_INIT("a.example"),
	};
	struct made bare = {769, LIST(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99)};
	struct hello h = {0};
	struct err err = {0};
	char dst[HELLO_JA3];
	char text[256];
	struct text t = text_to(text, sizeof(text));

	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK_STR(hello_ja3(&h, dst), "ada70206e40642a3e4461f35503241d5");
	hello_ja3_text(&h, &t);
	CHECK_STR(text,
		"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0");
	CHECK_OK(hello_parse(make(&bare), &h, &err), &err);
	CHECK_STR(hello_ja3(&h, dst), "de350869b8c85de67a350c8d186f11e6");
}

/* The worked example of the published definition. */
static void
ja4_is_as_published(void)
{
	struct hello h = {0};
	struct err err = {0};
	char dst[HELLO_JA4];

	CHECK_OK(hello_parse(make(&browser), &h, &err), &err);
	CHECK_STR(hello_ja4(&h, dst), "t13d1516h2_8daaf6152771_e5627efa2ab1");
}

static void
ja4_of_odd_hellos(void)
{
	struct made m = {0x0303, LIST(0xc02f), LIST(16), .alpn = SPAN_INIT("\3\xab-c")};
	struct hello h = {0};
	struct err err = {0};
	char dst[HELLO_JA4];

	/* No extension but ALPN is left to digest, and its name is not alphanumeric. */
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK(span_starts(span_str(hello_ja4(&h, dst)), SPAN("t12i0101a3_")));
	CHECK(span_ends(span_str(dst), SPAN("_000000000000")));

	m.n_types = 0;
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK(span_starts(span_str(hello_ja4(&h, dst)), SPAN("t12i010000_")));
}

static void
digests_of_lists_are_base64(void)
{
	struct made m = {0x0303, LIST(0xc02f), LIST(23, 0xff01)};
	struct hello h = {0};
	struct err err = {0};
	char dst[HELLO_SHA1];

	/* Made with printf and openssl dgst -sha1 -binary | base64. */
	CHECK_OK(hello_parse(make(&m), &h, &err), &err);
	CHECK_STR(hello_ciphers_sha1(&h, dst), "QDOJOAoKZD+mp2Nmpw04lzb3YOc=");
	CHECK_STR(
		hello_extensions_sha1(&h, false, dst), "8wvXxuudR8Dc4BY2NbcY9xOzY5g=");
	CHECK_STR(hello_extensions_sha1(&h, true, dst), "DpjrH5On/PrvWkZaAYlGg2b/sug=");
}

TESTS(says_what_policy_needs, a_client_without_ecdsa_is_known,
	a_hello_without_extensions_is_tls_1_2_at_most,
	every_truncation_is_refused_and_changes_nothing,
	every_octet_too_many_is_refused, bad_names_are_refused,
	good_names_are_kept_as_sent, a_second_extension_of_a_type_is_refused,
	lists_of_half_a_value_are_refused, an_alpn_name_without_octets_is_refused,
	too_many_extensions_are_refused, a_hello_is_found_however_it_is_cut,
	bytes_behind_the_hello_do_not_matter,
	what_is_no_tls_is_known_from_its_first_octets, broken_records_are_refused,
	the_longest_hello_is_taken_and_a_longer_one_is_not,
	keeping_moves_everything_into_the_arena, ja3_is_as_published,
	ja4_is_as_published, ja4_of_odd_hellos, digests_of_lists_are_base64)
