// SPDX-License-Identifier: Apache-2.0
/*
 * catalogue_file: data/apps.tsv as the program carries it.
 */
#pragma once

#include "base/embedded.h"

/* Made by tools/embed at build. */
extern const struct embedded catalogue_file[];
