// SPDX-License-Identifier: Apache-2.0
#include "rule/value.h"

#include "base/text.h"
#include "tests/test.h"

static void
types_are_read_as_they_are_written(void)
{
	static const char *const names[] = {"Bool", "String", "Int", "Ip",
		"Array(String)", "Map(Array(String))", "Array(Array(Int))",
		"Map(Map(Ip))"};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		enum type t;
		char out[64];
		struct text text = text_to(out, sizeof(out));
		CHECK(type_parse(span_str(names[i]), &t));
		type_put(&text, t);
		CHECK_STR(out, names[i]);
	}
	enum type t;
	CHECK(!type_parse(SPAN("Array"), &t) && !type_parse(SPAN("Array(X)"), &t));
	CHECK(type_parse(SPAN("Map(Array(String))"), &t) && t == TYPE_STRINGS_MAP);
	CHECK(type_inner(t) == TYPE_STRINGS && type_inner(TYPE_STRINGS) == TYPE_STRING);
}

static void
a_name_unfolds_into_its_parents(void)
{
	struct value v = value_domains(SPAN("a.b.example"));
	CHECK_INT(value_len(&v), 3);
	CHECK_SPAN(value_at(&v, 0).s, "a.b.example");
	CHECK_SPAN(value_at(&v, 2).s, "example");
	CHECK_INT(value_at(&v, 3).kind, VALUE_MISSING);
	v = value_domains(SPAN("10.0.0.1"));
	CHECK_INT(value_len(&v), 1);
	CHECK_INT(value_domains(SPAN("")).kind, VALUE_MISSING);
}

static void
a_mapped_address_is_its_v4_address(void)
{
	struct ip mapped = {
		IP_V6, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}};
	struct value v = value_ip(mapped);
	CHECK_INT(v.ip.family, IP_V4);
	CHECK_INT(value_ip((struct ip){0}).kind, VALUE_MISSING);
}

static void
one_address_can_stand_for_an_array(void)
{
	struct value v = value_one_ip(ip_v4(0x0a000001));
	CHECK_INT(value_len(&v), 1);
	CHECK_INT(value_at(&v, 0).kind, VALUE_IP);
	CHECK_INT(value_at(&v, 1).kind, VALUE_MISSING);
	CHECK_INT(value_one_ip((struct ip){0}).kind, VALUE_MISSING);
}

static void
values_print_for_people(void)
{
	struct value items[] = {
		value_int(-5), value_bool(true), value_string(SPAN("a\n"))};
	struct value v = value_array(items, 3);
	char out[64];
	struct text t = text_to(out, sizeof(out));
	value_put(&t, &v);
	CHECK_STR(out, "[-5, true, \"a\\x0a\"]");
	CHECK(value_eq(&v, &v) && !value_eq(&v, &items[0]));
}

TESTS(types_are_read_as_they_are_written, a_name_unfolds_into_its_parents,
	a_mapped_address_is_its_v4_address, one_address_can_stand_for_an_array,
	values_print_for_people)
