// SPDX-License-Identifier: Apache-2.0
/*
 * json: values of fields as files of cases write them.
 */
#pragma once

#include "base/json.h"
#include "rule/value.h"

/* A value of this type, or missing when j is of another form. Arrays and maps lie in
 * the arena; strings where those of j lie. */
struct value json_value(struct arena *a, enum type type, const struct json *j);
