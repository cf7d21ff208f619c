// SPDX-License-Identifier: Apache-2.0
/*
 * verify: the real program against a real host, in the environment that new shells get.
 *
 * Never "the file exists": what counts is whether the program accepts the certificate.
 * Two hosts tell two things: an inspected one whether the CA is trusted, a bypassed one
 * whether the public roots still are.
 */
#pragma once

#include "doctor/explain.h"
#include "doctor/tool.h"

enum verify_result {
	VERIFY_WORKS,  /* the program accepted the certificate */
	VERIFY_FAILS,  /* it did not; the explanation says why */
	VERIFY_UNSURE, /* it failed, and its words do not tell */
	VERIFY_ABSENT, /* not installed, or there is no way to try it */
	VERIFY_LATE,   /* it did not end in time */
};

struct verify_answer {
	enum verify_result result;
	struct explanation why; /* of VERIFY_FAILS */
	char *output;           /* owned */
	int code;
};

/* url: "https://HOST[:PORT]/…". Programs may write below a directory of their own,
 * which is removed. ERR_USAGE for another kind of URL; ERR_DOCTOR_RUN. */
MUST_USE bool verify_tool(struct home *h, const struct tool_row *row, const char *url,
	struct verify_answer *out, struct err *err);
void verify_answer_fini(struct verify_answer *a);
/* "works", "fails", … */
const char *verify_word(enum verify_result r);
