// SPDX-License-Identifier: Apache-2.0
/*
 * explain: what some program's output means: the class of the failure, why, what to do.
 *
 * The tables do the work (data/doctor/): signs tell classes, classes have words,
 * clients have the lines that cure them. A class is named only when the text shows it;
 * where the text hides the reason, or shows two, `hidden` says so.
 */
#pragma once

#include "doctor/client.h"
#include "doctor/tables.h"
#include "doctor/words.h"

enum { EXPLAIN_ALSO = 4, EXPLAIN_NEAR = 3, EXPLAIN_HOST = 256 };

struct explanation {
	const struct client_row *client; /* NULL: not recognised */
	const struct class_row *class; /* never NULL; "misleading" when nothing fits */
	const struct sign_row *sign;   /* that decided, or NULL */
	/* the row of tls-errors.tsv that fits, or NULL */
	const struct error_row *known;
	bool hidden;  /* the text does not tell the reason */
	bool nothing; /* no sign of a TLS failure at all */
	/* other failures in the same text */
	const struct class_row *also[EXPLAIN_ALSO];
	size_t n_also;
	const struct error_row *near[EXPLAIN_NEAR]; /* when nothing fits: the likest */
	size_t n_near;
	char host[EXPLAIN_HOST]; /* named in the text, with its port if there; or "" */
};

/* client is as the user named it, or empty. Nothing is kept of the text. */
void explain_text(struct span text, struct span client, struct explanation *out);

/* The row of a class's name; a "?" behind it does not matter. NULL if there is none. */
MUST_USE const struct class_row *explain_class(const char *name);
