// SPDX-License-Identifier: Apache-2.0
/*
 * Revocation lists: whole ones, parts, and changes (RFC 5280 §5); trust rubric 50.
 */
#include "tests/pki/lists.h"

static void
check_crl(const char *want, const struct list_plan *p, bool hard)
{
	struct trust_options o = trust_options_default();
	struct revoke *r = knowing(p);

	o.revocation = hard ? TRUST_REVOCATION_HARD : TRUST_REVOCATION_SOFT;
	CHECK_VERDICT(want, .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r, .with = &o);
	revoke_free(r);
}

static void
check_50_a_crl_revokes_leaf_and_intermediate(void)
{
	lists_begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	check_crl(
		"revoked", &(struct list_plan){.by = &middle, .revoked = &leaf}, false);
	check_crl(
		"revoked", &(struct list_plan){.by = &root, .revoked = &middle}, false);
	check_crl("good", &(struct list_plan){.by = &middle}, false);
	check_crl(
		"good", &(struct list_plan){.by = &middle, .revoked = &middle}, false);
	/* The root's list says nothing of the leaf; an impostor's proves nothing. */
	check_crl("good", &(struct list_plan){.by = &root, .revoked = &leaf}, false);
	check_crl("good", &(struct list_plan){.by = &other, .revoked = &leaf}, false);
	check_crl("good",
		&(struct list_plan){
			.by = &middle, .revoked = &leaf, .break_signature = true},
		false);
	/* What is revoked stays so after the list's end. */
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.from_days = -9,
			.to_days = -2},
		false);
	forge_end();
}

static void
a_partial_list_speaks_of_its_part_only(void)
{
	lists_begin();
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nonlyuser=TRUE\n"},
		false);
	check_crl("good",
		&(struct list_plan){
			.by = &middle, .revoked = &leaf, .idp = "[idp]\nonlyCA=TRUE\n"},
		false);
	check_crl("good",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nfullname=URI:http://crl.example/1\n"},
		false);
	forge_end();
}

/* RFC 5280 §6.3.3 (b) (2): the list says which part it is, the certificate in which of
 * them it would be. */
static void
of_a_list_in_parts_only_the_named_one_counts(void)
{
	root = forge(&(struct forge){.cn = "Root", .ca = true, .to_days = 3000});
	middle = forge(
		&(struct forge){.cn = "Middle", .ca = true, .by = &root, .to_days = 8});
	leaf = forge(&(struct forge){.cn = "l",
		.by = &middle,
		.san = "DNS:a.example",
		.more = {"crlDistributionPoints",
			"URI:ldap://crl.example/,URI:http://crl.example/2"}});
	check_crl("revocation-unknown",
		&(struct list_plan){.by = &middle,
			.idp = "[idp]\nfullname=URI:http://crl.example/1\n"},
		true);
	check_crl("good",
		&(struct list_plan){.by = &middle,
			.idp = "[idp]\nfullname=URI:http://crl.example/1,"
			       "URI:http://crl.example/2\n"},
		true);
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nfullname=URI:http://crl.example/2\n"},
		true);
	/* One of some reasons revokes, and says nothing good. */
	check_crl("revoked",
		&(struct list_plan){.by = &middle,
			.revoked = &leaf,
			.idp = "[idp]\nonlysomereasons=keyCompromise\n"},
		true);
	check_crl("revocation-unknown",
		&(struct list_plan){
			.by = &middle, .idp = "[idp]\nonlysomereasons=keyCompromise\n"},
		true);
	forge_end();
}

/* An authority with a new key goes on giving a list for the old one; and a stranger may
 * have the same name. */
static void
two_keys_of_one_name_each_have_their_list(void)
{
	lists_begin();
	struct forged renewed = forge(&(struct forge){
		.cn = "Middle", .ca = true, .by = &root, .to_days = 300});
	struct forged under = forge(
		&(struct forge){.cn = "n", .by = &renewed, .san = "DNS:a.example"});
	struct revoke *r = revoke_new(1024 * 1024);
	add_list(r,
		&(struct list_plan){.by = &middle, .revoked = &leaf, .from_days = -3},
		&middle);
	add_list(r, &(struct list_plan){.by = &renewed, .from_days = -1}, &renewed);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r);
	CHECK_VERDICT("good", .sent = {&under, &renewed}, .roots = {&root},
		.host = "a.example", .revoke = r);
	/* And the other way round, where the older key's list is the newer one. */
	add_list(r,
		&(struct list_plan){.by = &renewed, .revoked = &under, .from_days = -1},
		&renewed);
	add_list(r, &(struct list_plan){.by = &middle, .from_days = -1}, &middle);
	CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r);
	CHECK_VERDICT("revoked", .sent = {&under, &renewed}, .roots = {&root},
		.host = "a.example", .revoke = r);
	revoke_free(r);
	forge_end();
}

/* A certificate that was only held is free again with the next list; also where both
 * came from files and neither was proven before the first question. */
static void
a_newer_list_of_one_key_takes_the_older_ones_place(void)
{
	lists_begin();
	for (int fetched = 0; fetched < 2; fetched++) {
		struct revoke *r = revoke_new(1024 * 1024);
		const struct forged *of = fetched ? &middle : NULL;
		add_list(r,
			&(struct list_plan){
				.by = &middle, .revoked = &leaf, .from_days = -3},
			of);
		add_list(r, &(struct list_plan){.by = &middle, .from_days = -1}, of);
		CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
			.host = "a.example", .revoke = r);
		size_t one = revoke_list_bytes(r);
		add_list(r, &(struct list_plan){.by = &middle, .from_days = -5}, of);
		CHECK_VERDICT("good", .sent = {&leaf, &middle}, .roots = {&root},
			.host = "a.example", .revoke = r);
		CHECK_INT(revoke_list_bytes(r), one);
		revoke_free(r);
	}
	forge_end();
}

/* What is kept is the digest: each method must be checked by it as by the octets. */
static void
lists_are_proven_by_every_kind_of_key(void)
{
	static const char *const kinds[] = {
		"rsa2048", "rsa3072", "p256", "p384", "ed25519"};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		root = forge(&(struct forge){.cn = "Root", .ca = true});
		middle = forge(&(struct forge){
			.cn = "Middle", .ca = true, .by = &root, .kind = kinds[i]});
		leaf = forge(&(struct forge){
			.cn = "l", .by = &middle, .san = "DNS:a.example"});
		check_crl("revoked",
			&(struct list_plan){.by = &middle, .revoked = &leaf}, false);
		check_crl("good",
			&(struct list_plan){.by = &middle,
				.revoked = &leaf,
				.break_signature = true},
			false);
		forge_end();
	}
}

/* Steps of 64 KiB at most, none of which does the work of all. */
static void
a_long_list_is_taken_in_a_little_at_a_time_and_kept_small(void)
{
	enum { NUMBERS = 30000 };
	lists_begin();
	struct err err = {0};
	struct revoke *r = revoke_new((size_t)64 * 1024 * 1024);
	struct cert *issuer = cert_from_x509(middle.x, &err);
	struct span crl = make_crl(&(struct list_plan){
		.by = &middle, .revoked = &leaf, .padding = NUMBERS});
	struct revoke_reading *reading = revoke_reading_new(crl, issuer, &err);
	enum revoke_turn turn = REVOKE_MORE;
	size_t steps = 0;

	CHECK(reading != NULL);
	for (; turn == REVOKE_MORE; steps++) {
		CHECK_INT(revoke_list_bytes(r), 0);
		turn = revoke_reading_advance(reading, r, &err);
	}
	CHECK_INT(turn, REVOKE_READ);
	/* Hashing, listing and placing each take the list's length in pieces. */
	CHECK(steps >= crl.n / (64 * 1024) * 2);
	CHECK(revoke_list_bytes(r) < (size_t)NUMBERS * 32);
	print_message("# %zu octets in %zu steps, kept in %zu\n", crl.n, steps,
		revoke_list_bytes(r));
	revoke_reading_free(reading);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r);

	/* One given up in the middle leaves nothing behind. */
	reading = revoke_reading_new(crl, issuer, &err);
	CHECK_INT(revoke_reading_advance(reading, r, &err), REVOKE_MORE);
	revoke_reading_free(reading);
	OPENSSL_free((void *)(uintptr_t)crl.p);
	cert_put(issuer);
	revoke_free(r);
	forge_end();
}

static void
lists_that_are_not_understood_are_refused(void)
{
	lists_begin();
	const struct list_plan plans[] = {
		{.by = &middle, .no_number = true},
		{.by = &middle, .delta = 3, .soft_delta = true},
		{.by = &middle, .revoked = &leaf, .lifts = true}, /* whole */
		{.by = &middle, .number = -1},
		{.by = &middle, .idp = "[idp]\nindirectCRL=TRUE\n"},
		{.by = &middle, .idp = "[idp]\nonlyAA=TRUE\n"},
		{.by = &middle, .idp = "[idp]\nonlyuser=TRUE\nonlyCA=TRUE\n"},
	};
	struct revoke *r = revoke_new(1024 * 1024);
	for (size_t i = 0; i < COUNT_OF(plans); i++) {
		struct err err = {0};
		struct span crl = make_crl(&plans[i]);
		CHECK(!revoke_add_crl(r, crl, &err));
		CHECK_INT(err.code, ERR_PKI_CRL);
		OPENSSL_free((void *)(uintptr_t)crl.p);
	}
	struct span whole =
		make_crl(&(struct list_plan){.by = &middle, .revoked = &leaf});
	for (size_t n = 0; n < whole.n; n++) {
		struct err err = {0};
		CHECK(!revoke_add_crl(r, (struct span){whole.p, n}, &err));
	}
	OPENSSL_free((void *)(uintptr_t)whole.p);
	revoke_free(r);
	forge_end();
}

/* What a whole list and its changes say together; hard, so that "good" is proven. */
static void
check_changes(const char *want, const struct list_plan *whole,
	const struct list_plan *delta, const struct list_plan *more)
{
	struct trust_options o = trust_options_default();
	struct revoke *r = knowing(delta);
	const struct list_plan of_root = {.by = &root};
	const struct list_plan *rest[] = {whole, &of_root, more};

	o.revocation = TRUST_REVOCATION_HARD;
	for (size_t i = 0; i < COUNT_OF(rest); i++) {
		if (rest[i])
			add_list(r, rest[i], NULL);
	}
	CHECK_VERDICT(want, .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r, .with = &o);
	revoke_free(r);
}

/* RFC 5280 §5.2.4. */
static void
changes_count_from_the_list_they_begin_at(void)
{
	lists_begin();
	const struct list_plan clean = {.by = &middle, .number = 5};
	const struct list_plan listed = {.by = &middle, .number = 5, .revoked = &leaf};
	const struct list_plan adds = {
		.by = &middle, .number = 7, .delta = 5, .revoked = &leaf};
	const struct list_plan lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan nothing = {.by = &middle, .number = 7, .delta = 5};

	check_changes("good", &clean, &nothing, NULL);
	check_changes("revoked", &clean, &adds, NULL);
	check_changes("revoked", &listed, &nothing, NULL);
	check_changes("good", &listed, &lifts, NULL);
	/* A whole list of their number or a later one has them already. */
	const struct list_plan later = {.by = &middle, .number = 7};
	const struct list_plan later_listed = {
		.by = &middle, .number = 8, .revoked = &leaf};
	check_changes("good", &later, &adds, NULL);
	check_changes("revoked", &later_listed, &lifts, NULL);
	/* They do not follow a list older than the one they begin at; what they add is
	 * revoked all the same. */
	const struct list_plan gap_lifts = {.by = &middle,
		.number = 9,
		.delta = 6,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan gap_adds = {
		.by = &middle, .number = 9, .delta = 6, .revoked = &leaf};
	check_changes("revoked", &listed, &gap_lifts, NULL);
	check_changes("revoked", &clean, &gap_adds, NULL);
	/* Alone they prove nothing good. */
	check_changes("revocation-unknown", NULL, &nothing, NULL);
	check_changes("revoked", NULL, &adds, NULL);
	forge_end();
}

/* Newer changes begin at a newer whole list, which has the older ones. Who can keep that
 * list away, and lets the changes through, must not have a revocation forgotten. */
static void
changes_count_until_a_whole_list_has_them(void)
{
	lists_begin();
	const struct list_plan clean = {.by = &middle, .number = 5};
	const struct list_plan adds = {
		.by = &middle, .number = 7, .delta = 5, .revoked = &leaf};
	const struct list_plan beyond = {.by = &middle, .number = 9, .delta = 8};
	const struct list_plan same_base = {.by = &middle, .number = 9, .delta = 5};
	const struct list_plan whole = {.by = &middle, .number = 8};

	check_changes("revoked", &clean, &adds, &beyond);
	check_changes("revoked", &clean, &beyond, &adds);
	check_changes("good", &clean, &adds, &same_base);
	check_changes("good", &whole, &adds, &beyond);
	/* The later of two that both continue a list says all that the other does. */
	const struct list_plan overlaps = {
		.by = &middle, .number = 9, .delta = 5, .revoked = &leaf};
	const struct list_plan lifts = {.by = &middle,
		.number = 10,
		.delta = 8,
		.revoked = &leaf,
		.lifts = true};
	check_changes("good", &whole, &overlaps, &lifts);
	check_changes("revoked", &clean, &overlaps, &lifts);
	forge_end();
}

/* An authority that revokes two in one second has two lists of that second. */
static void
of_two_lists_of_one_second_the_number_tells_the_later(void)
{
	lists_begin();
	const struct list_plan first = {.by = &middle, .number = 5};
	const struct list_plan second = {.by = &middle, .number = 6, .revoked = &leaf};

	clock_fake(1, clock_wall() * 1000);
	check_changes("revoked", NULL, &first, &second);
	check_changes("revoked", NULL, &second, &first);
	clock_real();
	forge_end();
}

static void
who_reads_lists_learns_that_one_had_no_room(void)
{
	lists_begin();
	struct revoke *r = revoke_new(8 * 1024);
	const struct list_plan one = {.by = &middle, .revoked = &leaf};
	const struct list_plan long_one = {.by = &root, .padding = 300};

	add_list(r, &one, NULL);
	CHECK(!revoke_is_short(r));
	add_list(r, &long_one, NULL);
	CHECK(revoke_is_short(r));
	revoke_free(r);
	forge_end();
}

static void
what_is_carried_over_takes_nobodys_room(void)
{
	lists_begin();
	struct revoke *from = revoke_new(64 * 1024);
	struct revoke *wide = revoke_new(64 * 1024);
	struct revoke *narrow = revoke_new(8 * 1024);
	const struct list_plan whole = {.by = &middle};
	const struct list_plan delta = {
		.by = &middle, .number = 7, .delta = 5, .padding = 300};

	add_list(from, &whole, &middle);
	add_list(from, &delta, &middle);
	size_t both = revoke_list_bytes(from);
	add_list(wide, &whole, NULL);
	add_list(narrow, &whole, NULL);
	size_t one = revoke_list_bytes(narrow);
	revoke_carry(narrow, from);
	CHECK_INT(revoke_list_bytes(narrow), one);
	CHECK_INT(revoke_list_bytes(from), both);
	one = revoke_list_bytes(wide);
	revoke_carry(wide, from);
	CHECK_INT(revoke_list_bytes(wide) - one, both - revoke_list_bytes(from));
	CHECK(revoke_list_bytes(wide) > one);
	CHECK(revoke_list_bytes(from) > 0); /* only changes go over */
	revoke_free(from);
	revoke_free(wide);
	revoke_free(narrow);
	forge_end();
}

static void
a_list_with_changes_is_as_current_as_these(void)
{
	lists_begin();
	const struct list_plan ended = {
		.by = &middle, .number = 5, .from_days = -9, .to_days = -2};
	const struct list_plan ended_listed = {.by = &middle,
		.number = 5,
		.from_days = -9,
		.to_days = -2,
		.revoked = &leaf};
	const struct list_plan nothing = {.by = &middle, .number = 7, .delta = 5};
	const struct list_plan lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	const struct list_plan old_lifts = {.by = &middle,
		.number = 7,
		.delta = 5,
		.from_days = -9,
		.to_days = -2,
		.revoked = &leaf,
		.lifts = true};

	check_changes("good", &ended, &nothing, NULL);
	check_changes("good", &ended_listed, &lifts, NULL);
	/* Somebody may serve for ever what was lifted once. */
	check_changes("revoked", &ended_listed, &old_lifts, NULL);
	check_changes("revocation-unknown", &ended, &old_lifts, NULL);
	forge_end();
}

static void
changes_of_another_scope_or_signer_count_for_nothing(void)
{
	lists_begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	const struct list_plan listed = {.by = &middle, .number = 5, .revoked = &leaf};
	const struct list_plan scoped = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true,
		.idp = "[idp]\nonlyuser=TRUE\n"};
	const struct list_plan foreign = {
		.by = &other, .number = 7, .delta = 5, .revoked = &leaf, .lifts = true};
	const struct list_plan broken = {.by = &middle,
		.number = 7,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true,
		.break_signature = true};
	const struct list_plan adds = {
		.by = &other, .number = 7, .delta = 5, .revoked = &leaf};
	const struct list_plan clean = {.by = &middle, .number = 5};

	check_changes("revoked", &listed, &scoped, NULL);
	check_changes("revoked", &listed, &foreign, NULL);
	check_changes("revoked", &listed, &broken, NULL);
	check_changes("good", &clean, &adds, NULL);
	/* A false one does not keep the true one away. */
	const struct list_plan lifts = {.by = &middle,
		.number = 6,
		.delta = 5,
		.revoked = &leaf,
		.lifts = true};
	check_changes("good", &listed, &foreign, &lifts);
	forge_end();
}

static void
a_list_says_where_its_changes_are(void)
{
	lists_begin();
	X509_CRL *crl = X509_CRL_new();
	struct span plain = make_crl(&(struct list_plan){.by = &middle});
	const uint8_t *p = plain.p;
	struct revoke_list list;
	struct err err = {0};
	X509V3_CTX with;
	uint8_t *der = NULL;

	CHECK(d2i_X509_CRL(&crl, &p, (long)plain.n) != NULL);
	X509V3_set_ctx(&with, middle.x, NULL, NULL, crl, 0);
	X509V3_set_nconf(&with, NCONF_new(NULL));
	X509_EXTENSION *e = X509V3_EXT_nconf(with.db, &with, "freshestCRL",
		"URI:ldap://d.example/x,URI:http://d.example/delta");
	X509_CRL_add_ext(crl, e, -1);
	CHECK(X509_CRL_sign(crl, middle.key, EVP_sha256()) > 0);
	int n = i2d_X509_CRL(crl, &der);

	struct cert *issuer = cert_from_x509(middle.x, &err);
	CHECK_OK(revoke_read_crl(plain, &issuer, 1, &list, &err), &err);
	CHECK(list.freshest[0] == '\0' && !list.is_delta && list.issuer == issuer);
	CHECK_OK(revoke_read_crl(span_of(der, (size_t)n), &issuer, 1, &list, &err),
		&err);
	CHECK_STR(list.freshest, "http://d.example/delta");
	cert_put(issuer);
	OPENSSL_free(der);
	OPENSSL_free((void *)(uintptr_t)plain.p);
	X509_EXTENSION_free(e);
	NCONF_free(with.db);
	X509_CRL_free(crl);
	forge_end();
}

/* Anybody between can serve a list with any date; it must not keep the real one out. */
static void
a_list_nobody_signed_does_not_keep_a_proven_one_away(void)
{
	struct err err = {0};
	lists_begin();
	struct forged other = forge(&(struct forge){.cn = "Middle", .ca = true});
	struct revoke *r = knowing(
		&(struct list_plan){.by = &other, .from_days = 2, .to_days = 90});
	struct span crl =
		make_crl(&(struct list_plan){.by = &middle, .revoked = &leaf});
	struct cert *issuer = cert_from_x509(middle.x, &err);
	CHECK_OK(revoke_add_crl_of(r, crl, issuer, &err), &err);
	CHECK_VERDICT("revoked", .sent = {&leaf, &middle}, .roots = {&root},
		.host = "a.example", .revoke = r);
	OPENSSL_free((void *)(uintptr_t)crl.p);
	cert_put(issuer);
	revoke_free(r);
	forge_end();
}

TESTS(changes_count_from_the_list_they_begin_at,
	changes_count_until_a_whole_list_has_them,
	of_two_lists_of_one_second_the_number_tells_the_later,
	who_reads_lists_learns_that_one_had_no_room,
	what_is_carried_over_takes_nobodys_room,
	a_list_with_changes_is_as_current_as_these,
	changes_of_another_scope_or_signer_count_for_nothing,
	a_list_says_where_its_changes_are,
	a_list_nobody_signed_does_not_keep_a_proven_one_away,
	check_50_a_crl_revokes_leaf_and_intermediate,
	a_partial_list_speaks_of_its_part_only,
	of_a_list_in_parts_only_the_named_one_counts,
	two_keys_of_one_name_each_have_their_list,
	a_newer_list_of_one_key_takes_the_older_ones_place,
	lists_are_proven_by_every_kind_of_key,
	a_long_list_is_taken_in_a_little_at_a_time_and_kept_small,
	lists_that_are_not_understood_are_refused)
