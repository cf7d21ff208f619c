// SPDX-License-Identifier: Apache-2.0
#include "pki/tunnel.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "pki/trust.h"
#include "tests/test.h"

static char dir[64];
static char path[2][128];

static const char *
file_in(size_t i, const char *name)
{
	text_format(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static enum verdict_class
judge(const char *file, enum trust_use use, struct span host)
{
	struct err err = {0};
	struct chain chain;
	struct trust *t = trust_new(
		false, (const char *const[]){file_in(0, "ca.crt"), NULL}, &err);
	struct trust_ask ask = {.chain = &chain,
		.host = host,
		.now = clock_wall(),
		.options = trust_options_default()};
	struct verdict v = {0};

	CHECK_OK(t != NULL, &err);
	chain_init(&chain);
	CHECK_OK(chain_load(&chain, file_in(1, file), &err), &err);
	ask.options.use = use;
	ask.options.private_names = true;
	trust_check(t, &ask, &v);
	enum verdict_class class = v.class;
	verdict_fini(&v);
	chain_fini(&chain);
	trust_free(t);
	return class;
}

static void
each_end_is_good_for_its_own_side_only(void)
{
	static const char *const names[] = {"keys.internal", "192.0.2.1"};
	struct tunnel_wish server = {
		.file = "server", .end = TUNNEL_SERVER, .names = names, .n_names = 2};
	struct tunnel_wish edge = {.file = "edge", .end = TUNNEL_CLIENT};
	struct err err = {0};

	text_format(dir, sizeof(dir), "/tmp/sekisho-tunnel-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK_OK(tunnel_make(dir, &err), &err);
	CHECK_OK(tunnel_issue(dir, &server, &err), &err);
	CHECK_OK(tunnel_issue(dir, &edge, &err), &err);
	CHECK(!tunnel_make(dir, &err)); /* nothing is overwritten */
	CHECK(!tunnel_issue(dir, &edge, &err));

	CHECK_INT(
		judge("server.crt", TRUST_SERVER, SPAN("keys.internal")), VERDICT_GOOD);
	CHECK_INT(judge("server.crt", TRUST_SERVER, SPAN("192.0.2.1")), VERDICT_GOOD);
	CHECK_INT(judge("server.crt", TRUST_SERVER, SPAN("192.0.2.2")),
		VERDICT_WRONG_NAME);
	CHECK_INT(
		judge("server.crt", TRUST_CLIENT, (struct span){0}), VERDICT_WRONG_USE);
	CHECK_INT(judge("edge.crt", TRUST_CLIENT, (struct span){0}), VERDICT_GOOD);
	CHECK(judge("edge.crt", TRUST_SERVER, (struct span){0}) != VERDICT_GOOD);

	static const char *const files[] = {
		"ca.crt", "ca.key", "server.crt", "server.key", "edge.crt", "edge.key"};
	for (size_t i = 0; i < COUNT_OF(files); i++)
		CHECK(unlink(file_in(0, files[i])) == 0);
	CHECK(rmdir(dir) == 0);
}

TESTS(each_end_is_good_for_its_own_side_only)
