// SPDX-License-Identifier: Apache-2.0
#include "rule/func_priv.h"

#include <string.h>

#include "base/text.h"

enum {
	A_STRING = 1 << TYPE_STRING,
	A_INT = 1 << TYPE_INT,
	A_BOOL = 1 << TYPE_BOOL,
	A_IP = 1 << TYPE_IP,
};

static bool
is_octets(const struct value *v, const char *s)
{
	return span_eq(v->s, span_str(s));
}

static const char *
refuse_options(size_t i, const struct value *v)
{
	if (i != 1)
		return NULL;
	for (size_t at = 0; at < v->s.n; at++) {
		if (v->s.p[at] != 'r' && v->s.p[at] != 'u')
			return "knows the options \"r\" and \"u\" only";
	}
	return NULL;
}

static const char *
refuse_split(size_t i, const struct value *v)
{
	if (i == 1 && v->s.n == 0)
		return "is a separator and cannot be empty";
	if (i == 2 && (v->i < 1 || v->i > 128))
		return "is a limit from 1 to 128";
	return NULL;
}

static const char *
refuse_width(size_t i, const struct value *v)
{
	if (i == 1 && (v->i < 1 || v->i > 32))
		return "is the width of a v4 network: 1 to 32";
	if (i == 2 && (v->i < 1 || v->i > 128))
		return "is the width of a v6 network: 1 to 128";
	return NULL;
}

static const char *
refuse_width6(size_t i, const struct value *v)
{
	return i == 1 ? refuse_width(2, v) : NULL;
}

static const char *
refuse_wildcard_option(size_t i, const struct value *v)
{
	return i == 3 && !is_octets(v, "s") ? "can only be \"s\"" : NULL;
}

static const char *
refuse_hmac_option(size_t i, const struct value *v)
{
	if (i == 4 && v->i < 0)
		return "is a length and cannot be negative";
	return i == 5 && !is_octets(v, "s") ? "can only be \"s\"" : NULL;
}

static const char *
refuse_position(size_t i, const struct value *v)
{
	return i > 0 && v->kind == VALUE_INT && v->i < 0 ? "is a position from 0 on"
							 : NULL;
}

// clang-format off
/* Sorted by name. */
static const struct function functions[] = {
	{"cidr", TYPE_IP, 0, 3, 3, {{ARG_FIELD, A_IP}, {ARG_LITERAL, A_INT}, {ARG_LITERAL, A_INT}},
		function_cidr, refuse_width,
		"The network of an address: of the first width for v4, of the second for v6."},
	{"cidr6", TYPE_IP, 0, 2, 2, {{ARG_FIELD, A_IP}, {ARG_LITERAL, A_INT}},
		function_cidr6, refuse_width6,
		"The network of a v6 address; a v4 address comes back as it is."},
	{"concat", TYPE_NONE, FUNCTION_TAKES_MISSING, 2, SIZE_MAX, {{ARG_EITHER, A_STRING | ARG_ARRAY}},
		function_concat, NULL,
		"Strings, or arrays, one behind the other; missing ones are left out."},
	{"decode_base64", TYPE_STRING, 0, 1, 1, {{ARG_FIELD, A_STRING}},
		function_decode_base64, NULL,
		"The octets of a base64 text; missing when it is none."},
	{"ends_with", TYPE_BOOL, 0, 2, 2, {{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING}},
		function_ends_with, NULL,
		"Whether the first string ends in the second."},
	{"is_timed_hmac_valid_v0", TYPE_BOOL, 0, 4, 6, {{ARG_EITHER, A_STRING},
		{ARG_EITHER, A_STRING}, {ARG_EITHER, A_INT}, {ARG_EITHER, A_INT},
		{ARG_LITERAL, A_INT}, {ARG_LITERAL, A_STRING}},
		function_timed_hmac, refuse_hmac_option,
		"Whether a link is signed with the key and not older than its time to live."},
	{"join", TYPE_STRING, 0, 2, 2, {{ARG_FIELD, ARG_STRINGS}, {ARG_EITHER, A_STRING}},
		function_join, NULL,
		"The strings of an array with a separator between them."},
	{"len", TYPE_INT, 0, 1, 1, {{ARG_FIELD, A_STRING | ARG_ARRAY}},
		function_len, NULL,
		"Octets of a string, or elements of an array."},
	{"lookup_json_integer", TYPE_INT, 0, 2, SIZE_MAX,
		{{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING | A_INT}},
		function_lookup_json_integer, refuse_position,
		"A whole number in a JSON text, found by keys and positions."},
	{"lookup_json_string", TYPE_STRING, 0, 2, SIZE_MAX,
		{{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING | A_INT}},
		function_lookup_json_string, refuse_position,
		"A string in a JSON text, found by keys and positions."},
	{"lower", TYPE_STRING, 0, 1, 1, {{ARG_FIELD, A_STRING}},
		function_lower, NULL,
		"ASCII letters in lower case."},
	{"regex_replace", TYPE_STRING, FUNCTION_VALUE_ONLY | FUNCTION_ONCE, 3, 3,
		{{ARG_FIELD, A_STRING}, {ARG_LITERAL, A_STRING}, {ARG_LITERAL, A_STRING}},
		function_regex_replace, NULL,
		"The first match of the pattern replaced; ${1} to ${8} are its groups."},
	{"remove_bytes", TYPE_STRING, 0, 2, 2, {{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING}},
		function_remove_bytes, NULL,
		"The string without any octet of the second."},
	{"remove_query_args", TYPE_STRING, 0, 2, SIZE_MAX,
		{{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING}},
		function_remove_query_args, NULL,
		"A query string without the named arguments."},
	{"split", TYPE_STRINGS, 0, 3, 3,
		{{ARG_FIELD, A_STRING}, {ARG_LITERAL, A_STRING}, {ARG_LITERAL, A_INT}},
		function_split, refuse_split,
		"The pieces between separators; the last one within the limit holds the rest."},
	{"starts_with", TYPE_BOOL, 0, 2, 2, {{ARG_FIELD, A_STRING}, {ARG_EITHER, A_STRING}},
		function_starts_with, NULL,
		"Whether the first string starts with the second."},
	{"substring", TYPE_STRING, 0, 2, 3,
		{{ARG_FIELD, A_STRING}, {ARG_EITHER, A_INT}, {ARG_EITHER, A_INT}},
		function_substring, NULL,
		"Octets from one position up to another; negative ones count from the end."},
	{"to_string", TYPE_STRING, 0, 1, 1, {{ARG_FIELD, A_INT | A_BOOL | A_IP}},
		function_to_string, NULL,
		"A number, truth or address as text."},
	{"upper", TYPE_STRING, 0, 1, 1, {{ARG_FIELD, A_STRING}},
		function_upper, NULL,
		"ASCII letters in upper case."},
	{"url_decode", TYPE_STRING, 0, 1, 2, {{ARG_FIELD, A_STRING}, {ARG_LITERAL, A_STRING}},
		function_url_decode, refuse_options,
		"%HH and + decoded; \"r\" repeats until stable, \"u\" also reads %uHHHH."},
	{"uuidv4", TYPE_STRING, 0, 1, 1, {{ARG_FIELD, A_STRING}},
		function_uuidv4, NULL,
		"A random UUID made from cf.random_seed."},
	{"wildcard_replace", TYPE_STRING, FUNCTION_VALUE_ONLY | FUNCTION_ONCE, 3, 4,
		{{ARG_FIELD, A_STRING}, {ARG_LITERAL, A_STRING}, {ARG_LITERAL, A_STRING},
		{ARG_LITERAL, A_STRING}},
		function_wildcard_replace, refuse_wildcard_option,
		"The whole value replaced if it matches; ${1} to ${8} are what the stars took."},
};
// clang-format on

const struct function *
function_find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		if (span_eq(name, span_str(functions[i].name)))
			return &functions[i];
	}
	return NULL;
}

const char *
function_nearest(struct span name)
{
	const char *best = NULL;
	size_t least = name.n / 3 + 1;
	for (size_t i = 0; i < COUNT_OF(functions); i++) {
		size_t d = text_distance(name, span_str(functions[i].name));
		if (d < least) {
			least = d;
			best = functions[i].name;
		}
	}
	return best;
}

const struct function *
function_at(size_t i)
{
	return i < COUNT_OF(functions) ? &functions[i] : NULL;
}

struct arg_spec
function_arg(const struct function *f, size_t i)
{
	size_t last = 0;
	while (last + 1 < COUNT_OF(f->args) && f->args[last + 1].types != 0)
		last++;
	return f->args[i < last ? i : last];
}
