// SPDX-License-Identifier: Apache-2.0
/*
 * sign: the little language of data/doctor/signs.tsv, matched against plain text.
 */
#pragma once

#include "doctor/plain.h"

/*
 * Whether the sign stands in the text, and where its last occurrence begins.
 * Occurrences beyond the first few hundred are not looked at.
 */
MUST_USE bool sign_find(const struct plain *p, const char *sign, size_t *at);
