// SPDX-License-Identifier: Apache-2.0
/*
 * near: the known messages that are most like a text nobody knows. For people to look
 * at; nothing is concluded from them.
 */
#pragma once

#include "doctor/plain.h"
#include "doctor/tables.h"

/* The rows of tls-errors.tsv of whose words the text has the most, at least half and at
 * least two; best first. How many, at most cap. */
size_t near_rows(const struct plain *p, const struct error_row **out, size_t cap);
