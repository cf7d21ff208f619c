// SPDX-License-Identifier: Apache-2.0
/*
 * set: membership without allocation, and the named lists that rules refer to.
 *
 * Numbers and addresses are sorted disjoint ranges, searched by halves. Strings are
 * hashed. Domain sets answer "is this name or one above it in the set" with one look-up
 * per label; a name costs its octets plus about 20 bytes. A list is a set with a name,
 * read from a file, and exchanged whole when the file changes.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "rule/value.h"

/* Sorted disjoint ranges; both ends included. */
struct int_range {
	int64_t from;
	int64_t to;
};

struct int_set {
	struct int_range *ranges; /* owned */
	size_t n;
	size_t cap;
};

void int_set_add(struct int_set *s, int64_t from, int64_t to);
/* Sorts and merges; before the first look-up. */
void int_set_seal(struct int_set *s);
void int_set_fini(struct int_set *s);
MUST_USE bool int_set_has(const struct int_set *s, int64_t v);

struct ip_range {
	struct ip from;
	struct ip to;
};

struct ip_set {
	struct ip_range *ranges; /* owned */
	size_t n;
	size_t cap;
};

/* Both ends of one family. */
void ip_set_add(struct ip_set *s, const struct ip *from, const struct ip *to);
void ip_set_add_prefix(struct ip_set *s, const struct ip_prefix *p);
void ip_set_seal(struct ip_set *s);
void ip_set_fini(struct ip_set *s);
MUST_USE bool ip_set_has(const struct ip_set *s, const struct ip *v);

/*
 * A packed hash set of octet strings. An entry may mean the string alone or, for
 * domains, the string and all below it.
 */
enum string_set_mark {
	SET_EXACT = 1, /* this name */
	SET_BELOW = 2, /* every name below this one */
};

struct string_set {
	uint8_t *octets; /* owned: mark, length in two, octets, one after another */
	size_t used;
	size_t cap;
	uint32_t *slots; /* owned; place in octets plus one, 0: empty; a power of two */
	uint8_t *tags;   /* owned; some bits of each one's hash */
	size_t n_slots;
	size_t n;
};

/* At most 65,535 octets a string and 4 GiB in all; longer ones are refused (false). */
MUST_USE bool string_set_add(struct string_set *s, struct span v, unsigned marks);
/* Gives back spare memory; after the last add. */
void string_set_seal(struct string_set *s);
void string_set_fini(struct string_set *s);
/* The marks of the string itself, 0 when it is not in the set. */
MUST_USE unsigned string_set_marks(const struct string_set *s, struct span v);
/* Exactly this string. */
MUST_USE bool string_set_has(const struct string_set *s, struct span v);
/* The name itself, or one above it that covers what is below. */
MUST_USE bool string_set_covers(const struct string_set *s, struct span name);
/* The name itself or any above it, whatever their marks. Not for bare "below" marks of
 * the name itself. */
MUST_USE bool string_set_covers_any(const struct string_set *s, struct span name);

enum list_format {
	LIST_AUTO,  /* by the first lines of the file */
	LIST_PLAIN, /* one item a line: name, .suffix, *.suffix, address, prefix,
			 number, URL */
	LIST_HOSTS, /* "0.0.0.0 name" */
	LIST_RPZ,   /* response policy zone: owners relative to the origin */
	/* "||name^" lines; element hiding and paths are skipped, counted */
	LIST_ADBLOCK,
	LIST_CSV, /* a header line; the named column */
};

struct list_source {
	struct span name; /* as rules say it, without $ */
	struct span path; /* file, or a directory: its files together */
	enum type type;   /* TYPE_STRING, TYPE_INT, TYPE_IP; TYPE_NONE: by content */
	enum list_format format;
	struct span column; /* of LIST_CSV */
	bool below;         /* a plain name also covers the names below it */
	bool exact;         /* a plain name does not cover the names below it */
};

struct lists;
struct rule_list;

struct lists *lists_new(void);
void lists_free(struct lists *l);
/* Reads a list from its file. A broken line refuses the whole: *err has file and line.
 */
MUST_USE bool lists_load(
	struct lists *l, const struct list_source *src, struct err *err);
/* A list of given items: of src only name, type and below count. */
MUST_USE bool lists_add(struct lists *l, const struct list_source *src,
	const struct span *items, size_t n, struct err *err);
/*
 * Rereads those whose file changed (time, size or inode). Each is exchanged whole or,
 * if a line is broken, stays as it was. Returns how many were exchanged; *err tells the
 * last failure, code ERR_NONE when there was none.
 */
size_t lists_refresh(struct lists *l, struct err *err);

/* Changes when a file of a list changes, comes or goes; costs a stat of each. */
MUST_USE uint64_t lists_stamp(const struct lists *l);

/* By name, or NULL. The handle stays valid through refreshes. */
const struct rule_list *lists_find(const struct lists *l, struct span name);
/* The nearest known name, or NULL. */
const char *lists_nearest(const struct lists *l, struct span name);
enum type list_type(const struct rule_list *l);
struct span list_name(const struct rule_list *l);
size_t list_size(const struct rule_list *l);
/* Octets of memory it takes. */
size_t list_cost(const struct rule_list *l);
/* Lines that its format has and that say nothing about names. */
size_t list_skipped(const struct rule_list *l);
/* Whether v is in it: of strings the string itself; VALUE_DOMAINS: the name is covered.
 */
MUST_USE bool list_has(const struct rule_list *l, const struct value *v);
