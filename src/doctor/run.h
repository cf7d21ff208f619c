// SPDX-License-Identifier: Apache-2.0
/*
 * run: another program, its output, and an end in time.
 *
 * Programs run in "/", so that nothing of the current directory is picked up by chance,
 * without standard input.
 */
#pragma once

#include "base/err.h"

enum { RUN_OUTPUT = 64 * 1024 };

struct run_ask {
	const char *const *argv; /* NULL at the end; argv[0] is a path */
	const char *const *env;  /* NULL at the end; NULL: ours */
	const char *dir;         /* working directory; NULL: "/" */
	unsigned timeout_ms;
};

struct run_answer {
	char *output; /* owned; both streams, NUL behind; the first RUN_OUTPUT octets */
	size_t n;
	int code; /* exit code; 128 + signal; -1 when it took too long */
};

/* ERR_DOCTOR_RUN when it could not even be started. */
MUST_USE bool run_program(
	const struct run_ask *ask, struct run_answer *out, struct err *err);
void run_answer_fini(struct run_answer *a);
