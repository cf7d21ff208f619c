// SPDX-License-Identifier: Apache-2.0
#include "rule/json_priv.h"

#include "tests/test.h"

static struct value
read_value(struct arena *a, enum type type, const char *text)
{
	struct json *j = NULL;
	struct err err = {0};
	CHECK_OK(json_parse(span_str(text), a, &j, &err), &err);
	return json_value(a, type, j);
}

static void
values_have_the_form_of_their_type(void)
{
	struct arena a;
	arena_init(&a, 1 << 20);
	CHECK_INT(read_value(&a, TYPE_INT, "-3").i, -3);
	CHECK_INT(read_value(&a, TYPE_IP, "\"10.0.0.1\"").ip.bytes[0], 10);
	struct value v = read_value(&a, TYPE_STRINGS_MAP, "{\"a\": [\"x\", \"y\"]}");
	struct value list = value_get(&v, SPAN("a"));
	CHECK_INT(value_len(&list), 2);
	CHECK_SPAN(value_at(&list, 1).s, "y");
	CHECK_INT(read_value(&a, TYPE_INT, "\"3\"").kind, VALUE_MISSING);
	CHECK_INT(read_value(&a, TYPE_IP, "\"x\"").kind, VALUE_MISSING);
	CHECK_INT(read_value(&a, TYPE_STRINGS, "\"x\"").kind, VALUE_MISSING);
	arena_fini(&a);
}

TESTS(values_have_the_form_of_their_type)
