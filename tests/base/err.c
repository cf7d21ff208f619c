// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"

#include <errno.h>
#include <string.h>

#include "tests/test.h"

static void
every_code_has_an_id_of_its_own_and_a_sentence(void)
{
	for (int c = ERR_NONE + 1; c < ERR_COUNT; c++) {
		const char *id = err_id((enum err_code)c);
		const char *sentence = err_sentence((enum err_code)c);
		CHECK(strchr(id, '.') != NULL);
		CHECK_INT(err_find(span_str(id)), c);
		CHECK(strlen(sentence) > 5 && sentence[strlen(sentence) - 1] == '.');
		CHECK(err_hint((enum err_code)c) != NULL);
	}
	CHECK_INT(err_find(SPAN("no.such")), ERR_NONE);
}

static void
circumstances_stand_in_front_outermost_first(void)
{
	struct err err = {0};
	CHECK(!err_set(&err, ERR_FILE_READ, "line %d", 3));
	CHECK(!err_within(&err, "reading %s", "a.conf"));
	CHECK(!err_within(&err, "starting"));
	CHECK_STR(err.text, "starting: reading a.conf: line 3");
	CHECK_INT(err.code, ERR_FILE_READ);
}

static void
the_systems_reason_stands_behind(void)
{
	struct err err = {0};
	CHECK(!err_errno(&err, ERR_FILE_READ, ENOENT, "%s", "a.conf"));
	CHECK_STR(err.text, "a.conf: No such file or directory");
}

static void
bytes_from_a_peer_cannot_command_a_terminal(void)
{
	struct err err = {0};
	CHECK(!err_set(&err, ERR_FILE_READ, "%s", "a\033[31m\r\nb\x7f"));
	for (const char *p = err.text; *p; p++)
		CHECK((uint8_t)*p >= 0x20 && (uint8_t)*p != 0x7f);
}

static void
a_text_that_is_too_long_is_cut_and_terminated(void)
{
	struct err err = {0};
	char many[1000];
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	CHECK(!err_set(&err, ERR_FILE_READ, "%s", many));
	CHECK(strlen(err.text) < sizeof(err.text));
	for (int i = 0; i < 20; i++)
		CHECK(!err_within(&err, "%s", many));
	CHECK(strlen(err.text) < sizeof(err.text));
}

TESTS(every_code_has_an_id_of_its_own_and_a_sentence,
	circumstances_stand_in_front_outermost_first, the_systems_reason_stands_behind,
	bytes_from_a_peer_cannot_command_a_terminal,
	a_text_that_is_too_long_is_cut_and_terminated)
