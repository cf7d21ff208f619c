// SPDX-License-Identifier: Apache-2.0
/*
 * value: what a field can hold, and what a rule reckons with.
 *
 * Types are small numbers: a base type inside up to five layers of Array and Map. A
 * value borrows everything it points to; *missing* is a state of any type (no such
 * header, no SNI), and a comparison with it is false, `!=` included.
 */
#pragma once

#include "base/ip.h"
#include "base/span.h"

struct text;

/*
 * Lowest three bits: the base. Above, two bits a layer, outermost lowest: 1 Array, 2
 * Map. The named ones are those that tables use; others come from type_array() and
 * type_map().
 */
enum type {
	TYPE_NONE = 0,
	TYPE_BOOL = 1,
	TYPE_STRING = 2, /* any octets */
	TYPE_INT = 3,    /* signed, 64 bits */
	TYPE_IP = 4,
	TYPE_BOOLS = TYPE_BOOL | 1 << 3,
	TYPE_STRINGS = TYPE_STRING | 1 << 3,
	TYPE_INTS = TYPE_INT | 1 << 3,
	TYPE_IPS = TYPE_IP | 1 << 3,
	TYPE_STRING_MAP = TYPE_STRING | 2 << 3,
	TYPE_STRINGS_MAP =
		TYPE_STRING | 1 << 5 | 2 << 3, /* Map(Array(String)): headers */
	TYPE_INTS_MAP = TYPE_INT | 1 << 5 | 2 << 3,
};

enum type type_array(enum type inner);
enum type type_map(enum type inner);
/* The type of an element; TYPE_NONE of a plain one. */
enum type type_inner(enum type t);
/* Without any layer. */
enum type type_base(enum type t);
MUST_USE bool type_is_array(enum type t);
MUST_USE bool type_is_map(enum type t);
/* Adds "Map(Array(String))". */
void type_put(struct text *t, enum type type);
/* Reads the same form. */
MUST_USE bool type_parse(struct span s, enum type *out);

enum value_kind {
	VALUE_MISSING = 0,
	VALUE_BOOL,
	VALUE_STRING,
	VALUE_INT,
	VALUE_IP,
	VALUE_ARRAY,
	/* an array of strings told by its first: a name and its parents */
	VALUE_DOMAINS,
	VALUE_ONE_IP, /* an array of one address, told without memory */
	VALUE_MAP,
};

struct value;
struct value_pair;

struct value {
	enum value_kind kind;
	uint32_t n; /* elements of an array, pairs of a map */
	union {
		bool b;
		int64_t i;
		struct span s; /* also the name that VALUE_DOMAINS unfolds */
		struct ip ip;
		const struct value *items;
		const struct value_pair *pairs; /* any order; keys differ */
	};
};

struct value_pair {
	struct span key;
	struct value v;
};

struct value value_missing(void);
struct value value_bool(bool b);
struct value value_int(int64_t i);
struct value value_string(struct span s);
/* A v4-mapped v6 address becomes v4; family IP_NONE gives a missing value. */
struct value value_ip(struct ip ip);
struct value value_array(const struct value *items, size_t n);
struct value value_map(const struct value_pair *pairs, size_t n);
/* "a.b.example" as the array "a.b.example" "b.example" "example", without memory. An
 * empty name gives a missing value; an address in text form has no parents. */
struct value value_domains(struct span name);

/* The array of this one address; missing as value_ip(). For fields that published rules
 * map with [*] and that have one value here. */
struct value value_one_ip(struct ip ip);

/* Elements of an array, octets of a string, pairs of a map; else 0. */
MUST_USE size_t value_len(const struct value *v);
/* Element i of an array, or missing. */
struct value value_at(const struct value *v, size_t i);
/* Member of a map, or missing. */
struct value value_get(const struct value *v, struct span key);
/* Same kind and same content; two missing ones are equal. */
MUST_USE bool value_eq(const struct value *a, const struct value *b);
/* Adds a readable form: "text", 5, 10.0.0.1, true, [..], {..}, or (missing). */
void value_put(struct text *t, const struct value *v);
