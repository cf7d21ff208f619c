// SPDX-License-Identifier: Apache-2.0
/*
 * manual: prints the reference of the configuration from the tables that check it.
 */
#pragma once

#include "conf/schema.h"

/* Markdown of the whole table, blocks as sections, into memory that the caller frees
 * with mem_free((void *)p). */
struct span conf_manual(const struct conf_table *top, const char *title);
