// SPDX-License-Identifier: Apache-2.0
#include "gate/acts.h"

#include "base/text.h"
#include "gate/settings.h"
#include "tests/test.h"
#include "tls/profile.h"

static struct conf_report report;

/* Reads the action of one rule; the tree is forgotten, so spans are not looked at later
 * than tree lives. */
static bool
read_act(struct conf_tree *tree, const char *action, struct act *act)
{
	char line[512];
	text_format(line, sizeof(line), "rule r when ssl do %s\n", action);
	conf_report_init(&report);
	conf_tree_init(tree);
	return conf_tree_parse(tree, "test", span_str(line), &report) &&
		act_read(tree->first, 4, act, &report);
}

static void
each_action_reads_its_arguments(void)
{
	struct conf_tree tree;
	struct act act;
	CHECK(read_act(&tree, "block \"no\" reset", &act));
	CHECK(act.kind == ACT_BLOCK && act.reset);
	CHECK_SPAN(act.text, "no");
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "off", &act) && act.kind == ACT_BYPASS);
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "prompt \"sure?\" for 2h", &act));
	CHECK_INT(act.for_ms, 2 * 3600000);
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "redirect \"https://a.test/\" keep-query 307", &act));
	CHECK(act.status == 307 && act.keep_query && !act.keep_path);
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "override host 192.0.2.1 port 8443 sni a.test", &act));
	CHECK_INT(act.port, 8443);
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "redact url user_agent", &act));
	CHECK(act.redacted[EVENT_PATH / 8] >> EVENT_PATH % 8 & 1);
	conf_tree_fini(&tree);
	CHECK(read_act(&tree, "untrusted allow", &act));
	CHECK_INT(act.untrusted, UNTRUSTED_ALLOW);
	conf_tree_fini(&tree);
	CHECK(read_act(
		&tree, "tls origin-min 1.3 revocation off certificate a.pem", &act));
	CHECK(act.origin.min_version == TLS_1_3 && act.client.min_version == 0 &&
		act.has_revocation);
	CHECK_SPAN(act.key, "a.pem");
	conf_tree_fini(&tree);
	CHECK(read_act(
		&tree, "tls client-profile modern origin-profile compat-2026", &act));
	CHECK_INT(act.client.level, 1 + PROFILE_MODERN);
	CHECK_INT(act.origin.level, 1 + PROFILE_COMPAT);
	conf_tree_fini(&tree);
}

static void
what_is_not_an_action_is_refused(void)
{
	static const char *const wrong[] = {
		"blok",
		"bypass now",
		"isolate",
		"redirect",
		"redirect \"/path\"",
		"redirect \"https://a.test/\" 200",
		"prompt for never",
		"prompt for 31d",
		"request-header set",
		"request-header set X-A",
		"request-header set \"bad name\" \"v\"",
		"request-header set Host \"a\"",
		"request-header set Content-Length \"1\"",
		"request-header remove Transfer-Encoding",
		"override",
		"override port 0",
		"override port 65536",
		"redact nothing_known",
		"untrusted maybe",
		"allow it",
		"tls",
		"tls client-min 1.1",
		"tls client-profile best",
		"tls origin-profile",
		"tls revocation maybe",
		"tls certificate",
		"tls key a.key",
	};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct conf_tree tree;
		struct act act = {.kind = ACT_SCAN};
		CHECK(!read_act(&tree, wrong[i], &act));
		CHECK_INT(act.kind, ACT_SCAN);
		CHECK_INT(report.errors, 1);
		conf_tree_fini(&tree);
	}
}

static void
a_slip_gets_the_nearest_name(void)
{
	struct conf_tree tree;
	struct act act;
	CHECK(!read_act(&tree, "blok", &act));
	CHECK_STR(report.list[0].hint, "Did you mean block?");
	conf_tree_fini(&tree);
}

static void
the_manual_has_a_row_for_each(void)
{
	static char room[8192];
	struct text t = text_to(room, sizeof(room));
	size_t rows = 0;
	act_put_manual(&t);
	for (size_t i = 0; i < t.n; i++)
		rows += room[i] == '\n';
	CHECK(!t.cut);
	CHECK_INT(rows, ACT_COUNT + 2);
}

TESTS(each_action_reads_its_arguments, what_is_not_an_action_is_refused,
	a_slip_gets_the_nearest_name, the_manual_has_a_row_for_each)
