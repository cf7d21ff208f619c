// SPDX-License-Identifier: Apache-2.0
/*
 * list: what a list holds, and reading it from text.
 */
#pragma once

#include "base/map.h"
#include "rule/set.h"

/* One item may be in several: an address is also a host's text. */
struct list_body {
	struct string_set strings;
	struct int_set ints;
	struct ip_set ips;
	bool below;     /* plain names cover what is below them */
	size_t n;       /* items */
	size_t skipped; /* lines that say nothing about names */
};

/* What tells that a file changed. */
struct list_stamp {
	int64_t mtime_ns;
	uint64_t size;
	uint64_t inode;
};

struct rule_list {
	struct map_item item; /* of the registry */
	char *name;           /* owned; the key */
	char *path;           /* owned; NULL: not from a file */
	char *column;         /* owned */
	enum type type;       /* declared, or TYPE_NONE */
	enum list_format format;
	bool below;
	struct list_stamp stamp;
	struct list_body body;
};

void list_body_fini(struct list_body *b);
void list_body_seal(struct list_body *b);
/* One item in plain form. False: *why says what is wrong with it. */
MUST_USE bool list_body_add(
	struct list_body *b, enum type type, struct span item, const char **why);
/* A domain name with its marks; lower-cases it. */
MUST_USE bool list_body_add_name(
	struct list_body *b, struct span name, unsigned marks, const char **why);

struct list_reader {
	struct list_body *body;
	enum type type;
	enum list_format format;
	struct span column;
	size_t line;     /* of a fault */
	const char *why; /* of a fault */
};

/* The whole text of one file. False: r->line and r->why. */
MUST_USE bool list_read(struct list_reader *r, struct span text);
