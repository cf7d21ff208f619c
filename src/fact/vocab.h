// SPDX-License-Identifier: Apache-2.0
/*
 * vocab: every field a rule can ask for, in one table.
 */
#pragma once

#include "fact/facts.h"

extern const struct field vocab_fields[];
extern const size_t vocab_count;
