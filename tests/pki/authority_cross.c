// SPDX-License-Identifier: Apache-2.0
/*
 * From one root to the next: who believes what, and for how long.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "pki/authority.h"
#include "pki/leaf.h"
#include "tests/pki/forge.h"

static char dirs[2][64];

static const char *
in(int which, const char *file)
{
	static char paths[4][128];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	(void)text_format(path, 128, "%s/%s", dirs[which], file);
	return path;
}

static void
begin(void)
{
	for (int i = 0; i < 2; i++) {
		(void)text_format(dirs[i], sizeof dirs[i], "/tmp/sekisho-cross-XXXXXX");
		CHECK(mkdtemp(dirs[i]) != NULL);
	}
}

static void
end(void)
{
	static const char *const files[] = {"root.crt", "root.key", "node.crt",
		"node.key", "previous.crt", "previous.key", "next.key", "next.crt",
		"cross.crt", "cross-old.crt", "previous-root.crt", "previous-root.key",
		"previous-cross.crt"};
	for (int d = 0; d < 2; d++) {
		for (size_t i = 0; i < COUNT_OF(files); i++)
			(void)unlink(in(d, files[i]));
		CHECK(rmdir(dirs[d]) == 0);
	}
	forge_end();
}

static struct authority *
make(int which, const struct authority_wish *wish)
{
	struct err err = {0};
	CHECK_OK(authority_init(dirs[which], wish, &err), &err);
	struct authority *a = authority_load(dirs[which], true, (struct span){0}, &err);
	CHECK_OK(a != NULL, &err);
	return a;
}

static struct authority *
load(int which)
{
	struct err err = {0};
	struct authority *a = authority_load(dirs[which], true, (struct span){0}, &err);
	CHECK_OK(a != NULL, &err);
	return a;
}

static struct span
read_all(const char *path)
{
	struct err err = {0};
	struct span text = {0};
	CHECK_OK(file_read(path, 65536, &text, &err), &err);
	return text;
}

static void
forget(struct span s)
{
	mem_free((void *)(uintptr_t)s.p);
}

static int64_t
end_of(const X509 *x)
{
	struct err err = {0};
	struct cert *c = cert_from_x509(x, &err);
	int64_t end = c->not_after;
	cert_put(c);
	return end;
}

/* The verdict on a leaf as it is sent, of a client with this root alone. */
static enum verdict_class
verdict_with(const struct authority *a, const X509 *root)
{
	struct err err = {0};
	struct chain sent = {0};
	struct chain roots = {0};
	struct verdict v = {0};
	struct span der = {0};
	const struct span name = SPAN("a.lab.example");
	AUTO(EVP_PKEY) *key = key_new(KEY_P256, &err);

	CHECK_OK(leaf_mint(a,
			 &(struct leaf_facts){
				 .kind = KEY_P256, .names = &name, .n_names = 1},
			 key, &der, &err),
		&err);
	CHECK(chain_add(&sent, der, &err) && chain_add_all(&sent, &a->chain, &err) &&
		chain_from_x509(&roots, root, NULL, &err));
	struct trust *t = trust_new_chain(&roots, &err);
	struct trust_ask ask = {.chain = &sent,
		.host = name,
		.now = clock_wall(),
		.options = trust_options_default()};
	ask.options.strict = true;
	trust_check(t, &ask, &v);
	enum verdict_class class = v.class;
	verdict_fini(&v);
	trust_free(t);
	chain_fini(&sent);
	chain_fini(&roots);
	forget(der);
	return class;
}

static void
a_new_root_is_believed_through_the_old_one(void)
{
	begin();
	struct err err = {0};
	struct authority *old = make(0, &(struct authority_wish){.node = "n"});
	CHECK_OK(authority_rotate_root(
			 dirs[0], &(struct authority_wish){.node = "n"}, &err),
		&err);
	struct authority *new = load(0);
	CHECK(X509_cmp(old->root, new->root) != 0);
	CHECK_INT(new->chain.n, 2);
	CHECK_INT(verdict_with(new, old->root), VERDICT_GOOD);
	CHECK_INT(verdict_with(new, new->root), VERDICT_GOOD);
	CHECK_INT(verdict_with(old, new->root), VERDICT_UNKNOWN_ISSUER);

	/* Again: the names count up, and the older root is two steps away. */
	CHECK_OK(authority_rotate_root(
			 dirs[0], &(struct authority_wish){.node = "n"}, &err),
		&err);
	struct authority *third = load(0);
	char cn[64] = "";
	X509_NAME_get_text_by_NID(
		X509_get_subject_name(third->root), NID_commonName, cn, sizeof cn);
	CHECK_STR(cn, "sekisho CA G3");
	CHECK_INT(verdict_with(third, new->root), VERDICT_GOOD);
	CHECK(verdict_with(third, old->root) != VERDICT_GOOD);
	authority_free(old);
	authority_free(new);
	authority_free(third);
	end();
}

static void
cross_sign(int by, int other, struct err *err)
{
	struct span pem = read_all(in(other, "root.crt"));
	struct span cross = {0};
	CHECK_OK(authority_cross_sign(dirs[by], pem, SPAN(""), &cross, err), err);
	CHECK_OK(file_replace(in(other, "cross.crt"), cross, 0644, err), err);
	forget(pem);
	forget(cross);
}

static void
it_ends_with_the_older_root_and_keeps_constraints(void)
{
	static const char *const permitted[] = {"lab.example", NULL};
	begin();
	struct err err = {0};
	struct authority *old = make(0,
		&(struct authority_wish){.name = "Old", .node = "n", .root_days = 30});
	authority_free(make(1,
		&(struct authority_wish){
			.name = "New", .node = "n", .permitted = permitted}));
	cross_sign(0, 1, &err);
	struct cert *c = cert_load(in(1, "cross.crt"), &err);
	CHECK_OK(c != NULL, &err);
	CHECK(c->names.present && c->names.critical);
	CHECK_INT(c->not_after, end_of(old->root));
	cert_put(c);
	struct authority *new = load(1);
	CHECK_INT(new->chain.n, 2);
	CHECK_INT(verdict_with(new, old->root), VERDICT_GOOD);
	authority_free(new);

	clock_fake(clock_now(), (clock_wall() + 31 * FORGE_DAY) * 1000);
	new = load(1);
	CHECK_INT(new->chain.n, 1); /* nobody needs it any more */
	clock_real();
	authority_free(new);
	authority_free(old);
	end();
}

static void
what_cannot_be_crossed_is_refused(void)
{
	begin();
	struct err err = {0};
	struct forged tight =
		forge(&(struct forge){.cn = "T", .ca = true, .path_len = ",pathlen:1"});
	struct cert *c = cert_from_x509(tight.x, &err);
	static char pem[8192];
	struct text t = text_to(pem, sizeof pem);
	struct span made = {0};

	cert_pem(c, &t);
	cert_put(c);
	CHECK(file_replace(in(0, "root.crt"), text_span(&t), 0644, &err) &&
		key_save(in(0, "root.key"), tight.key, SPAN(""), &err));
	authority_free(make(1, &(struct authority_wish){.node = "n"}));
	struct span other = read_all(in(1, "root.crt"));
	struct span node = read_all(in(1, "node.crt"));
	CHECK(!authority_cross_sign(dirs[0], other, SPAN(""), &made, &err));
	CHECK(strstr(err.text, "path length 1 leaves no room"));
	CHECK(!authority_cross_sign(dirs[1], other, SPAN(""), &made, &err));
	CHECK(strstr(err.text, "the same root"));
	CHECK(!authority_cross_sign(dirs[1], node, SPAN(""), &made, &err));
	CHECK(strstr(err.text, "not self-signed"));
	CHECK(!authority_cross_sign(dirs[1], SPAN("x"), SPAN(""), &made, &err));

	/* One of another root, and the root itself, are no cross certificates. */
	CHECK(file_replace(in(1, "cross.crt"), text_span(&t), 0644, &err));
	CHECK(!authority_load(dirs[1], true, (struct span){0}, &err));
	CHECK(strstr(err.text, "not of the name and key"));
	CHECK(file_replace(in(1, "cross.crt"), other, 0644, &err));
	CHECK(!authority_load(dirs[1], true, (struct span){0}, &err));
	CHECK(strstr(err.text, "root.crt itself"));
	/* The same name would leave the two roots to chance. */
	CHECK(unlink(in(1, "cross.crt")) == 0);
	const struct authority_wish same = {.name = "sekisho CA", .node = "n"};
	CHECK(!authority_rotate_root(dirs[1], &same, &err));
	CHECK(strstr(err.text, "another --name"));
	forget(other);
	forget(node);
	end();
}

/* A node that asks a second root gets the way back to the first along. */
static void
a_node_moves_to_another_root(void)
{
	begin();
	struct err err = {0};
	struct authority *old = make(0, &(struct authority_wish){.node = "n"});
	CHECK_OK(authority_init(dirs[1],
			 &(struct authority_wish){.name = "Next", .root_only = true},
			 &err),
		&err);
	cross_sign(0, 1, &err);
	const struct authority_wish wish = {.node = "n"};
	struct span csr = {0};
	struct authority_answer answer = {.root = read_all(in(1, "root.crt")),
		.cross = read_all(in(1, "cross.crt"))};
	CHECK_OK(authority_request(dirs[0], &wish, &csr, &err), &err);
	CHECK_OK(authority_sign(dirs[1], csr, &wish, &answer.node, &err), &err);
	CHECK_OK(authority_adopt(dirs[0], &answer, &err), &err);
	struct authority *moved = load(0);
	CHECK_INT(verdict_with(moved, old->root), VERDICT_GOOD);
	CHECK_INT(verdict_with(moved, moved->root), VERDICT_GOOD);
	authority_free(moved);

	/* One that is to begin later under yet another root would spoil today's. */
	struct span later = {0};
	struct span again = {0};
	struct authority_wish then = {.node = "n", .from_days = 3};
	CHECK_OK(authority_request(dirs[0], &wish, &again, &err), &err);
	CHECK_OK(authority_sign(dirs[1], again, &then, &later, &err), &err);
	struct authority *third = authority_ephemeral(&wish, &err);
	struct span third_pem = {0};
	CHECK_OK(authority_root_pem(third, &third_pem, &err), &err);
	struct authority_answer pending = {.node = later, .root = answer.root};
	CHECK_OK(authority_adopt(dirs[0], &pending, &err), &err);
	CHECK_INT(authority_next(dirs[0], clock_wall()), AUTHORITY_NEXT_PENDING);
	pending.root = third_pem;
	CHECK(!authority_adopt(dirs[0], &pending, &err));
	authority_free(third);
	authority_free(old);
	forget(csr);
	forget(again);
	forget(later);
	forget(third_pem);
	forget(answer.node);
	forget(answer.root);
	forget(answer.cross);
	end();
}

static void
one_is_due_when_the_other_nears_its_end(void)
{
	begin();
	struct err err = {0};
	int64_t now = clock_wall();
	authority_free(make(0, &(struct authority_wish){.node = "n", .node_days = 60}));
	CHECK(!authority_is_due(dirs[0], now, 90 * FORGE_DAY)); /* there is none */
	const struct authority_wish next = {
		.node = "n", .from_days = 5, .node_days = 365};
	CHECK_OK(authority_prepare(dirs[0], &next, &err), &err);
	CHECK(!authority_is_due(dirs[0], now, 90 * FORGE_DAY)); /* pending */
	now += 6 * FORGE_DAY;
	CHECK(!authority_is_due(dirs[0], now, 30 * FORGE_DAY)); /* 53 days left */
	CHECK(authority_is_due(dirs[0], now, 54 * FORGE_DAY));
	CHECK(authority_is_due(dirs[0], now + 60 * FORGE_DAY, 1)); /* over */
	end();
}

TESTS(a_new_root_is_believed_through_the_old_one,
	it_ends_with_the_older_root_and_keeps_constraints,
	what_cannot_be_crossed_is_refused, a_node_moves_to_another_root,
	one_is_due_when_the_other_nears_its_end)
