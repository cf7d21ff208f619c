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
