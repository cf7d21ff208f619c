// SPDX-License-Identifier: Apache-2.0
/*
 * cases: an administrator's own expectations of a policy.
 *
 * A file says what is known of a visit and what shall come of it; it is kept beside the
 * policy and run before each change goes out.
 *
 *	{"cases": [
 *	  {"name": "banks stay closed",
 *	   "facts": {"http.request.host": "www.bank.example", "ip.src": "10.1.2.3"},
 *	   "expect": "bypass", "rule": "banks"}]}
 *
 * "expect" is the action that decides, or "none"; "rule" and "noted" (names of rules)
 * are optional. A fact is any field by name. From "http.request.host" the other names
 * of the host and their parents follow unless given.
 */
#pragma once

#include "rule/policy.h"
#include "rule/selftest.h"

/*
 * Runs all cases against rules with the texts, actions and options of p, prints each
 * difference to standard output, and counts. False when the file is not of the form.
 */
MUST_USE bool cases_run(const struct policy *p, struct span json, struct selftest *out,
	struct err *err);
