// SPDX-License-Identifier: Apache-2.0
/*
 * tables: what is known of clients, their messages and inspecting products, from
 * data/doctor/ as TSV, compiled in by tools/table.
 *
 * Each field is a column of the file, whose head says what it means; all are literals,
 * "" where a cell is empty. A table ends with a row whose first field is NULL.
 */
#pragma once

#include "base/attr.h"

/* tls-errors.tsv: what a client prints and what it means. */
struct error_row {
	const char *client;
	const char *match;      /* a fixed string, or "re:" and a POSIX ERE */
	const char *class;      /* "?" behind it: the text hides the reason */
	const char *cause;      /* "" where the class says all */
	const char *fix;        /* letters of fix codes, and what is special */
	const char *reproduced; /* "yes": the real program printed it */
};
extern const struct error_row error_rows[];

/* inspection-issuers.tsv: names by which inspecting products are known. */
struct issuer_row {
	const char *product;
	const char *field; /* "issuer-cn", "root-o", "process", "http-header" ... */
	const char *regex; /* POSIX ERE, case sensitive, on one attribute value */
	const char *source;
	const char *confidence; /* high, medium, low or "-" */
};
extern const struct issuer_row issuer_rows[];

/* trust-clients.tsv: how a client finds its trust roots, one row per mechanism. */
struct trust_row {
	const char *client;
	const char *kind; /* env, flag, file, ... */
	const char *name; /* of the variable, file, flag or key */
	const char *format;
	const char *effect; /* additive, replaces, ... UNSAFE */
	const char *since;
	const char *platforms;
	const char *verify; /* a command that shows whether it works */
	const char *source;
	const char *note;
};
extern const struct trust_row trust_rows[];

/* signs.tsv: what explain looks for; the language of `sign` is told in the file. */
struct sign_row {
	const char *engine; /* "openssl", "any" ... */
	const char *class;  /* "?" behind it: the text hides the reason */
	const char *weight; /* "9.5"; the heaviest decides */
	const char *sign;
};
extern const struct sign_row sign_rows[];

/* classes.tsv: each class in words. {ca} in fix stands for the client's own lines. */
struct class_row {
	const char *class;
	const char *say_en;
	const char *why_en;
	const char *fix_en;
	const char *say_ja;
	const char *why_ja;
	const char *fix_ja;
};
extern const struct class_row class_rows[];

/* clients.tsv: clients that explain tells apart. */
struct client_row {
	const char *client;
	const char *names;   /* as people call it, commas between */
	const char *engines; /* whose signs stand in its output, commas between */
	const char *signs;   /* by which its output is known, | between */
	const char *give;    /* how it gets the organisation's CA, ;; between lines */
	const char *check;   /* a command that shows whether it works, or "" */
	const char *trap;    /* or "" */
};
extern const struct client_row client_rows[];
